"""`python -m tests.traffic.replicas`: several replicas' governors on one real Redis, and a Stripe that counts.

Each replica asks for whole lists without end, and now and then for a change. Real time, so a busy machine shows.
"""

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from sidecar import context
from sidecar.clients.redis.budgets import SharedBudgets
from sidecar.clients.redis.commands import connected
from sidecar.clients.redis.connection import open_client
from sidecar.clients.redis.names import Names
from sidecar.clients.stripe.governor import Governor
from sidecar.core.urgency import Urgency
from sidecar.settings.redis_address import redis_address
from tests.doubles.redis.server import RedisServer, redis_server_with

LIST, CHANGE = "GET /v1/customers", "POST /v1/customers"
_LATENCY = 0.06  # seconds of Stripe
_RATE = 20


@dataclass(slots=True)
class Counted:
    """When Stripe got each call and from which replica, and how long changes waited."""

    sent: list[tuple[float, int]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def most_in_a_second(self) -> int:
        times = sorted(at for at, _ in self.sent)
        most, first = 0, 0
        for index, at in enumerate(times):
            while at - times[first] >= 1:
                first += 1
            most = max(most, index - first + 1)
        return most


@asynccontextmanager
async def replica(server: RedisServer, number: int) -> AsyncIterator[Governor]:
    """Open one replica's governor of a test account, whose calls share one budget of 20 a second."""
    async with connected(open_client(redis_address(server.url))) as commands:
        names = Names.of("secret", "budgets", "key")
        budgets = SharedBudgets(commands, names, _RATE, _RATE, replicas=lambda: number)
        yield Governor(budgets, each_caller=1e6, patience=1e6)


async def call(governor: Governor, its: int, counted: Counted, endpoint: str, urgency: Urgency) -> None:
    loop = asyncio.get_running_loop()
    asked = loop.time()
    async with governor.turn(endpoint, urgency):
        counted.sent.append((loop.time(), its))
        if urgency is Urgency.CALL:
            counted.waits.append(loop.time() - asked)
        await asyncio.sleep(_LATENCY)


async def lists(governor: Governor, its: int, counted: Counted) -> None:
    context.caller.set(f"reader {its}")
    while True:
        await call(governor, its, counted, LIST, Urgency.LIST)


async def changes(governor: Governor, its: int, counted: Counted) -> None:
    context.caller.set(f"clerk {its}")
    while True:
        await asyncio.sleep(random.uniform(0.2, 1.2))  # noqa: S311 - not secret
        await call(governor, its, counted, CHANGE, Urgency.CALL)


async def crowd(governors: Sequence[Governor], seconds: float, readers: int) -> Counted:
    counted = Counted()
    tasks = [
        asyncio.create_task(habit(governor, its, counted))
        for its, governor in enumerate(governors)
        for habit in [changes, *[lists] * readers]
    ]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return counted


async def main(replicas: int, seconds: float, readers: int) -> None:
    async with redis_server_with() as server, AsyncExitStack() as exits:
        governors = [await exits.enter_async_context(replica(server, replicas)) for _ in range(replicas)]
        counted = await crowd(governors, seconds, readers)
        scripts = await server.cli("INFO", "commandstats")
    polls = next(line for line in scripts.splitlines() if "evalsha" in line).split("calls=")[1].split(",")[0]
    began, ended = min(counted.sent)[0], max(counted.sent)[0]
    waits = sorted(counted.waits)
    print(
        f"{replicas} replicas, {seconds:g} s: {(len(counted.sent) - 1) / (ended - began):.2f}/s, "
        f"most in a second {counted.most_in_a_second()}, "
        f"changes {len(waits)}, worst {waits[-1]:.2f} s, median {waits[len(waits) // 2]:.2f} s, "
        f"of each replica {sorted(Counter(its for _, its in counted.sent).values())}, "
        f"{int(polls) / len(counted.sent):.2f} scripts a call"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--readers", type=int, default=300)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.replicas, arguments.seconds, arguments.readers))
