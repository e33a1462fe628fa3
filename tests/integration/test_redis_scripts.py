"""The scripts of `clients/redis`: with the same outcome on the double in memory and on a real server."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from sidecar.clients.redis.commands import Redis, connected
from sidecar.clients.redis.connection import open_client, read_stream
from sidecar.clients.redis.listening import Listening
from sidecar.clients.redis.marks import ANNOUNCE, KEEP, LOOK
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.news import NewsReader
from sidecar.clients.redis.replicas import Replicas
from sidecar.clients.redis.scripts import Script
from sidecar.metrics import Metrics
from sidecar.settings.redis_address import redis_address
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.redis.server import redis_server_with
from tests.doubles.waiting import eventually

SPACE = Space.of("the-secret-that-replicas-share-is-long", "permissions", "here")
KEYS = [SPACE.name(kind) for kind in ("everybody", "user", "token", "answer", "question")]
STREAM = SPACE.name("news")
LIFE, HOUR = 60_000, 3_600_000_000  # ms, us
NO_ENTRY = b"0-0"
SET = Script("permissions", "redis.call('SET', KEYS[1], ARGV[1]) return 1")
HOLD = Script("permissions", "redis.call('SET', KEYS[1], 'x', unpack(ARGV)) return 1")
DELETE = Script("permissions", "return redis.call('DEL', KEYS[1])")
ADD = Script("permissions", "redis.call('DEL', KEYS[1]) return redis.call('ZADD', KEYS[1], '1', 'x')")
Entries = Sequence[tuple[bytes, Mapping[bytes, bytes]]]


@dataclass
class Both:
    """A Redis, real or not, and the scripts as the sidecar calls them; `after` gives entries of a stream."""

    redis: Redis
    after: Callable[[str, bytes], Awaitable[Entries]]
    moment: bytes = b""

    async def look(self, fresh: str, *claim: str | int) -> object:
        return await self.redis.run(LOOK, KEYS, (fresh, LIFE, *claim))

    async def claim(self, fresh: str, claimant: str = "me", least: int = 0) -> object:
        """Give what is said but for the moment of a claim, which is remembered."""
        match await self.look(fresh, claimant, LIFE, least):
            case [b"claimed", marks, bytes(moment)]:
                self.moment = moment
                return [b"claimed", marks]
            case said:
                return said

    async def keep(self, marks: bytes, value: bytes = b"value", claimant: str = "me", life: int = LIFE) -> object:
        return await self.redis.run(KEEP, KEYS, (claimant, marks, value, self.moment, life, LIFE))

    async def change(self, new: str, key: str = KEYS[0], *, prefix: str = "", window: int = 0) -> object:
        arguments = (new, LIFE, prefix, window, b"sealed", 10)
        return await self.redis.run(ANNOUNCE, (STREAM, key), arguments)

    async def kept(self) -> bytes:
        """Keep a value, and give its marks."""
        match await self.claim("a"):
            case [b"claimed", bytes(marks)]:
                assert await self.keep(marks) == 1
                return marks
            case other:
                raise AssertionError(other)

    def replicas(self) -> tuple[Replicas, NewsReader]:
        reader = NewsReader(self.after, SPACE)
        return Replicas(self.redis, SPACE, reader, expected=1, metrics=Metrics()), reader

    def listening(self, replica: str, ended: list[str]) -> Listening:
        return Listening(self.redis, SPACE, replica, lambda: ended.append(replica))


@pytest.fixture(params=["memory", pytest.param("server", marks=pytest.mark.redis)])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    """In memory each look at the clock is a millisecond after the one before."""
    if request.param == "memory":
        ticks = itertools.count(1_800_000_000_000)
        memory = RedisMemory(lambda: next(ticks) / 1000)

        async def after(stream: str, identity: bytes) -> Entries:
            return memory.after(stream, identity)

        yield Both(memory, after)
        return
    async with redis_server_with() as server, connected(open_client(redis_address(server.url))) as commands:
        yield Both(commands, partial(read_stream, commands.client))


async def test_claim(both: Both) -> None:
    """The first to claim a question gets it with new marks, and the others hear that it is asked."""
    assert await both.look("x") == [b"unknown"]
    assert await both.claim("a") == [b"claimed", b"x|x|x|"]
    assert await both.claim("b", "other") == [b"asked"]
    assert await both.look("c") == [b"unknown"]


async def test_keep(both: Both) -> None:
    """What is kept is known with its marks and its life, and ends the claim."""
    await both.kept()

    match await both.look("b"):
        case [b"known", b"a|a|a|", b"value", int(left)]:
            assert 0 < left <= LIFE
        case other:
            raise AssertionError(other)
    assert await both.claim("c", least=LIFE) == [b"claimed", b"a|a|a|"]


async def test_a_claim_without_an_answer(both: Both) -> None:
    """An empty value ends the claim and keeps nothing."""
    await both.claim("a")

    assert await both.keep(b"a|a|a|", b"") == 0

    assert await both.claim("b", "other") == [b"claimed", b"a|a|a|"]


async def test_a_claim_of_another(both: Both) -> None:
    """Who keeps an answer late does not end the claim that another has by now."""
    await both.claim("a", "other")

    assert await both.keep(b"a|a|a|") == 1

    assert await both.claim("b", least=LIFE) == [b"asked"]


@pytest.mark.parametrize("which", range(3))
async def test_changed(both: Both, which: int) -> None:
    """C7: A change of everybody, of the user or of the token ends what is kept, and keeps out what is under way."""
    marks = await both.kept()

    await both.change("b", KEYS[which])

    assert await both.look("c") == [b"unknown"]
    assert await both.keep(marks) == 0
    assert await both.look("c") == [b"unknown"]


@pytest.mark.parametrize("which", range(3))
async def test_lost_mark(both: Both, which: int) -> None:
    """A mark that was evicted proves nothing: nothing from before is known or kept, and a new one is made."""
    marks = await both.kept()

    await both.redis.run(DELETE, [KEYS[which]])

    assert await both.keep(marks) == 0
    assert await both.look("c") == [b"unknown"]
    claimed = [b"a", b"a", b"a"]
    claimed[which] = b"c"
    assert await both.claim("d") == [b"claimed", b"|".join([*claimed, b""])]


async def test_quiet(both: Both) -> None:
    """After a logout nothing about that token is given, claimed or kept."""
    marks = await both.kept()

    await both.change("b", KEYS[2], prefix="q")

    assert [await both.look("c"), await both.claim("c")] == [[b"quiet"], [b"quiet"]]
    assert await both.keep(marks) == 0


async def test_of_another_type(both: Both) -> None:
    """A key of another type is as none, as long as nothing must be written there, and a mark is replaced."""
    await both.kept()

    await both.redis.run(ADD, [KEYS[0]])

    assert await both.look("b") == [b"unknown"]
    assert await both.claim("c") == [b"claimed", b"b|a|a|"]


async def test_a_life_that_ended_before_it_was_kept(both: Both) -> None:
    """The life of an answer counts from its claim, however long it took to come here."""
    await both.claim("a")
    both.moment = b"%d" % (int(both.moment) - 1000 * LIFE)

    assert await both.keep(b"a|a|a|") == 0

    assert await both.look("b") == [b"unknown"]


@pytest.mark.parametrize("life", [None, HOUR])
async def test_a_question_that_lasts_too_long(both: Both, life: int | None) -> None:
    """Nobody who may write makes all others wait for a question that nobody asks."""
    await both.redis.run(HOLD, [KEYS[4]], () if life is None else ("PX", life))

    assert await both.claim("a") == [b"claimed", b"a|a|a|"]


@pytest.mark.parametrize("key", KEYS)
async def test_a_huge_value(both: Both, key: str) -> None:
    """What somebody made longer than anything that is written here is not read."""
    marks = await both.kept()
    await both.redis.run(SET, [key], (marks + b"x" * 2_000_000,))

    found = await both.claim("b")

    assert isinstance(found, list)
    assert sum(len(each) for each in found if isinstance(each, bytes)) < 100


async def test_a_life_that_ended(both: Both) -> None:
    """An answer is not known any more once its life is over."""
    await both.claim("a")
    await both.keep(b"a|a|a|", life=1)

    async def is_over() -> bool:
        return await both.look("b") == [b"unknown"]

    await eventually(is_over)


async def test_news(both: Both) -> None:
    """Each entry names the one before it."""
    first, second = await both.change("a"), await both.change("b", KEYS[1])

    entries = await both.after(STREAM, NO_ENTRY)

    assert [identity for identity, _ in entries] == [first, second]
    assert [dict(fields) for _, fields in entries] == [
        {b"before": NO_ENTRY, b"news": b"sealed"},
        {b"before": first, b"news": b"sealed"},
    ]
    assert isinstance(first, bytes)
    assert [identity for identity, _ in await both.after(STREAM, first)] == [second]


async def test_the_same_news(both: Both) -> None:
    """Within the window a change counts as the one before; after it, or without one, it does not."""
    assert await both.change("a", window=HOUR) is not None

    assert await both.change("b", window=HOUR) is None
    assert await both.change("c", window=1) is not None
    assert await both.change("d") is not None
    assert len(await both.after(STREAM, NO_ENTRY)) == 3


@pytest.mark.parametrize("foreign", ["", "x", "-", "99999999999999999999-x", "q17-x"])
async def test_a_mark_that_is_no_time(both: Both, foreign: str) -> None:
    """No mark, whatever it is, keeps a change from being told."""
    await both.redis.run(SET, [KEYS[0]], (foreign,))

    assert await both.change("a", window=HOUR) is not None


async def test_signs(both: Both) -> None:
    """Replicas count each other, and the first begins the stream, so that who comes later misses nothing."""
    (first, reader), (second, _) = both.replicas(), both.replicas()

    await first.sign()
    await second.sign()
    await first.sign()

    assert [first.count, second.count] == [2, 2]
    assert [dict(fields) for _, fields in await both.after(STREAM, NO_ENTRY)] == [{b"before": NO_ENTRY, b"news": b""}]
    assert reader.position is not None
    await second.leave()
    await first.sign()
    assert first.count == 1


async def test_behind(both: Both) -> None:
    """A logout waits for who has not read it, and for nobody else."""
    (first, _), (second, reader) = both.replicas(), both.replicas()
    await first.sign()
    await second.sign()
    await first.sign()
    entry = await both.change("a")
    assert isinstance(entry, bytes)

    assert await first._behind(entry)
    assert not await second._behind(reader.position or b"")
    reader.hear(await both.after(STREAM, reader.position or NO_ENTRY))
    await second._tell(entry)

    assert not await first._behind(entry)


async def test_others(both: Both) -> None:
    """Nobody else hears the first feed, and when the last one ends nobody does."""
    ended: list[str] = []
    first, second = both.listening("first", ended), both.listening("second", ended)

    assert (await first._others(connected=True))[0] == 0
    others, moment = await second._others(connected=True)

    assert others == 1
    assert (await second._others(connected=True, since=moment))[0] == 0
    await first._others(connected=True)
    assert (await second._others(connected=True, since=moment))[0] == 1
    assert (await first._others(connected=False))[0] == 1
    assert (await second._others(connected=False))[0] == 0
