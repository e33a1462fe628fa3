"""How many requests are worked on together, and how many of them are one caller's.

What a caller asks beyond its own places waits in its own line, without a place and in order; so a caller that
asks a lot slows down only itself. Beyond the line its requests are refused; beyond all places everybody's are.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from sidecar import tracing
from sidecar.errors import Overloaded, TooManyRequests
from sidecar.metrics import Metrics

_Turn = asyncio.Future[None]  # its result means that a place was taken for who waits


@dataclass(slots=True)
class _Line:
    """One caller: the places it uses, its requests that lent theirs and want one again, and those that wait for one."""

    used: int = 0
    returning: deque[_Turn] = field(default_factory=deque)
    waiting: deque[_Turn] = field(default_factory=deque)

    @property
    def empty(self) -> bool:
        return not self.returning and not self.waiting


class Place:
    """The place of one request, from entering the block until its end."""

    __slots__ = ("_caller", "_held", "_places", "_return", "_waits")

    def __init__(self, places: "Places", caller: str) -> None:
        self._places, self._caller = places, caller
        self._held = False
        self._waits = 0  # blocks that wait now: a request may wait for several things at once
        self._return: asyncio.Lock | None = None

    async def __aenter__(self) -> Self:
        await self._places.take(self._caller)
        self._held = True
        return self

    async def __aexit__(self, *_ended: object) -> None:
        self.give_back()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Let others have the place while the block waits for something that is shared; then wait for one again."""
        self._return = self._return or asyncio.Lock()
        self._waits += 1
        self.give_back()
        try:
            yield
        finally:
            self._waits -= 1
        async with self._return:
            if self._waits == 0 and not self._held:
                await self._places.take_again(self._caller)
                self._held = True

    def give_back(self) -> None:
        if self._held:
            self._held = False
            self._places.free(self._caller)


class Places:
    """`most` for all callers and `each` for one, whose line is `waiting` long and waits `patience` seconds at most."""

    def __init__(self, most: int, each: int, waiting: int, patience: float, metrics: Metrics | None = None) -> None:
        self._most, self._each, self._waiting, self._patience = most, each, waiting, patience
        self._used = self._queued = 0
        metrics = metrics or Metrics()
        self._waits = metrics.waits.labels("place")
        metrics.places.labels("most").set(most)
        metrics.places.labels("used").set_function(lambda: self._used)
        metrics.places.labels("waiting").set_function(lambda: self._queued)
        self._lines: dict[str, _Line] = {}
        self._blocked: dict[str, None] = {}  # callers that could have another place if there were one

    def place(self, caller: str) -> Place:
        """Give the place that a request takes while it is served; entering raises as `take` does."""
        return Place(self, caller)

    async def take(self, caller: str) -> None:
        """Take a place. Raises TooManyRequests, and Overloaded where all are taken."""
        line = self._line(caller)
        if not line.empty or line.used >= self._each:
            await self._line_up(caller, line)
        elif self._used >= self._most:
            self._drop(caller, line)
            raise Overloaded("This service is busy. Try again in a moment.", retry_after=1)
        else:
            self._use(line)

    async def take_again(self, caller: str) -> None:
        """Take a place for a request that was let in before: it goes before its caller's others."""
        line = self._line(caller)
        if line.empty and line.used < self._each and self._used < self._most:
            self._use(line)
        else:
            await self._turn(caller, line, line.returning, None)

    def free(self, caller: str) -> None:
        """Pass a place on: to the line that has waited longest for a place of anybody's, its caller's own one last."""
        line = self._lines[caller]
        line.used -= 1
        self._used -= 1
        self._blocked.setdefault(caller)
        while self._blocked and self._used < self._most:
            name = next(iter(self._blocked))
            del self._blocked[name]
            if name in self._lines:
                self._serve(name, self._lines[name])

    async def _line_up(self, caller: str, line: _Line) -> None:
        if len(line.waiting) >= self._waiting:
            raise _too_many()
        try:
            await self._turn(caller, line, line.waiting, self._patience)
        except TimeoutError:
            raise _too_many() from None

    async def _turn(self, caller: str, line: _Line, queue: deque[_Turn], patience: float | None) -> None:
        loop = asyncio.get_running_loop()
        turn: _Turn = loop.create_future()
        began, served = loop.time(), False
        queue.append(turn)
        self._queued += 1
        self._serve(caller, line)
        try:
            with tracing.span("wait for a place"):
                async with asyncio.timeout(patience):
                    await turn
            served = True
        finally:
            self._queued -= 1
            self._waits.observe(loop.time() - began)
            if not served:
                self._leave(caller, line, queue, turn)

    def _leave(self, caller: str, line: _Line, queue: deque[_Turn], turn: _Turn) -> None:
        """Leave the line; a place that was given at this very moment goes to the next."""
        if turn in queue:
            queue.remove(turn)
            self._drop(caller, line)
        elif not turn.cancelled():
            self.free(caller)

    def _serve(self, caller: str, line: _Line) -> None:
        """Give places to those in a line whom its caller's bound lets go."""
        while not line.empty and line.used < self._each:
            if self._used >= self._most:
                self._blocked[caller] = None
                return
            turn = (line.returning or line.waiting).popleft()
            if not turn.done():  # otherwise its request is just leaving
                self._use(line)
                turn.set_result(None)
        self._drop(caller, line)

    def _use(self, line: _Line) -> None:
        line.used += 1
        self._used += 1

    def _line(self, caller: str) -> _Line:
        line = self._lines.get(caller)
        if line is None:
            line = self._lines[caller] = _Line()
        return line

    def _drop(self, caller: str, line: _Line) -> None:
        if line.used == 0 and line.empty:
            self._lines.pop(caller, None)


def _too_many() -> TooManyRequests:
    return TooManyRequests("You ask for too much at once. Wait for some answers, then try again.", retry_after=1)
