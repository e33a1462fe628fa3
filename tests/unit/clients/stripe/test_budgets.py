"""The budgets of one process: its part of the rates, turns taken elsewhere or given back, and pauses."""

import asyncio

import pytest

from sidecar.clients.stripe.budgets import NONE, LocalBudgets
from tests.doubles.virtual_time import in_virtual_time

PAGES, CHANGES = "GET /v1/customers", "POST /v1/customers"
BURST = 5  # turns at once after a quiet time, at 20 a second


def now() -> float:
    return asyncio.get_running_loop().time()


async def turns(budgets: LocalBudgets, seconds: float) -> list[float]:
    """Take turns for so long, as soon as there is one; give their times."""
    times, end = [], now() + seconds
    while now() < end:
        wait = await budgets.take(PAGES)
        if wait == NONE:
            times.append(now())
        await asyncio.sleep(max(wait))
    return times


async def at_once(budgets: LocalBudgets) -> int:
    """Take all the turns that there are now."""
    number = 0
    while await budgets.take(PAGES) == NONE:
        number += 1
    return number


@pytest.mark.parametrize("limit", ["account", "endpoint"])
@pytest.mark.parametrize("parts", [1, 2, 3, 6, 20])
@in_virtual_time
async def test_parts(parts: int, limit: str) -> None:
    """F3: all parts together have the rate, and no larger burst, as far as each may have one turn at once."""
    rates = (20, 1e6) if limit == "account" else (1e6, 20)
    budgets = [LocalBudgets(*rates, parts=lambda: parts) for _ in range(parts)]

    times = sorted(moment for its in await asyncio.gather(*(turns(each, 10) for each in budgets)) for moment in its)

    assert max(sum(first <= moment < first + 1 for moment in times) for first in times) <= max(25, 20 + parts)
    assert 200 - parts <= len(times) <= 200 + max(BURST, parts)


@in_virtual_time
async def test_turns_taken_elsewhere() -> None:
    """However many turns were taken elsewhere, the next one is one gap away."""
    budgets = LocalBudgets(20, 20)

    for _ in range(100):
        budgets.count(PAGES)

    assert max(await budgets.take(PAGES)) == pytest.approx(0.05)
    assert max(await budgets.take(CHANGES)) == pytest.approx(0.05)


@in_virtual_time
async def test_turns_given_back() -> None:
    """What was given back is there again, and makes no burst larger."""
    budgets = LocalBudgets(20, 20)
    await at_once(budgets)
    budgets.give_back(PAGES)

    assert await at_once(budgets) == 1
    for _ in range(100):
        budgets.give_back(PAGES)
    assert await at_once(budgets) == BURST


@pytest.mark.parametrize("endpoint", [None, PAGES])
@in_virtual_time
async def test_no_burst_after_a_pause(endpoint: str | None) -> None:
    """F4: when a pause has ended, turns come one after the other."""
    budgets = LocalBudgets(20, 20)
    await budgets.pause(endpoint, 7)
    budgets.give_back(PAGES)

    wait = max(await budgets.take(PAGES))
    await asyncio.sleep(wait)

    assert wait == pytest.approx(7)
    assert await at_once(budgets) == 1
