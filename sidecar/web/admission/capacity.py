"""Limits how many requests are served together. One more is refused at once, so that the others stay quick."""

from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.errors import Overloaded


class Capacity:
    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place while a request is served. Raises Overloaded when none is free."""
        if self._used >= self._most:
            raise Overloaded("This service is busy. Try again in a moment.", retry_after=1)
        self._used += 1
        try:
            yield
        finally:
            self._used -= 1
