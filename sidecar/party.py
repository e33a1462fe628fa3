"""Those for whom one call to an upstream is made: one caller, or all who share what it fetches.

A shared call waits in the line of each of them, so nobody waits longer because somebody with a long line asked first.
"""

from collections import Counter
from collections.abc import Callable, Iterator, KeysView
from contextlib import contextmanager


class Party:
    """A caller that joins several times has to leave as often.

    `waits`: nothing was sent for the party yet, since its first call waits for its turn.
    """

    def __init__(self, *callers: str) -> None:
        self._callers = Counter(callers)
        self._watchers: list[Callable[[], None]] = []
        self._has_begun = False
        self.waits = False

    @property
    def callers(self) -> KeysView[str]:
        return self._callers.keys()

    def join(self, caller: str) -> None:
        self._callers[caller] += 1
        if self._callers[caller] == 1:
            self._tell()

    def leave(self, caller: str) -> None:
        self._callers[caller] -= 1
        if self._callers[caller] == 0:
            del self._callers[caller]
            self._tell()

    def wait(self) -> None:
        self.waits = not self._has_begun

    def begin(self) -> None:
        """From now on something may have been sent."""
        self._has_begun, self.waits = True, False

    @contextmanager
    def watched(self, changed: Callable[[], None]) -> Iterator[None]:
        """Call `changed` whenever the callers are others than before, while the block runs."""
        self._watchers.append(changed)
        try:
            yield
        finally:
            self._watchers.remove(changed)

    def _tell(self) -> None:
        for changed in tuple(self._watchers):
            changed()
