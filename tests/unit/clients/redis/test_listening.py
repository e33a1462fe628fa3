"""When a feed that begins or ends costs what replicas share: only if nobody else heard Directus meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sidecar.clients.redis.listening import Listening
from sidecar.clients.redis.news import Entry, NewsReader
from sidecar.clients.redis.replicas import Replicas
from sidecar.metrics import Metrics
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.redis.replica import SPACE, START

LONG = 10.0  # seconds in which whatever is going to happen has happened


async def nothing(_stream: str, _after: bytes) -> list[Entry]:
    return []


@dataclass
class Replica:
    """`ended` counts how often it ended what is shared."""

    redis: RedisMemory
    connected: bool = False
    ended: int = 0
    signs: asyncio.Task[None] | None = field(default=None)

    def __post_init__(self) -> None:
        self.replicas = Replicas(self.redis, SPACE, NewsReader(nothing, SPACE), expected=1, metrics=Metrics())
        self.replicas.feed = lambda: self.connected
        self.listening = Listening(self.redis, SPACE, self.replicas.id, self.end)
        self.replicas.uncounted = lambda: self.listening.change(connected=True)
        self.signs = asyncio.create_task(self.replicas.run())

    def end(self) -> None:
        self.ended += 1

    def feed(self, *, connected: bool) -> None:
        self.connected = connected
        self.listening.change(connected=connected)

    def die(self) -> None:
        assert self.signs is not None
        self.signs.cancel()


@asynccontextmanager
async def replicas(count: int) -> AsyncIterator[tuple[RedisMemory, list[Replica]]]:
    loop = asyncio.get_running_loop()
    redis = RedisMemory(lambda: START + loop.time())
    made = [Replica(redis) for _ in range(count)]
    yield redis, made
    for replica in made:
        replica.die()
        await replica.listening.close()


async def listening(count: int, happens: Callable[[RedisMemory, list[Replica]], Coroutine[None, None, None]]) -> int:
    """Give how often what is shared was ended by what happens to replicas whose feeds are all connected."""
    async with replicas(count) as (redis, made):
        for replica in made:
            replica.feed(connected=True)
            await asyncio.sleep(LONG)
        before = sum(replica.ended for replica in made)
        await happens(redis, made)
        await asyncio.sleep(LONG)
        return sum(replica.ended for replica in made) - before


@in_virtual_time
async def test_the_first_feed_ends_what_is_shared() -> None:
    """Before the first feed nobody heard changes, so what is shared may be outdated; later feeds cost nothing."""
    async with replicas(3) as (_, made):
        for replica in made:
            replica.feed(connected=True)
            await asyncio.sleep(LONG)

        assert [replica.ended for replica in made] == [1, 0, 0]


@in_virtual_time
async def test_a_feed_that_is_lost() -> None:
    """A feed that is lost may have been dead for a while, so it ends what is shared; its return ends nothing."""

    async def happens(_redis: RedisMemory, made: list[Replica]) -> None:
        made[0].feed(connected=False)
        await asyncio.sleep(LONG)
        made[0].feed(connected=True)

    assert await listening(2, happens) == 1


@in_virtual_time
async def test_a_feed_that_began_beside_a_dead_one() -> None:
    """What a feed missed that was dead when another began is ended too, once its death is noticed."""

    async def happens(redis: RedisMemory, made: list[Replica]) -> None:
        made.append(Replica(redis))
        made[-1].feed(connected=True)
        await asyncio.sleep(LONG)
        made[0].feed(connected=False)

    assert await listening(1, happens) == 1


@in_virtual_time
async def test_all_feeds_are_lost() -> None:
    """If Directus restarts, each lost feed ends what is shared, and so does the first that is back."""

    async def happens(_redis: RedisMemory, made: list[Replica]) -> None:
        for connected in (False, True):
            for replica in made:
                replica.feed(connected=connected)
            await asyncio.sleep(LONG)

    assert await listening(3, happens) == 3 + 1


@in_virtual_time
async def test_all_feeds_are_back_at_once() -> None:
    """Feeds that begin at one moment do not take each other for one that heard what happened before."""

    async def happens(_redis: RedisMemory, made: list[Replica]) -> None:
        for replica in made:
            replica.feed(connected=False)
        await asyncio.sleep(LONG)
        lost = sum(replica.ended for replica in made)
        for replica in made:
            replica.feed(connected=True)
            await replica.replicas.sign()
        await asyncio.sleep(LONG)
        assert sum(replica.ended for replica in made) == lost + 1

    await listening(3, happens)


@in_virtual_time
async def test_a_replica_that_stood_still() -> None:
    """A replica that gave no sign for a while, and so counts as gone, joins anew; alone it ends what is shared."""

    async def happens(_redis: RedisMemory, made: list[Replica]) -> None:
        made[0].die()
        await asyncio.sleep(LONG)
        await made[1].replicas.sign() if len(made) > 1 else None
        made[0].signs = asyncio.create_task(made[0].replicas.run())

    assert await listening(1, happens) == 0
    assert await listening(2, happens) == 0


@in_virtual_time
async def test_a_feed_of_a_dead_replica_does_not_count() -> None:
    """A replica that was killed was alive a moment ago, but hears nothing any more: who begins now notices."""

    async def happens(redis: RedisMemory, made: list[Replica]) -> None:
        made[0].die()
        made.append(Replica(redis))
        made[-1].feed(connected=True)

    assert await listening(1, happens) == 1


@in_virtual_time
async def test_without_redis_nobody_else_is_known() -> None:
    """While Redis is away a feed that begins or ends is told as a change, as soon as there is somebody to tell."""

    async def happens(redis: RedisMemory, made: list[Replica]) -> None:
        redis.up = False
        made[0].feed(connected=False)
        await asyncio.sleep(1)
        made[0].feed(connected=True)

    assert await listening(2, happens) == 2
