"""Callers of several habits before the governor, and a Stripe that counts and refuses; nothing is sent.

Seconds are the virtual loop's. What is left to chance is drawn from a seed, so a run can be repeated.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sidecar import context
from sidecar.clients.stripe.budgets import LocalBudgets
from sidecar.clients.stripe.governor import Governor
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeRateLimited

ENDPOINTS = ("GET /v1/customers", "GET /v1/payment_intents", "POST /v1/setup_intents")


@dataclass(frozen=True, slots=True)
class Setting:
    """`latency` of Stripe and `patience` are in seconds, the others in calls a second."""

    account: float = 80
    each_endpoint: float = 20
    each_caller: float = 40
    patience: float = 25
    latency: float = 0.06
    refused: float = 0.0  # the share of calls that Stripe answers with a 429, about the account or the endpoint
    seconds: float = 60


@dataclass(slots=True)
class Outcome:
    """What happened to the calls: (time, endpoint, caller) of each that was sent, waits, and the refused."""

    sent: list[tuple[float, str, str]] = field(default_factory=list)
    waits: dict[str, list[float]] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    left_over: int = 0  # calls that still waited at the end, when nobody asked any more

    def most_in_a_second(self, endpoint: str | None = None, caller: str | None = None) -> int:
        times = [at for at, where, who in self.sent if endpoint in (None, where) and caller in (None, who)]
        most, first = 0, 0
        for index, at in enumerate(times):
            while at - times[first] >= 1:
                first += 1
            most = max(most, index - first + 1)
        return most

    def calls_of(self, callers: Iterable[str]) -> list[int]:
        counts = Counter(who for _, _, who in self.sent)
        return [counts[caller] for caller in callers]

    def worst_wait(self, callers: Iterable[str]) -> float:
        return max((wait for caller in callers for wait in self.waits.get(caller, [])), default=0.0)


def fairness(shares: Sequence[float]) -> float:
    """Jain's index: 1 where all have the same, 1/n where one has everything."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


class Habit(Protocol):
    """What one caller does for the whole time."""

    async def __call__(self, world: "World", name: str) -> None: ...


@dataclass(slots=True)
class World:
    setting: Setting
    governor: Governor
    rng: random.Random
    outcome: Outcome = field(default_factory=Outcome)

    async def call(self, caller: str, endpoint: str, urgency: Urgency) -> None:
        """Make one call; it may be refused by the governor, or cut off by its client."""
        context.caller.set(caller)
        asked = asyncio.get_running_loop().time()
        try:
            async with self.governor.turn(endpoint, urgency):
                now = asyncio.get_running_loop().time()
                self.outcome.sent.append((now, endpoint, caller))
                self.outcome.waits.setdefault(caller, []).append(now - asked)
                await asyncio.sleep(self.setting.latency)
                if self.rng.random() < self.setting.refused:
                    await self.governor.pause(self.rng.choice((None, endpoint)), self.rng.uniform(0.2, 1))
        except StripeRateLimited:
            self.outcome.refusals[caller] += 1
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.outcome.gone[caller] += 1
            raise


@dataclass(frozen=True, slots=True)
class Steady:
    """Asks one thing after the other, with a pause of `thinking` seconds on average between them."""

    endpoint: str = ENDPOINTS[0]
    urgency: Urgency = Urgency.PAGE
    thinking: float = 0.0

    async def __call__(self, world: World, name: str) -> None:
        while True:
            await world.call(name, self.endpoint, self.urgency)
            if self.thinking:
                await asyncio.sleep(world.rng.expovariate(1 / self.thinking))
            else:
                await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Greedy:
    """Keeps so many calls waiting, for ever."""

    calls: int
    endpoint: str = ENDPOINTS[0]
    urgency: Urgency = Urgency.PAGE

    async def __call__(self, world: World, name: str) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self.calls):
                group.create_task(Steady(self.endpoint, self.urgency)(world, name))


@dataclass(frozen=True, slots=True)
class Leaving:
    """Asks so many things at once and leaves a moment later, again and again."""

    calls: int
    stays: float = 0.002
    endpoint: str = ENDPOINTS[0]

    async def __call__(self, world: World, name: str) -> None:
        while True:
            calls = [asyncio.ensure_future(world.call(name, self.endpoint, Urgency.PAGE)) for _ in range(self.calls)]
            try:
                await asyncio.sleep(self.stays)
            finally:
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
            await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Bursts:
    """Asks so many things at once, waits for all of them, and rests for so long."""

    calls: int
    rest: float
    urgency: Urgency = Urgency.PAGE

    async def __call__(self, world: World, name: str) -> None:
        while True:
            await asyncio.sleep(world.rng.uniform(0, self.rest))
            await asyncio.gather(
                *(world.call(name, world.rng.choice(ENDPOINTS), self.urgency) for _ in range(self.calls))
            )


async def simulate(setting: Setting, callers: dict[str, Habit], seed: int = 1) -> Outcome:
    """Let the callers do what they do for the setting's seconds; needs a loop in virtual time."""
    budgets = LocalBudgets(setting.account, setting.each_endpoint)
    governor = Governor(budgets, each_caller=setting.each_caller, patience=setting.patience)
    world = World(setting, governor, random.Random(seed))  # noqa: S311 - repeatable, not secret
    tasks = [asyncio.ensure_future(habit(world, name)) for name, habit in callers.items()]
    await asyncio.sleep(setting.seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    world.outcome.left_over = governor.waiting
    return world.outcome
