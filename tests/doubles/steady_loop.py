"""An event loop whose clock does not run while the process does not, so that a busy machine makes nothing late.

Every timeout, pause and measurement of a test, of its doubles and of an application in the same process follows this
clock. What happens in another process has a clock of its own: a test of one gives it budgets above any stall.
"""

import asyncio
import selectors
import time

TURN = 0.01  # seconds that one turn of the loop counts for at most, however long it took


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self._counted = 0.0
        self._seen = time.monotonic()

    def now(self) -> float:
        return self._counted + min(time.monotonic() - self._seen, TURN)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for one turn at most: of a longer wait nobody could say how much of it was a stall."""
        ready = super().select(TURN if timeout is None else min(timeout, TURN))
        self._counted, self._seen = self.now(), time.monotonic()
        return ready


class SteadyLoop(asyncio.SelectorEventLoop):
    """Works with real sockets and processes."""

    def __init__(self) -> None:
        self._steady = _Selector()
        super().__init__(self._steady)

    def time(self) -> float:
        return self._steady.now()
