"""How many requests are worked on at once. One more is refused at once, so that those under way stay quick."""

from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.errors import Overloaded


class Capacity:
    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while a request is worked on. Raises Overloaded when there is none."""
        if self._used >= self._most:
            raise Overloaded("This service is busy. Try again in a moment.", retry_after=1)
        self._used += 1
        try:
            yield
        finally:
            self._used -= 1
