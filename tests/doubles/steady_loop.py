"""An event loop with a clock that stops when the process does, so that no timeout fires early on a busy machine.

Every timeout, pause and measurement of a test, its doubles and an application in the same process follows this
clock. Other processes have their own clocks: a test of such a process sets budgets longer than any stall.
"""

import asyncio
import selectors
import time

TURN = 0.01  # the most seconds that one turn of the loop adds to the clock


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self._counted = 0.0
        self._seen = time.monotonic()

    def now(self) -> float:
        return self._counted + min(time.monotonic() - self._seen, TURN)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for at most one turn: the clock cannot tell a longer wait from a stall."""
        ready = super().select(TURN if timeout is None else min(timeout, TURN))
        self._counted, self._seen = self.now(), time.monotonic()
        return ready


class SteadyLoop(asyncio.SelectorEventLoop):
    """A loop that works with real sockets and processes."""

    def __init__(self) -> None:
        self._steady = _Selector()
        super().__init__(self._steady)

    def time(self) -> float:
        return self._steady.now()
