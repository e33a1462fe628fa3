"""What a replica tells the others, and what it owes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sidecar.clients.redis.announcements import Announcements
from sidecar.clients.redis.names import Space
from tests.doubles.redis.distant import DistantRedis
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.redis.replica import SPACE, START

LATENCY = 0.01  # seconds, each way
LONG = 10.0  # seconds in which whatever is owed is told
OTHER = Space.of("the-secret-that-replaces-the-first-one", "permissions", "http://directus", "customers")


def told(redis: DistantRedis, space: Space = SPACE) -> int:
    """Count the entries of the stream."""
    return len(redis.memory.after(space.name("news"), b"0-0"))


@asynccontextmanager
async def announcements(*spaces: Space) -> AsyncIterator[tuple[DistantRedis, Announcements]]:
    async def passed(_entry: bytes) -> None: ...

    loop = asyncio.get_running_loop()
    redis = DistantRedis(RedisMemory(lambda: START + loop.time()), lambda: LATENCY)
    made = Announcements(redis, spaces or [SPACE], passed)
    yield redis, made
    await made.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("up", [True, False])
@in_virtual_time
async def test_who_tells_of_a_logout_may_leave(*, up: bool) -> None:
    """A logout is told although its request ends before Redis answers, or while it is away; then looks go on."""
    async with announcements() as (redis, replica):
        redis.memory.up = up
        telling = asyncio.ensure_future(replica.log_out([b"token"]))
        await asyncio.sleep(LATENCY / 2)

        telling.cancel()
        await asyncio.sleep(LONG)
        redis.memory.up = True
        await asyncio.sleep(LONG)

        assert (telling.cancelled(), told(redis), replica.all_told) == (True, 1, True)


@in_virtual_time
async def test_what_is_owed_when_a_replica_ends() -> None:
    """A replica that ends tries once more to tell what it owes, so that others need not wait for the TTL."""
    async with announcements() as (redis, replica):
        redis.memory.up = False
        await replica.log_out([b"token"])
        redis.memory.up = True

    assert told(redis) == 1


@in_virtual_time
async def test_a_replica_that_ends_without_redis() -> None:
    """What was just begun to be told, and can be told nobody, keeps no replica from ending."""
    async with announcements() as (redis, replica):
        redis.memory.up = False
        replica.change_everybody()
        replica.change_user("anna")

    assert told(redis) == 0


@in_virtual_time
async def test_while_a_secret_is_replaced() -> None:
    """A logout is told under the names of all secrets, each time with the hash that goes with it."""
    async with announcements(SPACE, OTHER) as (redis, replica):
        await replica.log_out([b"by the first", b"by the second"])

    entries = [redis.memory.after(space.name("news"), b"0-0") for space in (SPACE, OTHER)]
    contents = [
        space.open(space.name("news"), fields[b"news"])
        for space, found in zip((SPACE, OTHER), entries, strict=True)
        for _, fields in found
    ]
    assert contents == [b"tby the first", b"tby the second"]
