"""The traffic governor: every attempt of every call to Stripe waits here for its turn.

Budgets say how many calls may go, in all, to each endpoint and for each caller; `FairTurns` says whose is next. A call
that could not have its turn in time is refused at once, and one whose client has left passes its turn on.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from sidecar import context, tracing
from sidecar.clients.stripe.budgets import NONE, Budgets
from sidecar.core.traffic.fair_turns import FairTurns, Waiting
from sidecar.core.traffic.rate import Rate
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeRateLimited
from sidecar.metrics import Metrics
from sidecar.party import Party

# Calls under way, by urgency: lists never take all connections, so that a slow Stripe still gets what is urgent.
_UNDER_WAY = {Urgency.LIST: 30, Urgency.PAGE: 40, Urgency.CALL: 50}
_NEVER = float("-inf")
_CALLERS = 1_000  # whose last turns are remembered


@dataclass(slots=True, eq=False)
class _Turn(Waiting):
    dropped: bool = False
    granted: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _Held:
    __slots__ = ("_caller", "_end", "_take")

    def __init__(self, take: Callable[[], Awaitable[str]], end: Callable[[str], None]) -> None:
        self._take, self._end = take, end

    async def __aenter__(self) -> None:
        self._caller = await self._take()

    async def __aexit__(self, *_ended: object) -> None:
        self._end(self._caller)


class Governor:
    """`each_caller` is in calls a second; a call that would have to wait longer than `patience` seconds is refused."""

    def __init__(
        self, budgets: Budgets, *, each_caller: float, patience: float, metrics: Metrics | None = None
    ) -> None:
        self._budgets = budgets
        self._each = Rate(each_caller, each_caller)
        self._patience = patience
        self._metrics = metrics or Metrics()
        self._waits = {urgency: self._metrics.turns.labels(urgency.name.lower()) for urgency in Urgency}
        self._turns = FairTurns()
        self._due: dict[str, float] = {}  # when each caller may have its next turn
        self._closed: dict[str, float] = {}  # until when each lane has none
        self._all_closed = _NEVER  # until when the account has none: then the first call of any lane is meant
        self._under_way = 0
        self._own = Counter[str]()
        self._news = asyncio.Event()  # a call came, ended or left
        self._pump: asyncio.Task[None] | None = None
        self._soonest = 0.0

    @property
    def waiting(self) -> int:
        return len(self._turns)

    def turn(self, endpoint: str, urgency: Urgency, *, refusable: bool = True) -> "_Held":
        """Wait for a turn at this endpoint and hold one of the places for calls under way.

        The turn is that of the party of the context, or of its caller. Raises StripeRateLimited if it is `refusable`
        and would come too late; what is not refusable waits however long that takes.
        """
        return _Held(partial(self._take_turn, endpoint, urgency, refusable=refusable), self._end)

    async def _take_turn(self, endpoint: str, urgency: Urgency, *, refusable: bool) -> str:
        asked, party = self._now(), context.party.get() or Party(context.caller.get())
        try:
            with tracing.span("wait for Stripe's rate") as span:
                span.set("sidecar.urgency", urgency.name.lower())
                caller = await self._have_turn(endpoint, urgency, party, refusable=refusable)
        except StripeRateLimited:
            self._metrics.refused.inc()
            raise
        granted = self._now()
        party.begin(granted)
        self._waits[urgency].observe(granted - asked)
        return caller

    async def pause(self, endpoint: str | None, seconds: float) -> None:
        """Let no call have its turn for so long, at one endpoint or, with None, at all of them."""
        await self._budgets.pause(endpoint, seconds)

    async def _have_turn(self, endpoint: str, urgency: Urgency, party: Party, *, refusable: bool) -> str:
        """Give the caller whose turn it was."""
        ready = partial(self._first_ready, party, endpoint, urgency)
        if not self._turns and ready() is not None and await self._take(endpoint):
            if (caller := ready()) is not None:
                self._begin(caller)
                return caller
            self._grant(endpoint)  # others had the last places meanwhile
        if refusable:
            self._require_in_time(endpoint, party)
        return await self._wait(_Turn(endpoint, urgency), party, self._patience if refusable else None)

    def _first_ready(self, party: Party, lane: str, urgency: Urgency) -> str | None:
        return next((caller for caller in tuple(party.callers) if self._ready(caller, lane, urgency)), None)

    async def _take(self, lane: str) -> bool:
        """Take a turn, or note until when there is none."""
        wait = await self._budgets.take(lane)
        now = self._now()
        self._all_closed, self._closed[lane] = now + wait.account, now + wait.endpoint
        return wait == NONE

    def _require_in_time(self, endpoint: str, party: Party) -> None:
        ahead, in_all = (self._turns.ahead(party.callers, lane) for lane in (endpoint, None))
        own = min((self._own_wait(caller) for caller in party.callers), default=0.0)
        expected = max(own, self._budgets.expected(endpoint, ahead, in_all))
        if expected > self._patience:
            raise _too_much(expected)

    def _own_wait(self, caller: str) -> float:
        """Give the seconds until the caller's own budget lets another of its calls go."""
        return self._due.get(caller, _NEVER) - self._now() + self._turns.waiting(caller, None) * self._each.gap

    async def _wait(self, turn: _Turn, party: Party, patience: float | None) -> str:
        self._turns.add(turn, party.callers)
        party.wait()
        self._look()
        granted: str | None = None
        try:
            with party.watched(partial(self._follow, turn, party)):
                async with asyncio.timeout(patience):
                    granted = await turn.granted
        except TimeoutError:
            raise _too_much(self._patience) from None
        finally:
            if granted is None:
                self._leave(turn)
        return granted

    def _follow(self, turn: _Turn, party: Party) -> None:
        """Move a waiting call to the lines of its present callers, unless its turn was granted just now."""
        if not turn.dropped:
            self._turns.move(turn, party.callers)
            self._news.set()

    def _leave(self, turn: _Turn) -> None:
        """Let the others go on without a call that gives up; a turn granted at this very moment goes to the next."""
        if not turn.granted.done() or turn.granted.cancelled():
            self._drop(turn)
            self._news.set()
        else:
            self._end(turn.granted.result())
            self._grant(turn.lane)

    def _look(self) -> None:
        """Have the lines looked at; the task that does so ends with the last call that waits."""
        self._news.set()
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        while self._turns:
            self._news.clear()
            await self._serve_all()
            wait = None if self._soonest == float("inf") else max(0.0, self._soonest - self._now())
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._news.wait()

    async def _serve_all(self) -> None:
        """Let everybody go for whom there is a turn now, and note when there will be another."""
        while True:
            self._soonest = float("inf")
            found = self._turns.next(self._ready)
            if found is None:
                return
            if await self._take(found[0].lane):
                self._grant(found[0].lane)

    def _grant(self, lane: str) -> None:
        """Give a turn that was taken to the call that is first now: the lines may have changed meanwhile.

        Where nobody can use it any more it goes back.
        """
        while True:
            found = self._turns.next(self._ready, lane)
            if found is None:
                self._budgets.give_back(lane)
                return
            turn, caller = found
            assert isinstance(turn, _Turn)  # noqa: S101 - only these are added
            self._drop(turn)
            if not turn.granted.cancelled():
                self._begin(caller)
                turn.granted.set_result(caller)
                return

    def _drop(self, turn: _Turn) -> None:
        if not turn.dropped:
            turn.dropped = True
            self._turns.remove(turn)

    def _end(self, caller: str) -> None:
        self._under_way -= 1
        self._own[caller] -= 1
        if self._own[caller] == 0:
            del self._own[caller]
        self._news.set()

    def _begin(self, caller: str) -> None:
        self._under_way += 1
        self._own[caller] += 1
        self._turns.count_turn(caller)
        now = self._now()
        self._due[caller] = self._each.after(self._due.get(caller, _NEVER), now)
        if len(self._due) > _CALLERS:
            self._due = {name: due for name, due in self._due.items() if due > now}

    def _ready(self, caller: str, lane: str, urgency: Urgency) -> bool:
        """Say whether a call may go now, as far as is known here; if only time is missing, note until when."""
        if not self._has_place(caller, urgency):
            return False
        due = max(self._all_closed, self._closed.get(lane, _NEVER), self._due.get(caller, _NEVER))
        if due <= self._now():
            return True
        self._soonest = min(self._soonest, due)
        return False

    def _has_place(self, caller: str, urgency: Urgency) -> bool:
        """Leave as many places free as the caller has: n callers whose calls are slow get 1/(n + 1) each."""
        own = self._own[caller]
        return 2 * own < _UNDER_WAY[urgency] - (self._under_way - own)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _too_much(wait: float) -> StripeRateLimited:
    return StripeRateLimited(
        "Too much is asked of Stripe at the moment. Try again a little later.", retry_after=max(1, round(wait))
    )
