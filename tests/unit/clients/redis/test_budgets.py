"""Budgets that replicas share, in virtual time: whatever Redis says, and while it says nothing."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest

from sidecar import context
from sidecar.clients.redis.budgets import SharedBudgets
from sidecar.clients.redis.commands import Reply
from sidecar.clients.stripe.governor import Governor
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeRateLimited
from sidecar.metrics import Metrics
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.redis.shared_budgets import CHANGES, KEY, PAGES, Distant, Saying, shared, turn

RATE = 20
BURST = 5  # turns at once after a quiet time


def now() -> float:
    return asyncio.get_running_loop().time()


def memory() -> RedisMemory:
    """Make a Redis whose clock has nothing to do with those of the replicas."""
    loop = asyncio.get_running_loop()
    return RedisMemory(lambda: 1_800_000_000 + loop.time())


async def turns(budgets: SharedBudgets, seconds: float, endpoint: str = PAGES) -> list[float]:
    """Take turns for so long, as soon as one may be there; give their times."""
    times, end = [], now() + seconds
    while now() < end:
        wait = await turn(budgets, endpoint)
        if wait == 0:
            times.append(now())
        await asyncio.sleep(wait)
    return times


def most_in_a_second(times: Sequence[float]) -> int:
    ordered = sorted(times)
    return max(sum(first <= moment < first + 1 for moment in ordered) for first in ordered)


@in_virtual_time
async def test_endless_turns() -> None:
    """F3: a Redis that claims endless turns makes no replica exceed what Stripe allows."""
    for account, each_endpoint in ((RATE, 1e5), (1e5, RATE)):
        times = await turns(shared(Saying([1, 0, 1, 0, 1, 0]), account, each_endpoint), 10)

        assert most_in_a_second(times) <= RATE + BURST
        assert len(times) >= 10 * RATE


NONSENSE: dict[str, Reply] = {
    "nothing": None,
    "text": b"yes",
    "too few": [1, 0, 1],
    "too many": [1, 0, 1, 0, 1, 0, 0],
    "texts": [b"1", b"0", b"1", b"0", b"1", b"0"],
    "half a turn": [2, 0, 1, 0, 1, 0],
    "a wait in the past": [0, -1, 1, 0, 1, 0],
    "an endless wait": [0, 10**15, 1, 0, 1, 0],
    "a wait longer than a pause": [0, 0, 1, 11_000_000, 1, 0],
}


@pytest.mark.parametrize("said", NONSENSE)
@in_virtual_time
async def test_nonsense(said: str) -> None:
    """What the script cannot have said is counted, and a replica goes on with its part of the rates."""
    metrics = Metrics()

    times = await turns(shared(Saying(NONSENSE[said]), RATE, RATE, metrics=metrics), 30)

    assert 10 * RATE - 5 <= len(times) <= 10 * RATE + BURST
    assert metrics.shared_errors.labels("budgets")._value.get() >= len(times)


@in_virtual_time
async def test_a_wait_of_nothing() -> None:
    """A Redis that has no turn and says that there is one at once is not asked without end."""
    redis = Distant(Saying([0, 0, 1, 0, 1, 0]), seconds=0)

    assert await turns(shared(redis), 1) == []

    assert len(redis.asked) <= 1_001


@in_virtual_time
async def test_without_redis_each_replica_has_its_part() -> None:
    """While Redis is away the replicas together have the rates, as far as their number is known."""
    redis = Distant(memory(), up=False)
    replicas = [shared(redis, RATE, RATE, replicas=lambda: 3) for _ in range(3)]

    times = await asyncio.gather(*(turns(replica, 20) for replica in replicas))

    assert most_in_a_second([moment for its in times for moment in its]) <= RATE + BURST
    assert all(20 * RATE / 3 - 1 <= len(its) <= 20 * RATE / 3 + 2 for its in times)


@pytest.mark.parametrize("replicas", [0, -1, 1])
@in_virtual_time
async def test_a_count_of_nobody(replicas: int) -> None:
    """Whatever the number of replicas is said to be, this one is there."""
    times = await turns(shared(Distant(memory(), up=False), RATE, RATE, replicas=lambda: replicas), 10)

    assert 10 * RATE <= len(times) <= 10 * RATE + BURST


@in_virtual_time
async def test_replicas_that_come_and_go() -> None:
    """The part of a replica follows their number."""
    live = 10
    budgets = shared(Distant(memory(), up=False), RATE, RATE, replicas=lambda: live)
    few = await turns(budgets, 10)
    live = 2

    assert 19 <= len(few) <= 22
    assert 99 <= len(await turns(budgets, 10)) <= 103


@in_virtual_time
async def test_losing_redis_gives_nobody_more() -> None:
    """F3: what a replica used before Redis went away counts while it is away, and the other way round."""
    redis = Distant(memory())
    replicas = [shared(redis, RATE, RATE) for _ in range(3)]
    going = [asyncio.ensure_future(turns(replica, 20)) for replica in replicas]
    for _ in range(20):
        await asyncio.sleep(redis.rng.uniform(0.2, 1))
        redis.up = not redis.up

    times = sorted(moment for its in await asyncio.gather(*going) for moment in its)

    assert most_in_a_second(times) <= RATE + 2 * BURST
    assert len(times) <= 20 * RATE * 1.2
    assert max(later - earlier for earlier, later in pairwise(times)) <= 0.3


@pytest.mark.parametrize("endpoint", [None, PAGES])
@in_virtual_time
async def test_a_pause_outlives_redis(endpoint: str | None) -> None:
    """F4: a pause that was made while Redis answered lasts when it is away, and one made then is felt there too."""
    for first, second in ((True, False), (False, True)):
        redis = Distant(memory(), up=first)
        budgets = shared(redis)
        await budgets.pause(endpoint, 5)
        redis.up = second

        assert await turn(budgets) == pytest.approx(5, abs=0.01)
        assert (await turn(budgets, CHANGES) > 0) == (endpoint is None)


@in_virtual_time
async def test_what_is_expected_without_redis() -> None:
    """Where each replica has a part, a call is expected as late as that makes it."""
    redis = Distant(memory())
    budgets = shared(redis, RATE, RATE, replicas=lambda: 4)
    with_redis = budgets.expected(PAGES, 100, 100)
    redis.up = False
    await turn(budgets)

    assert with_redis == pytest.approx(5, abs=0.1)
    assert budgets.expected(PAGES, 100, 100) == pytest.approx(20, abs=0.2)


@in_virtual_time
async def test_a_pause_is_expected() -> None:
    """A call is expected after a pause that another replica made, once this one has heard of it."""
    redis = Distant(memory())
    budgets = shared(redis)
    await shared(redis).pause(None, 8)
    await turn(budgets)

    assert budgets.expected(PAGES, 0, 0) == pytest.approx(8, abs=0.1)


@pytest.mark.parametrize("caller", ["somebody", ""])
@in_virtual_time
async def test_too_much_is_refused_at_once(caller: str) -> None:
    """A call whose turn another replica's call took is refused at once if the next would be too late, whoever calls."""
    redis = memory()
    context.caller.set(caller)
    here, there = (Governor(shared(Distant(redis), 0.1, 0.1), each_caller=1e6, patience=5) for _ in range(2))
    async with here.turn(PAGES, Urgency.CALL):
        asked = now()

        with pytest.raises(StripeRateLimited):
            async with there.turn(PAGES, Urgency.CALL):
                pass

    assert now() - asked < 1


@in_virtual_time
async def test_clocks_of_replicas_do_not_matter() -> None:
    """Nothing that a replica sends depends on its time, and neither Stripe's key nor an endpoint is in it."""
    redis = Distant(memory())
    budgets = shared(redis)
    sent = []
    for _ in range(2):
        await turn(budgets)
        await budgets.pause(PAGES, 1)
        sent.append(list(redis.asked))
        redis.asked.clear()
        await asyncio.sleep(1e6)

    assert sent[0] == sent[1]
    words = str([(keys, arguments) for _, keys, arguments in sent[0]])
    assert KEY not in words
    assert "customers" not in words


class Crowd:
    """Replicas whose readers want whole lists without end, while a clerk of each changes something now and then."""

    def __init__(self, redis: Distant, replicas: int) -> None:
        self.rng = redis.rng
        self.sent: list[float] = []
        self.waits: list[float] = []
        self.of_replica = Counter[int]()
        self.governors = [
            Governor(shared(redis, RATE, RATE, replicas=lambda: replicas), each_caller=1e6, patience=1e6)
            for _ in range(replicas)
        ]

    async def call(self, replica: int, caller: str, endpoint: str, urgency: Urgency) -> float:
        context.caller.set(caller)
        asked = now()
        async with self.governors[replica].turn(endpoint, urgency):
            self.sent.append(now())
            self.of_replica[replica] += 1
            waited = now() - asked
            await asyncio.sleep(0.06)
        return waited

    async def read(self, replica: int) -> None:
        while True:
            await self.call(replica, "reader", PAGES, Urgency.LIST)

    async def change(self, replica: int) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0.2, 1.2))
            self.waits.append(await self.call(replica, "clerk", CHANGES, Urgency.CALL))

    async def run(self, seconds: float) -> None:
        habits = [self.change, *[self.read] * 30]
        tasks = [asyncio.ensure_future(habit(its)) for its in range(len(self.governors)) for habit in habits]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not any(governor.waiting for governor in self.governors)


@pytest.mark.parametrize("milliseconds", [0.5, 5, 40])
@pytest.mark.parametrize("replicas", [1, 3, 6])
@in_virtual_time
async def test_a_crowd_at_each_replica(replicas: int, milliseconds: float) -> None:
    """F1, F3: replicas share one budget wholly and fairly, however far Redis is, and what is urgent goes first."""
    distant = Distant(memory(), milliseconds / 1000)
    crowd = Crowd(distant, replicas)

    await crowd.run(30)

    assert most_in_a_second(crowd.sent) <= RATE + BURST + (milliseconds > 10)  # what Redis counted before comes later
    assert len(crowd.sent) >= 30 * RATE - 10
    assert max(crowd.waits) < 0.4
    shares = crowd.of_replica.values()
    assert max(shares) <= 1.25 * min(shares)
    assert len(distant.asked) <= 2.5 * len(crowd.sent)


@in_virtual_time
async def test_a_crowd_while_redis_comes_and_goes() -> None:
    """U5: calls go on whatever Redis does: away, back, and with everything lost."""
    inner = memory()
    distant = Distant(inner)
    crowd = Crowd(distant, 3)

    async def trouble() -> None:
        while True:
            await asyncio.sleep(distant.rng.uniform(0.5, 3))
            distant.up = not distant.up
            if distant.rng.random() < 0.3:
                inner.flush()

    troubles = asyncio.ensure_future(trouble())
    await crowd.run(60)
    troubles.cancel()

    assert most_in_a_second(crowd.sent) <= RATE + 3 * BURST
    assert len(crowd.sent) >= 0.9 * 60 * RATE
    assert max(crowd.waits) < 1.5
