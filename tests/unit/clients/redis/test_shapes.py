"""Shapes of lists in Redis: what another replica uses, what it does not, and that nobody waits long."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from sidecar.clients.lists.account import AccountLists
from sidecar.clients.lists.shapes import LIFE, MOST_BYTES, ListName, Shape
from sidecar.clients.lists.shared import SharedStreams
from sidecar.clients.redis.commands import Argument, Redis
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.scripts import Script
from sidecar.clients.redis.shapes import LOOK, SharedShapes
from sidecar.core.operations.list_query import ListQuery
from sidecar.core.views import OneView, View
from sidecar.web.answers.rendering import Rendering
from tests.doubles.redis.distant import DistantRedis
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.paged_account import Account, in_time_order, times

SECRET = "the-secret-that-replicas-share-is-long"
SPACE = Space.of(SECRET, "shapes", "rk_live_hush")
NAME: ListName = ("/v1/payment_intents", "", "", "customer", "cus_hush")
SHAPE = Shape(((1_700_000_500, 100), (1_700_000_020, 150)))
ALL = Rendering(OneView(View(everything=True)))


def memory() -> RedisMemory:
    return RedisMemory(lambda: asyncio.get_running_loop().time())


def shapes(redis: Redis, space: Space = SPACE) -> SharedShapes:
    return SharedShapes(redis, space)


async def keep(redis: Redis, name: ListName = NAME, shape: Shape = SHAPE, space: Space = SPACE) -> None:
    replica = shapes(redis, space)
    replica.keep(name, shape)
    await replica.aclose()


@in_virtual_time
async def test_another_replica_finds_it() -> None:
    """What one replica keeps is known to it at once, and another one finds it."""
    redis = memory()
    first, second = shapes(redis), shapes(redis)

    first.keep(NAME, SHAPE)
    await first.aclose()

    assert (first.known(NAME), second.known(NAME)) == (SHAPE, None)
    assert await second.find(NAME) == SHAPE


@in_virtual_time
async def test_first_list_of_the_second_replica() -> None:
    """A second replica's first list is cut by the shape that the first replica's list left."""
    redis = memory()
    asked: list[int] = []
    rounds: list[float] = []

    for _ in range(2):
        account, replica = Account(in_time_order(times("even", 10_000, 1))), shapes(redis)
        lists = AccountLists(account, 6, SharedStreams(), account, replica)
        began = asyncio.get_running_loop().time()
        found = [name async for page in lists.whole("/v1/payment_intents", {}, ListQuery(), ALL) for name in page.ids]
        rounds.append(asyncio.get_running_loop().time() - began)
        asked.append(account.asked)
        await replica.aclose()
        assert len(found) == 10_000

    assert rounds[1] <= 19.5 < rounds[0]
    assert asked[1] <= asked[0]


@in_virtual_time
async def test_what_stands_there_tells_nothing() -> None:
    """Neither paths nor filters nor numbers stand in Redis in a readable form, and it is gone after its life."""
    redis = memory()

    await keep(redis)

    [(key, stored)] = redis.keys.items()
    for word in (b"payment", b"cus_hush", b"1700000500", b"150"):
        assert word not in key
        assert word not in stored.text
    assert stored.until == pytest.approx(LIFE)
    await asyncio.sleep(LIFE + 1)
    assert await shapes(redis).find(NAME) is None


@in_virtual_time
async def test_how_many_are_kept() -> None:
    """Shapes have a bounded number of places; of two lists with one place only the last one's shape is found."""
    redis = memory()
    names = [(str(number),) for number in range(3_000)]

    for name in names:
        await keep(redis, name, SHAPE)

    assert len(redis.keys) <= 1_024
    replica = shapes(redis)
    found = [await replica.find(name) for name in names]
    assert set(found) == {SHAPE, None}
    assert sum(shape is not None for shape in found) == len(redis.keys)


@pytest.mark.parametrize("value", [b"", b"x", b"[[1,100]]", b"x" * 100_000, [b"x"], "another", "moved"], ids=repr)
@in_virtual_time
async def test_what_was_written_by_others(value: bytes | list[bytes] | str) -> None:
    """What is unreadable, too long, of another secret or of another list counts as no shape, and is replaced."""
    redis = memory()
    await keep(redis)
    [name] = redis.keys
    if value == "another":
        await keep(redis, space=Space.of("another-secret-that-is-as-long-as-that", "shapes", "rk_live_hush"))
        redis.put(name.decode(), next(stored.value for key, stored in redis.keys.items() if key != name))
    elif value == "moved":
        await keep(redis, ("another list",))
        redis.put(name.decode(), next(stored.value for key, stored in redis.keys.items() if key != name))
    else:
        redis.put(name.decode(), value)

    assert await shapes(redis).find(NAME) is None
    await keep(redis)
    assert await shapes(redis).find(NAME) == SHAPE


@in_virtual_time
async def test_what_is_too_long_is_not_sent() -> None:
    """Redis does not send what is longer than any shape, so nobody who writes there makes replicas read it."""
    redis = memory()
    redis.put("sidecar:{tag}:place", b"x" * 101)

    assert await redis.run(LOOK, ("sidecar:{tag}:place",), (101,)) == b"x" * 101
    assert await redis.run(LOOK, ("sidecar:{tag}:place",), (100,)) is None


@in_virtual_time
async def test_sealed_nonsense() -> None:
    """Even what is sealed with the secret is read as strictly as anything else."""
    redis = memory()
    await keep(redis)
    [name] = redis.keys
    own = SPACE.name("shape", *NAME)

    for content in (b"[[1,2],[2,1]]", b" " * MOST_BYTES + b"[[1,2]]", b"{}"):
        redis.put(name.decode(), SPACE.close(own, content))

        assert await shapes(redis).find(NAME) is None


@in_virtual_time
async def test_the_longest_shape() -> None:
    """The longest shape that a list can leave is found."""
    redis = memory()
    longest = Shape(tuple((10**12 - number, 10**9 - 200 + number) for number in range(1, 201)))

    await keep(redis, shape=longest)

    assert await shapes(redis).find(NAME) == longest


@in_virtual_time
async def test_redis_is_away() -> None:
    """While Redis is away nothing is found, nothing is raised, and a replica still knows what it read itself."""
    redis = memory()
    redis.up = False
    replica = shapes(redis)

    replica.keep(NAME, SHAPE)
    await replica.aclose()

    assert replica.known(NAME) == SHAPE
    assert await shapes(redis).find(NAME) is None


@in_virtual_time
async def test_redis_is_silent() -> None:
    """A list waits for a silent Redis as long as for a batch, and keeps its shape without waiting."""

    class Silent:
        async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> object:  # noqa: ARG002 - the interface's
            await asyncio.sleep(1_000)
            return None

    replica = shapes(Silent())
    replica.keep(NAME, SHAPE)

    assert await shapes(Silent()).find(NAME) is None
    assert asyncio.get_running_loop().time() == pytest.approx(0.05)
    await replica.aclose()


@in_virtual_time
async def test_one_look_for_a_list() -> None:
    """A list of one page asks Redis nothing, a longer one once, and keeps its shape once."""
    redis = DistantRedis(memory(), itertools.repeat(0.001).__next__)
    replica = shapes(redis)

    for number, runs in ((80, 0), (250, 2)):
        account = Account(in_time_order(times("even", number, 1)))
        lists = AccountLists(account, 6, SharedStreams(), account, replica)
        assert len([page async for page in lists.whole("/v1/customers", {}, ListQuery(), ALL)]) == -(-number // 100)
        await replica.aclose()

        assert len(redis.runs) == runs
