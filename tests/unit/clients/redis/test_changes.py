"""What a replica asks Redis about changes: when it looks, what it concludes, and what it owes."""

import asyncio
from collections.abc import Sequence

import pytest

from sidecar.clients.redis.changes import AGE, TELL, SharedChanges
from sidecar.clients.redis.commands import Argument, Away
from sidecar.clients.redis.scripts import Script
from tests.doubles.redis.distant import DistantRedis
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.virtual_time import in_virtual_time

NAMES = ["sidecar:{tag}:changes"]
KEY = NAMES[0].encode()
LATENCY = 0.01  # seconds, each way
AHEAD = 1_700_000_000  # seconds that Redis's clock is ahead of the event loop's


def now() -> float:
    return asyncio.get_running_loop().time()


def redis(rate: float = 1) -> DistantRedis:
    """Give one whose clock passes at this rate."""
    return DistantRedis(RedisMemory(lambda: AHEAD + rate * now()), lambda: LATENCY)


async def told_at(server: DistantRedis, moment: float) -> SharedChanges:
    """Give another replica's view after a change was told, whose moment at Redis was this."""
    await asyncio.sleep(moment - LATENCY)
    await SharedChanges(server, NAMES).tell()
    return SharedChanges(server, NAMES)


@pytest.mark.parametrize(("began", "joins"), [(9.0, False), (10.0, False), (11.5, True), (14.9, True)])
@in_virtual_time
async def test_only_what_began_after_the_last_change(began: float, *, joins: bool) -> None:
    """What began before the last change may not be joined, and what began well after it may."""
    changes = await told_at(redis(), 10)
    await asyncio.sleep(5)

    assert await changes.none_since(began) is joins


@pytest.mark.parametrize("rate", [1.08, 0.9])
@in_virtual_time
async def test_a_clock_that_is_being_set(rate: float) -> None:
    """Nothing from before a change is joined while Redis's clock runs faster or slower than ours."""
    changes = await told_at(redis(rate), 100)
    await asyncio.sleep(50)

    assert await changes.none_since(99.9) is False


@in_virtual_time
async def test_nothing_is_known_at_first() -> None:
    """Where Redis has no moment, what began before may not be joined, and what begins afterwards may."""
    server = redis()
    changes = SharedChanges(server, NAMES)
    await asyncio.sleep(5)

    assert await changes.none_since(4.999) is False
    began = now()
    await asyncio.sleep(1)
    assert await changes.none_since(began + 0.5) is True


@in_virtual_time
async def test_flushed() -> None:
    """Where Redis lost the moment, what began before that was noticed may not be joined by anybody."""
    server = redis()
    changes = await told_at(server, 10)
    await asyncio.sleep(10)
    assert await changes.none_since(15) is True

    server.memory.flush()

    assert await changes.none_since(15) is False
    assert await SharedChanges(server, NAMES).none_since(15) is False


@in_virtual_time
async def test_one_look_for_those_who_come_together() -> None:
    """Who asks while a look is under way waits for the next one, together with all who ask until that begins."""
    server = redis()
    changes = SharedChanges(server, NAMES)

    asked = [asyncio.ensure_future(changes.none_since(0)) for _ in range(50)]
    for _ in range(5):
        await asyncio.sleep(LATENCY / 4)
        asked += [asyncio.ensure_future(changes.none_since(0)) for _ in range(10)]
    await asyncio.gather(*asked)

    assert server.runs == [AGE, AGE]


@in_virtual_time
async def test_no_look_from_before_it_was_asked() -> None:
    """A look that Redis answered before a change is of no use to who asks after it, though it is still on its way."""
    server = redis()
    changes = SharedChanges(server, NAMES)
    await SharedChanges(server, NAMES).tell()
    await asyncio.sleep(10)
    early = asyncio.ensure_future(changes.none_since(9))
    await asyncio.sleep(1.5 * LATENCY)
    server.memory.flush()

    late = await changes.none_since(9)

    assert (await early, late) == (True, False)


@in_virtual_time
async def test_one_who_leaves_ends_nobodys_look() -> None:
    """F2: the look goes on for the others when the one who began it leaves."""
    server = redis()
    changes = SharedChanges(server, NAMES)
    await changes.tell()
    await asyncio.sleep(1)
    first, second = (asyncio.ensure_future(changes.none_since(0.9)) for _ in range(2))
    await asyncio.sleep(LATENCY)

    first.cancel()

    assert await second is True
    assert server.runs == [TELL, AGE]


@in_virtual_time
async def test_nobody_joins_while_redis_is_away() -> None:
    """Without an answer nothing may be joined; with the next one it may."""
    server = redis()
    changes = SharedChanges(server, NAMES)
    await changes.tell()
    await asyncio.sleep(10)

    server.memory.up = False
    assert await changes.none_since(9) is False
    server.memory.up = True
    assert await changes.none_since(9) is True


@pytest.mark.parametrize("deaf", [False, True])
@in_virtual_time
async def test_a_change_that_redis_did_not_hear_of(*, deaf: bool) -> None:
    """Telling gives up at once and raises nothing; it is repeated until Redis answers, and then no more."""
    server = redis()
    changes = SharedChanges(server, NAMES)
    server.deaf = deaf
    server.memory.up = deaf
    began = now()

    for _ in range(20):
        await changes.tell()
    took = now() - began
    await asyncio.sleep(10)
    server.deaf, server.memory.up = False, True
    back = now()
    await asyncio.sleep(1)
    told = len(server.runs)
    await asyncio.sleep(100)

    assert took < 20 * 3 * LATENCY
    assert told == len(server.runs)
    stored = server.memory.keys[KEY].value
    assert isinstance(stored, bytes)
    assert int(stored) >= (AHEAD + back) * 1_000_000
    assert asyncio.all_tasks() == {asyncio.current_task()}


@in_virtual_time
async def test_a_later_change_tells_of_the_earlier_ones() -> None:
    """What is owed is told by the next change that Redis hears of."""
    server = redis()
    changes = SharedChanges(server, NAMES)
    server.memory.up = False
    await changes.tell()
    server.memory.up = True

    await changes.tell()
    await asyncio.sleep(10)

    assert server.runs == [TELL]


@in_virtual_time
async def test_an_earlier_answer_does_not_pay_for_a_later_change() -> None:
    """An answer to what was told before a change leaves that one owed."""
    server = redis()
    changes = SharedChanges(server, NAMES)
    first = asyncio.ensure_future(changes.tell())
    await asyncio.sleep(1.5 * LATENCY)
    server.memory.up = False
    second = asyncio.ensure_future(changes.tell())
    await asyncio.gather(first, second)
    server.memory.up = True

    await asyncio.sleep(10)

    assert server.runs == [TELL, TELL]


@in_virtual_time
async def test_who_tells_may_leave() -> None:
    """A change is told of even if the request that made it ends before Redis answers."""
    server = redis()
    changes = SharedChanges(server, NAMES)
    telling = asyncio.ensure_future(changes.tell())
    await asyncio.sleep(LATENCY / 2)

    telling.cancel()
    await asyncio.sleep(1)

    assert telling.cancelled()
    assert server.runs == [TELL]


@in_virtual_time
async def test_closing() -> None:
    """What is under way and what is owed ends with the replica."""
    server = redis()
    changes = SharedChanges(server, NAMES)
    looks = [asyncio.ensure_future(changes.none_since(0))]
    await asyncio.sleep(LATENCY / 2)
    looks.append(asyncio.ensure_future(changes.none_since(0)))
    server.memory.up = False
    await changes.tell()

    await changes.close()
    await asyncio.gather(*looks, return_exceptions=True)

    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("reply", [None, b"12", [], "12", -5])
@in_virtual_time
async def test_an_answer_that_is_no_age(reply: object) -> None:
    """Nothing is joined on an answer of another form, or of an age below nothing."""

    class Odd:
        async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> object:
            return reply if (script, keys, arguments) else Away

    await asyncio.sleep(10)

    assert await SharedChanges(Odd(), NAMES).none_since(10) is False


@in_virtual_time
async def test_while_a_secret_is_replaced() -> None:
    """A change is told under the names of all secrets, so whoever uses another one first hears of it."""
    server = redis()
    old, new = "sidecar:{old}:changes", "sidecar:{new}:changes"
    ours, theirs = SharedChanges(server, [old, new]), SharedChanges(server, [new, old])
    for changes in (ours, theirs):
        await changes.tell()
    await asyncio.sleep(10)
    began = now()
    await asyncio.sleep(1)

    assert (await ours.none_since(began), await theirs.none_since(began)) == (True, True)
    await ours.tell()
    assert (await ours.none_since(began), await theirs.none_since(began)) == (False, False)
