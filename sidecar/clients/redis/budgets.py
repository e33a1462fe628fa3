"""Stripe's budgets for all replicas together: Redis counts their turns and pauses, and orders who waits.

Redis gives no replica more than Stripe allows one, nor delays it longer than a gap and a pause may: local budgets with
the full rates stand beside it. While Redis is away each replica has its part of the rates; all its turns and pauses
count there too, so that losing Redis gives nobody more.
"""

import asyncio
import math
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sidecar.clients.redis.background import Background
from sidecar.clients.redis.budget_scripts import GIVE_BACK, PAUSE, TAKE
from sidecar.clients.redis.commands import Away, Redis, Reply
from sidecar.clients.redis.names import Names
from sidecar.clients.stripe.budgets import BURST, LONGEST_PAUSE, NONE, LocalBudgets, Wait
from sidecar.metrics import Metrics

_SOONEST = 0.001  # seconds until the next question, even if Redis says that there might be a turn now
_ROUNDED = 0.001  # seconds, more than the script rounds up


@dataclass(frozen=True, slots=True)
class _Heard:
    """What Redis said about a limit: when it has a turn, in this process's time, and how many replicas wait for one."""

    free: float
    replicas: int


class SharedBudgets:
    """Rates are in calls a second. `replicas` says how many live, as far as is known, with Redis and without."""

    def __init__(
        self,
        redis: Redis,
        names: Names,
        account: float,
        each_endpoint: float,
        *,
        replicas: Callable[[], int],
        metrics: Metrics | None = None,
    ) -> None:
        self._redis, self._names, self._replicas = redis, names, replicas
        self._account_gap, self._gap = 1 / account, 1 / each_endpoint
        self._most = LocalBudgets(account, each_endpoint)
        self._alone = LocalBudgets(account, each_endpoint, parts=self._live)
        self._is_alone = False
        self._replica = secrets.token_hex(8)
        self._unreadable = (metrics or Metrics()).shared_errors.labels(TAKE.part)
        self._keys: dict[str | None, tuple[str, str, str]] = {}
        self._heard: dict[str | None, _Heard] = {}
        self._background = Background()

    async def take(self, endpoint: str) -> Wait:
        """If the call leaves meanwhile, its turn goes back when it comes."""
        taking = asyncio.ensure_future(self._take(endpoint))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(lambda _: self._return_unused(endpoint, taking))
            raise

    def give_back(self, endpoint: str) -> None:
        self._most.give_back(endpoint)
        self._alone.give_back(endpoint)
        if not self._is_alone:
            self._background.start(self._give_back_to_redis(endpoint))

    async def pause(self, endpoint: str | None, seconds: float) -> None:
        await self._most.pause(endpoint, seconds)
        await self._alone.pause(endpoint, seconds)
        with suppress(Away):
            await self._redis.run(PAUSE, [self._keys_of(endpoint)[1]], _microseconds(seconds, LONGEST_PAUSE))

    def expected(self, endpoint: str, ahead: int, ahead_in_all: int) -> float:
        if self._is_alone:
            return self._alone.expected(endpoint, ahead, ahead_in_all)
        here = self._expected(endpoint, ahead * self._gap)
        in_all = self._expected(None, ahead_in_all * self._account_gap)
        return max(here, in_all, self._most.expected(endpoint, ahead, ahead_in_all))

    def _expected(self, limit: str | None, seconds: float) -> float:
        """Estimate when a limit has a turn behind so many seconds of this replica's; others that wait have as many."""
        if (heard := self._heard.get(limit)) is None:
            return seconds
        competing = min(heard.replicas, self._live())
        return max(0.0, heard.free - _now()) + seconds * competing

    async def _take(self, endpoint: str) -> Wait:
        at_most = await self._most.take(endpoint)
        if at_most != NONE:
            return at_most
        wait = await self._take_shared(endpoint)
        self._is_alone = wait is None
        if wait is None:
            wait = await self._alone.take(endpoint)
        elif wait == NONE:
            self._alone.count(endpoint)
        if wait != NONE:
            self._most.give_back(endpoint)
        return wait

    async def _take_shared(self, endpoint: str) -> Wait | None:
        """Give what `take` gives, or None where there is no answer that can be used."""
        keys = (*self._keys_of(None), *self._keys_of(endpoint))
        times = _microseconds(self._account_gap, self._gap, BURST, LONGEST_PAUSE)
        try:
            reply = await self._redis.run(TAKE, keys, (*times, self._replica))
        except Away:
            return None
        try:
            return self._understood(endpoint, reply)
        except ValueError:
            self._unreadable.inc()
            return None

    def _understood(self, endpoint: str, reply: Reply) -> Wait:
        """Raises ValueError for what the script cannot have said, and for a wait because of something unreadable."""
        match reply:
            case [0 | 1 as taken, int(in_all), int(all_waiting), int(here), int(here_waiting), int(unreadable)]:
                wait = Wait(_seconds(in_all, self._account_gap), _seconds(here, self._gap))
            case _:
                raise ValueError("not what the script gives")
        if unreadable and not taken:
            raise ValueError("what stood there was replaced")
        self._unreadable.inc(unreadable)
        now = _now()
        self._heard[None] = _Heard(now + wait.account, all_waiting)
        self._heard[endpoint] = _Heard(now + wait.endpoint, here_waiting)
        if taken:
            return NONE
        return wait if max(wait) >= _SOONEST else Wait(endpoint=_SOONEST)

    async def _give_back_to_redis(self, endpoint: str) -> None:
        dues = self._keys_of(None)[0], self._keys_of(endpoint)[0]
        with suppress(Away):
            await self._redis.run(GIVE_BACK, dues, _microseconds(self._account_gap, self._gap))

    def _live(self) -> int:
        return max(1, self._replicas())

    def _return_unused(self, endpoint: str, taking: "asyncio.Task[Wait]") -> None:
        if not taking.cancelled() and taking.result() == NONE:
            self.give_back(endpoint)

    def _keys_of(self, limit: str | None) -> tuple[str, str, str]:
        """Name the three keys of a limit."""
        if limit not in self._keys:
            about = () if limit is None else (limit,)
            due, pause, line = (self._names.name(kind, *about) for kind in ("due", "pause", "line"))
            self._keys[limit] = due, pause, line
        return self._keys[limit]


def _seconds(microseconds: int, gap: float) -> float:
    """Raises ValueError for a wait that is longer than any may be."""
    seconds = microseconds / 1e6
    if not 0 <= seconds <= gap + LONGEST_PAUSE + _ROUNDED:
        raise ValueError("longer than a pause and a gap")
    return seconds


def _microseconds(*seconds: float) -> list[int]:
    return [math.ceil(value * 1e6) for value in seconds]


def _now() -> float:
    return asyncio.get_running_loop().time()
