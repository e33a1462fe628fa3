"""The line of questions to Directus: it bounds how many are asked at once, and gives turns. Knows no HTTP.

One process of Directus answers one `/permissions/me` after the other, so more at once would only wait there. They wait
here, where leaving costs nothing and turns are fair.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sidecar import tracing
from sidecar.errors import DirectusUnavailable
from sidecar.metrics import Metrics

LASTING = 5  # budgets that a question may wait in the line, and that it may last once it is sent

_Ticket = asyncio.Future[None]
Ready = Callable[[], Awaitable[None]]


async def at_once() -> None:
    """Have nothing to do between the turn and the question."""


class Place:
    """What a question has at Directus from the moment it is sent until it ends."""

    def __init__(self, line: "Line", end: asyncio.Timeout) -> None:
        self._line, self._end = line, end
        self.sent = asyncio.get_running_loop().time()
        self.overdue = False

    @property
    def lost(self) -> bool:
        """Whether an answer is unlikely: it is overdue, and since it was sent nobody got one, or who asked later did.

        Otherwise Directus is slow and answers in turn, and to ask it again would make it slower.
        """
        line = self._line
        return self.overdue and (line.answered < self.sent or line.newest_answered > self.sent)

    def cut(self) -> None:
        self._end.reschedule(asyncio.get_running_loop().time())


class Line:
    """Lets `places` questions out at once. Turns go round the client addresses; within one, the first comes first.

    `budget` is how many seconds a caller waits for an answer once its question is sent. Directus works on also after
    that, so a question without an answer keeps its place until it ends. At most three quarters of the places are kept
    that way: then the oldest is cut, so that there is a place to notice that Directus is back.
    """

    def __init__(self, places: int = 20, budget: float = math.inf, metrics: Metrics | None = None) -> None:
        self.budget = budget
        self._free = self._places = places
        self._most_overdue = places * 3 // 4
        self._overdue: dict[Place, None] = {}  # the oldest first
        self._waiting: dict[str | None, dict[_Ticket, None]] = {}  # the next address first
        self.answered = -math.inf  # when Directus last answered, on the loop's clock
        self.newest_answered = -math.inf  # when the newest of the questions it answered was sent
        metrics = metrics or Metrics()
        self._waits = metrics.waits.labels("directus")
        self._show(metrics)

    @asynccontextmanager
    async def turn(self, address: str | None, ready: Ready = at_once) -> AsyncIterator[Place]:
        """Wait for a place and keep it for the block, which must end normally only with an answer of Directus.

        `ready` is awaited with the place and before the block, and what it raises ends the turn. Raises
        DirectusUnavailable if no place gets free in time, or if Directus answers nobody. The block may end with
        TimeoutError.
        """
        loop = asyncio.get_running_loop()
        await self._enter(address)
        try:
            await ready()
            async with asyncio.timeout(None) as end:
                place = Place(self, end)
                budget = loop.call_later(self.budget, self._pass_budget, place)
                try:
                    yield place
                    self.answered, self.newest_answered = loop.time(), max(self.newest_answered, place.sent)
                finally:
                    budget.cancel()
                    self._overdue.pop(place, None)
        finally:
            self._leave()

    async def _enter(self, address: str | None) -> None:
        if self._free > 0:  # then nobody waits
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        ticket, began = loop.create_future(), loop.time()
        self._waiting.setdefault(address, {})[ticket] = None
        try:
            with tracing.span("wait for Directus"):
                async with asyncio.timeout(LASTING * self.budget):
                    await ticket
        except BaseException as error:
            self._give_back(address, ticket)
            if isinstance(error, TimeoutError):
                raise self._unavailable("its turn did not come") from error
            raise
        finally:
            self._waits.observe(loop.time() - began)

    def _give_back(self, address: str | None, ticket: _Ticket) -> None:
        """Leave the line, or the place that was given in the same turn of the event loop in which its owner left."""
        if ticket.done() and not ticket.cancelled() and ticket.exception() is None:
            self._leave()
            return
        waiting = self._waiting.get(address, {})
        if ticket in waiting:
            del waiting[ticket]
            if not waiting:
                del self._waiting[address]

    def _leave(self) -> None:
        self._free += 1
        while self._free > 0 and self._waiting:
            self._admit(next(iter(self._waiting)))

    def _admit(self, address: str | None) -> None:
        """Give this address's first question a place, and the next turn to another address."""
        waiting = self._waiting.pop(address)
        for ticket in list(waiting):
            del waiting[ticket]
            if not ticket.done():  # otherwise its owner is about to leave, and its turn passes on
                self._free -= 1
                ticket.set_result(None)
                break
        if waiting:
            self._waiting[address] = waiting

    def _pass_budget(self, place: Place) -> None:
        place.overdue = True
        self._overdue[place] = None
        if self.answered < place.sent:
            self._send_away()
        if len(self._overdue) > self._most_overdue:
            oldest = next(iter(self._overdue))
            del self._overdue[oldest]
            oldest.cut()

    def _send_away(self) -> None:
        """Tell all who wait: Directus has answered nobody for a whole budget, and they would only wait longer."""
        told, self._waiting = self._waiting, {}
        for tickets in told.values():
            for ticket in tickets:
                if not ticket.done():
                    ticket.set_exception(self._unavailable("it answers nobody"))

    def _unavailable(self, why: str) -> DirectusUnavailable:
        return DirectusUnavailable(f"the line to Directus: {why}", retry_after=math.ceil(self.budget))

    def _show(self, metrics: Metrics) -> None:
        def waiting() -> float:
            return sum(map(len, self._waiting.values()))

        def overdue() -> float:
            return len(self._overdue)

        metrics.questions.labels("waiting").set_function(waiting)
        metrics.questions.labels("overdue").set_function(overdue)
        metrics.questions.labels("asked").set_function(lambda: self._places - self._free - overdue())
