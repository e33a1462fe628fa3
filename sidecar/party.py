"""Those for whom one call to an upstream is made: one caller, or all who share what it fetches.

A shared call waits in the line of each of them, so nobody waits longer because somebody with a long line asked first.
"""

from collections import Counter
from collections.abc import Callable, Iterator, KeysView
from contextlib import contextmanager


class Party:
    """A caller that joins several times has to leave as often.

    `waits`: nothing was sent for the party yet, since its first call waits for its turn. `began`: since when something
    may have been sent, in the event loop's time; None where nothing was, or where calls take no turns.
    """

    def __init__(self, *callers: str) -> None:
        self._callers = Counter(callers)
        self._watchers: list[Callable[[], None]] = []
        self.began: float | None = None
        self.waits = False

    @property
    def callers(self) -> KeysView[str]:
        return self._callers.keys()

    @property
    def size(self) -> int:
        """Count how often it was joined and not left."""
        return self._callers.total()

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
        self.waits = self.began is None

    def begin(self, now: float) -> None:
        """From now on something may have been sent."""
        if self.began is None:
            self.began = now
        self.waits = False

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
