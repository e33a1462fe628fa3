"""What the scripts of the shared budgets do, on a real server and on the double that the tests in virtual time use.

Rates are so slow that no turn comes by itself while a test runs, unless it waits for one.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sidecar.clients.redis.budgets import SharedBudgets
from sidecar.clients.redis.commands import Redis
from sidecar.clients.redis.scripts import NOW, Script
from sidecar.metrics import Metrics
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.redis.patient import patient_redis
from tests.doubles.redis.server import redis_server_with
from tests.doubles.waiting import eventually
from tests.unit.clients.redis.shared_budgets import CHANGES, NAMES, PAGES, shared, turn

SLOW = 0.01  # calls a second
COMMAND = Script("budgets", "return redis.call(unpack(ARGV))")
KEPT = Script("budgets", "return redis.call('PTTL', KEYS[1])")
CLOCK = Script("budgets", NOW + "return now()")
GHOSTS = Script(
    "budgets",
    NOW
    + """
for number = 1, 1000 do
  redis.call('ZADD', KEYS[1], string.format('%.0f', now() + 9000000), 'ghost ' .. number)
  redis.call('ZADD', KEYS[1], string.format('%.0f', now() + 1000000000), 'later ghost ' .. number)
end
return 1
""",
)
ACCOUNT = {kind: NAMES.name(kind) for kind in ("due", "pause", "line")}
ENDPOINT = {kind: NAMES.name(kind, PAGES) for kind in ("due", "pause", "line")}


@pytest.fixture(params=["memory", pytest.param("server", marks=pytest.mark.redis)])
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    if request.param == "memory":
        yield RedisMemory(asyncio.get_running_loop().time)
        return
    async with redis_server_with() as server, patient_redis(server.url) as patient:
        yield patient


async def command(redis: Redis, name: str, key: str, *words: str) -> object:
    return await redis.run(COMMAND, [key], [name, key, *words])


async def clock(redis: Redis) -> int:
    """Give the server's time in microseconds."""
    moment = await redis.run(CLOCK, [ACCOUNT["due"]])
    assert isinstance(moment, int)
    return moment


async def has_turn(budgets: SharedBudgets) -> bool:
    return await turn(budgets) == 0


@pytest.mark.parametrize("rates", [(SLOW, 1e5), (1e5, SLOW)], ids=["account", "endpoint"])
async def test_one_budget_for_all(redis: Redis, rates: tuple[float, float]) -> None:
    """F3: a turn that one replica took is missing at the others, for the gap between two turns."""
    here, there = shared(redis, *rates), shared(redis, *rates)

    came, wait = await turn(here), await turn(there)

    assert came == 0
    assert 0 < wait <= 1 / SLOW + 0.001


async def test_endpoints_of_their_own(redis: Redis) -> None:
    """An endpoint's turns are its own; the account's are those of all endpoints."""
    here, there = shared(redis, each_endpoint=SLOW), shared(redis, each_endpoint=SLOW)

    waits = [await turn(here), await turn(there, CHANGES), await turn(here, CHANGES)]

    assert 0 == waits[0] == waits[1] < waits[2]


async def test_both_or_nothing(redis: Redis) -> None:
    """Where the endpoint has no turn, the account loses none."""
    account = 5.0  # a call a second after two at once
    here, there = shared(redis, account, SLOW), shared(redis, account, SLOW)
    await turn(here)

    refused = [await turn(there) for _ in range(20)]

    assert min(refused) > 0
    assert await turn(there, CHANGES) == 0


async def test_a_turn_comes_as_told(redis: Redis) -> None:
    """Who asks again after the time that it was told has its turn, if nobody else waits."""
    here, there = shared(redis, each_endpoint=10), shared(redis, each_endpoint=10)
    while await turn(here) == 0:
        pass
    wait = await turn(there)

    await asyncio.sleep(wait)

    assert await turn(there) == 0


async def test_a_line_of_replicas(redis: Redis) -> None:
    """F1: replicas that wait have their turns in the order in which they came; asking again changes nothing."""
    first, second, third = (shared(redis, each_endpoint=0.2) for _ in range(3))
    await turn(shared(redis, each_endpoint=0.2))

    waits = [await turn(replica) for replica in (first, second, third)]
    again = [await turn(replica) for replica in (third, second, first)]

    assert waits[0] < waits[1] - 1 < waits[2] - 2
    assert again[2] < again[1] - 1 < again[0] - 2


@pytest.mark.parametrize("endpoint", [None, PAGES])
async def test_pauses_are_everybody_s(redis: Redis, endpoint: str | None) -> None:
    """F4: a pause that one replica makes stops what it is about at all of them, and nothing else."""
    here, there = shared(redis), shared(redis)

    await here.pause(endpoint, 8)
    await there.pause(endpoint, 1)
    wait, elsewhere = await turn(here), await turn(there, CHANGES)

    assert 1 < wait <= 8.001
    assert (elsewhere > 0) == (endpoint is None)


async def test_no_pause_is_longer_than_any_may_be(redis: Redis) -> None:
    """One answer of Stripe's stops nobody at another replica for longer than ten seconds."""
    here, there = shared(redis), shared(redis)

    await here.pause(None, 1_000)

    assert 0 < await turn(there) <= 10.001


async def test_a_turn_that_goes_back(redis: Redis) -> None:
    """F2: a turn that nobody used is there for any replica."""
    here, there = shared(redis, SLOW, SLOW), shared(redis, SLOW, SLOW)
    await turn(here)

    here.give_back(PAGES)

    await eventually(lambda: has_turn(there))


@pytest.mark.parametrize("steps", range(4))
async def test_a_call_that_leaves_while_redis_answers(redis: Redis, steps: int) -> None:
    """F2: the turn of a call that leaves before the answer came goes back, whenever it leaves."""
    here, there = shared(redis, SLOW, SLOW), shared(redis, SLOW, SLOW)
    taking = asyncio.ensure_future(turn(here))
    for _ in range(steps):
        await asyncio.sleep(0)
    if not taking.cancel():
        here.give_back(PAGES)  # it was quicker: then its caller would
    await asyncio.wait([taking])

    await eventually(lambda: has_turn(there))


async def test_everything_lost(redis: Redis) -> None:
    """Losing all keys costs nobody anything: the next turn is there, and the one after it is counted again."""
    here, there = shared(redis, SLOW, SLOW), shared(redis, SLOW, SLOW)
    await turn(here)
    for key in (*ACCOUNT.values(), *ENDPOINT.values()):
        await command(redis, "DEL", key)

    assert await turn(there) == 0
    assert await turn(shared(redis, SLOW, SLOW)) > 0


WRONG = {
    "no number": ("SET", "{key}", "garbage"),
    "not a number": ("SET", "{key}", "nan"),
    "infinite": ("SET", "{key}", "inf"),
    "far away": ("SET", "{key}", "9" * 30),
    "of next year": ("SET", "{key}", "{next_year}"),
    "another type": ("HSET", "{key}", "a", "b"),
}


async def put(redis: Redis, key: str, wrong: str) -> None:
    await command(redis, "DEL", key)
    next_year = str(await clock(redis) + 365 * 86_400_000_000)
    name, _, *words = WRONG[wrong]
    await command(redis, name, key, *(word.format(next_year=next_year) for word in words))


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("keys", [ACCOUNT, ENDPOINT], ids=["account", "endpoint"])
async def test_a_forged_due_moment(redis: Redis, keys: dict[str, str], wrong: str) -> None:
    """Whatever stands where the next turn should delays nobody who finds it, and counts as one turn for the others."""
    metrics = Metrics()
    await put(redis, keys["due"], wrong)

    wait = await turn(shared(redis, SLOW, SLOW, metrics=metrics))

    assert wait == 0
    assert 0 < await turn(shared(redis, SLOW, SLOW, metrics=metrics)) <= 1 / SLOW + 0.001
    assert metrics.shared_errors.labels("budgets")._value.get() == 1


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("keys", [ACCOUNT, ENDPOINT], ids=["account", "endpoint"])
async def test_a_forged_pause(redis: Redis, keys: dict[str, str], wrong: str) -> None:
    """What cannot be a pause is none; it is counted, and replaced by the next."""
    metrics = Metrics()
    budgets = shared(redis, metrics=metrics)
    await put(redis, keys["pause"], wrong)

    assert await turn(budgets) == 0
    assert metrics.shared_errors.labels("budgets")._value.get() == 1
    await put(redis, keys["pause"], wrong)
    await shared(redis).pause(None if keys is ACCOUNT else PAGES, 5)
    assert 0 < await turn(budgets) <= 5.001


@pytest.mark.parametrize("keys", [ACCOUNT, ENDPOINT], ids=["account", "endpoint"])
async def test_a_forged_line(redis: Redis, keys: dict[str, str]) -> None:
    """What is no line is none; and however many replicas somebody puts into one, a call waits ten seconds for them."""
    for key in keys.values():
        await command(redis, "SET", key, "garbage")
    assert await turn(shared(redis, 10, 10)) == 0

    await redis.run(GHOSTS, [keys["line"]])

    assert 0 < await turn(shared(redis, 10, 10)) <= 10.2
    assert await command(redis, "ZCARD", keys["line"]) == 1_001


async def test_a_replica_that_waits_no_more(redis: Redis) -> None:
    """One that does not come when its turn is there delays the others by no more than a burst is long."""
    gone, here = shared(redis, each_endpoint=10), shared(redis, each_endpoint=10)
    while await turn(here) == 0:
        pass
    await turn(gone)

    waits = []
    while (wait := await turn(here)) > 0:
        waits.append(wait)
        await asyncio.sleep(wait)

    assert sum(waits) <= 0.5


async def test_who_waits_is_expected_to_share(redis: Redis) -> None:
    """A call behind others of its replica is expected after as many of each replica that waits, of those that live."""
    replicas = [shared(redis, 1, 1, replicas=lambda: 2) for _ in range(4)]
    for replica in replicas:
        await turn(replica)

    first, second, third = (replica.expected(PAGES, 10, 10) for replica in replicas[1:])

    assert 10 <= first <= 11.01
    assert 20 <= second <= 22.01
    assert 20 <= third <= 23.01


async def test_nothing_stays(redis: Redis) -> None:
    """Each key has an end, and none shows what it is for."""
    here, there = shared(redis, 10, 10), shared(redis, 10, 10)
    while await turn(here) == 0:
        pass
    await turn(there)
    for endpoint in (None, PAGES):
        await here.pause(endpoint, 1)

    ends = [await redis.run(KEPT, [key]) for key in (*ACCOUNT.values(), *ENDPOINT.values())]

    assert all(isinstance(end, int) and 0 < end <= 20_000 for end in ends)
    assert all(key.startswith("sidecar:{") and PAGES not in key for key in (*ACCOUNT.values(), *ENDPOINT.values()))
