"""Stripe's budgets on real servers: shared, away and back, in a cluster, and in whole replicas."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import pytest

from sidecar.clients.redis.budgets import SharedBudgets
from sidecar.clients.redis.commands import Commands, Redis
from sidecar.clients.redis.names import Names
from sidecar.clients.stripe.budgets import NONE
from tests.doubles.process import ROOT
from tests.doubles.redis.cluster import RedisCluster
from tests.doubles.redis.patient import patient_redis
from tests.doubles.redis.server import RedisServer
from tests.doubles.running_app import CLERK
from tests.doubles.waiting import eventually
from tests.integration.redis.replica_parts import commands_to
from tests.integration.redis.rig import Rig

PAGES, CHANGES = "GET /v1/customers", "POST /v1/customers"
SLOW = 0.01  # calls a second: none comes by itself while a test runs


def budgets(redis: Redis, rate: float = SLOW) -> SharedBudgets:
    return SharedBudgets(redis, Names.of("secret", "budgets", "key"), rate, rate, replicas=lambda: 2)


async def is_shared(redis: Redis) -> bool:
    """Tell whether a turn that one replica takes is missing at another."""
    await budgets(redis).take(PAGES)
    return await budgets(redis).take(PAGES) != NONE


async def is_left_alone(commands: Commands) -> bool:
    """Tell, after another question, whether Redis is not asked any more."""
    await budgets(commands).take(PAGES)
    return not commands.up


async def _freeze(server: RedisServer) -> None:
    server.freeze()


async def _kill(server: RedisServer) -> None:
    server.kill()


async def _resume(server: RedisServer) -> None:
    server.resume()


GONE: dict[str, tuple[Callable[[RedisServer], Awaitable[object]], Callable[[RedisServer], Awaitable[object]]]] = {
    "frozen": (_freeze, _resume),
    "killed": (_kill, RedisServer.start),
}


@pytest.mark.parametrize("way", GONE)
async def test_away_and_back(redis_server: RedisServer, way: str) -> None:
    """U5: while Redis is away a replica has its part of the turns, and when it is back all share again."""
    go, come = GONE[way]
    async with commands_to(redis_server.url) as commands:
        await eventually(lambda: is_shared(commands))
        await go(redis_server)
        away = budgets(commands)

        assert await away.take(PAGES) == NONE
        assert await away.take(PAGES) != NONE
        assert 1 / SLOW < away.expected(PAGES, 0, 0) <= 2 / SLOW

        await eventually(lambda: is_left_alone(commands))
        assert await budgets(commands).take(CHANGES) == NONE
        await come(redis_server)
        await eventually(lambda: is_shared(commands))


@pytest.mark.parametrize("words", [("SCRIPT", "FLUSH"), ("FLUSHALL",)])
async def test_lost(redis_server: RedisServer, words: tuple[str, ...]) -> None:
    """A Redis that has lost its scripts, or everything, counts on."""
    async with commands_to(redis_server.url) as commands:
        await eventually(lambda: is_shared(commands))

        await redis_server.cli(*words)

        await eventually(lambda: is_shared(commands))


async def test_in_a_cluster(redis_cluster: RedisCluster) -> None:
    """All keys of a script are on one node, whatever the endpoint; pauses and turns that go back too."""
    async with patient_redis(redis_cluster.url) as redis:
        for endpoint in (PAGES, CHANGES):
            here, there = budgets(redis, 10), budgets(redis, 10)
            while await here.take(endpoint) == NONE:
                pass

            assert await there.take(endpoint) != NONE

            here.give_back(endpoint)
            await here.pause(endpoint, 9)
            assert 1 < max(await there.take(endpoint)) <= 9.2


async def test_whole_replicas(rig: Rig, redis_server: RedisServer) -> None:
    """F3: the turn at an endpoint that one replica had is missing at the other, whose caller hears so at once."""
    slow = {"STRIPE_MAX_RPS": str(SLOW), "STRIPE_TIMEOUT": "20"}
    here, there = await rig.open(2, redis_server.url, slow)
    targets = ["/stripe/payments?limit=1", "/stripe/customers/cus_none"]

    found = [((await here.call(CLERK, target)).status, (await there.call(CLERK, target)).status) for target in targets]

    # Where a busy machine kept Redis's answer for more than 50 ms, each replica had its own part.
    assert {second for _, second in found} & {429}
    assert not {first for first, _ in found} & {429}


async def test_the_simulation() -> None:
    """`python -m tests.traffic.replicas` prints what replicas got."""
    words = ("-m", "tests.traffic.replicas", "--seconds", "2", "--readers", "5")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)

    printed, _ = await process.communicate()

    assert printed.startswith(b"3 replicas, 2 s: ")
