"""A deadline that can be moved at little cost, for what has a new one several times in each request."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `missed` when it passes.

    One timer serves all moments in turn: it stays where it is when the deadline moves to a later one, and looks again
    when it finds itself too early.
    """

    __slots__ = ("_at", "_loop", "_missed", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, missed: Callable[[], None]) -> None:
        self._loop, self._missed = loop, missed
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def move(self, seconds: float) -> None:
        """Let it pass in so many seconds from now."""
        self._at = at = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(at, self._look)
        elif self._timer.when() > at:
            self._timer.cancel()
            self._timer = self._loop.call_at(at, self._look)

    def lift(self) -> None:
        """Let there be none until it is moved again."""
        self._at = None

    def end(self) -> None:
        """Lift it for good; the loop keeps nothing of it."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._at > self._loop.time():
            self._timer = self._loop.call_at(self._at, self._look)
        else:
            self._at = None
            self._missed()
