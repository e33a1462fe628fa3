"""Shared budgets for tests, and Redis as they must be able to meet it: far away, or saying anything."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sidecar.clients.redis.budgets import SharedBudgets
from sidecar.clients.redis.commands import Argument, Away, Redis, Reply
from sidecar.clients.redis.names import Names
from sidecar.clients.redis.scripts import Script
from sidecar.clients.stripe.budgets import Budgets
from sidecar.metrics import Metrics

PAGES, CHANGES = "GET /v1/customers", "POST /v1/customers"
KEY = "rk_live_hush"
NAMES = Names.of("the-secret-that-replicas-share-is-long", "budgets", KEY)


def shared(
    redis: Redis,
    account: float = 1e5,
    each_endpoint: float = 1e5,
    *,
    replicas: Callable[[], int] = lambda: 3,
    metrics: Metrics | None = None,
) -> SharedBudgets:
    """Make one replica's budgets, in calls a second, which limit nothing unless a rate is given."""
    return SharedBudgets(redis, NAMES, account, each_endpoint, replicas=replicas, metrics=metrics)


async def turn(budgets: Budgets, endpoint: str = PAGES) -> float:
    """Take a turn; give the seconds to wait, which are 0 if there was one."""
    return max(await budgets.take(endpoint))


@dataclass
class Distant:
    """Another Redis whose answers take up to so many seconds; `up` false, and it is away."""

    redis: Redis
    seconds: float = 0.003
    up: bool = True
    rng: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - repeatable, not secret
    asked: list[tuple[Script, Sequence[str], Sequence[Argument]]] = field(default_factory=list)

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Reply:
        self.asked.append((script, keys, arguments))
        if not self.up:
            raise Away("not up")
        await self._travel()
        reply = await self.redis.run(script, keys, arguments)
        await self._travel()
        return reply

    async def _travel(self) -> None:
        await asyncio.sleep(self.seconds / 2 * self.rng.uniform(0.3, 1))


@dataclass
class Saying:
    """Answers everything with one reply."""

    reply: Reply

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Reply:  # noqa: ARG002 - the interface's
        return self.reply
