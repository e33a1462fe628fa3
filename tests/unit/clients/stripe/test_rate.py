"""Turns for lists: the rate, the order, refusals, the effect of a 429, and requests that never wait."""

import asyncio
from collections.abc import Awaitable

import pytest

from sidecar.clients.stripe.rate import RateLimit
from sidecar.errors import StripeRateLimited
from tests.unit.clients.virtual_time import in_virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


async def use(budget: RateLimit, endpoint: str = "/v1/customers", lasting: float = 0) -> float:
    """Take a turn, keep it for so many seconds, and give the time at which it came."""
    async with budget.turn(endpoint):
        came = now()
        await asyncio.sleep(lasting)
    return came


async def outcomes(turns: list[Awaitable[float]]) -> list[float | BaseException]:
    return await asyncio.gather(*turns, return_exceptions=True)


@pytest.mark.parametrize("rate", [0.5, 20, 100])
@in_virtual_time
async def test_rate(rate: float) -> None:
    """For any number of requests the rate is kept in every second, except for a burst of a quarter of it."""
    budget = RateLimit(rate, patience=1_000)
    await asyncio.sleep(100)

    came = sorted(await asyncio.gather(*(use(budget) for _ in range(300))))

    for first in range(0, 300, 7):
        in_a_second = sum(came[first] <= moment < came[first] + 1 for moment in came)
        assert in_a_second <= rate * 1.25 + 2
    assert came[-1] - came[0] <= 300 / rate


@in_virtual_time
async def test_order() -> None:
    """Turns come in the order of the requests."""
    budget = RateLimit(10, patience=1_000)

    came = await asyncio.gather(*(use(budget) for _ in range(100)))

    assert sorted(came) == came


@in_virtual_time
async def test_lists_of_their_own() -> None:
    """The rate applies to each endpoint separately."""
    budget = RateLimit(10, patience=1_000)
    await asyncio.gather(*(use(budget) for _ in range(30)))

    asked = now()
    came = await use(budget, "/v1/payment_intents")

    assert asked == came


@in_virtual_time
async def test_patience() -> None:
    """A request that would wait longer than the patience is refused at once, with the time of the next try."""
    budget = RateLimit(10, patience=5)

    results = await outcomes([use(budget) for _ in range(100)])

    refused = [result for result in results if isinstance(result, StripeRateLimited)]
    assert 40 <= len(refused) <= 50
    assert {5} == {refusal.retry_after for refusal in refused}
    assert results[45] not in refused
    assert now() <= 5


@in_virtual_time
async def test_a_caller_that_leaves_takes_no_turn() -> None:
    """A caller that leaves while it waits takes no turn from others."""
    budget = RateLimit(10, patience=5)
    gone = [asyncio.ensure_future(use(budget)) for _ in range(50)]
    await asyncio.sleep(0.01)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)

    asked = now()
    came = await use(budget)

    assert came - asked <= 0.1


@in_virtual_time
async def test_pause() -> None:
    """A pause delays every request without a turn, also those that already wait; then the rate applies again."""
    budget = RateLimit(10, patience=60)
    waiting = [asyncio.ensure_future(use(budget)) for _ in range(30)]
    await asyncio.sleep(1)

    budget.pause(7)
    paused = now()
    later = await use(budget, "/v1/payment_intents")
    came = [moment for moment in await asyncio.gather(*waiting) if moment > paused]

    assert later >= paused + 7
    assert len(came) >= 15
    assert min(came) >= paused + 7
    assert max(came) >= min(came) + 1.5


@in_virtual_time
async def test_pause_longer_than_patience() -> None:
    """A pause longer than the patience ends the waiting, for new requests and for those that already wait."""
    budget = RateLimit(1, patience=5)
    first = [asyncio.ensure_future(use(budget)) for _ in range(4)]
    await asyncio.sleep(0.5)

    budget.pause(30)
    [*results] = await outcomes([*first, use(budget)])

    assert [StripeRateLimited] * 4 == [type(result) for result in results if isinstance(result, Exception)]
    assert now() <= 6


@in_virtual_time
async def test_places() -> None:
    """However slow Stripe is, only so many list requests are under way; the others wait, but not forever."""
    budget = RateLimit(1_000, patience=5, at_once=3)

    results = await outcomes([use(budget, lasting=20) for _ in range(10)])

    assert sum(isinstance(result, float) for result in results) == 3
    assert sum(isinstance(result, StripeRateLimited) for result in results) == 7
    await use(budget)
