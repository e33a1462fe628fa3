"""Turns at Stripe: rates, order, fair shares, refusals, pauses, places, shared calls, and calls that give up."""

import asyncio
from collections.abc import Awaitable

import pytest

from sidecar import context
from sidecar.clients.stripe.governor import Governor
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeRateLimited
from sidecar.party import Party
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.stripe.governors import governor

PAGES, CHANGES = "GET /v1/customers", "POST /v1/customers"


def now() -> float:
    return asyncio.get_running_loop().time()


async def use(
    traffic: Governor,
    endpoint: str = PAGES,
    *,
    caller: str = "a",
    urgency: Urgency = Urgency.PAGE,
    lasting: float = 0,
) -> float:
    """Take a turn, hold it for so many seconds, and give the time at which it came."""
    context.caller.set(caller)
    async with traffic.turn(endpoint, urgency):
        came = now()
        await asyncio.sleep(lasting)
    return came


async def outcomes(turns: list[Awaitable[float]]) -> list[float | BaseException]:
    return await asyncio.gather(*turns, return_exceptions=True)


@pytest.mark.parametrize("rate", [0.5, 20, 100])
@pytest.mark.parametrize("budget", ["account", "each_endpoint"])
@in_virtual_time
async def test_rate(budget: str, rate: float) -> None:
    """F3: for any number of calls each budget is kept in every second, except for a burst of a fifth of it."""
    traffic = governor(**{budget: rate})
    await asyncio.sleep(100)

    came = sorted(await asyncio.gather(*(use(traffic) for _ in range(300))))

    for first in range(0, 300, 7):
        in_a_second = sum(came[first] <= moment < came[first] + 1 for moment in came)
        assert in_a_second <= rate * 1.2 + 2
    assert came[-1] - came[0] <= 300 / rate


@in_virtual_time
async def test_what_one_caller_may_have() -> None:
    """F3: one caller's calls have a budget of their own, at however many endpoints, which takes nothing from others."""
    traffic = governor(each_caller=10)

    greedy = [use(traffic, f"GET /v1/{number}", caller="greedy") for number in range(60)]
    came, other = sorted(await asyncio.gather(*greedy)), await use(traffic, caller="other")

    assert came[-1] == pytest.approx((60 - 11) / 10, abs=0.2)
    assert other == came[-1]


@in_virtual_time
async def test_order() -> None:
    """One caller's equal calls have their turns in their order."""
    traffic = governor(each_endpoint=10)

    came = await asyncio.gather(*(use(traffic) for _ in range(100)))

    assert sorted(came) == came


@in_virtual_time
async def test_endpoints_of_their_own() -> None:
    """A crowded endpoint delays no call to another one."""
    traffic = governor(each_endpoint=10)
    crowd = [asyncio.ensure_future(use(traffic)) for _ in range(30)]
    await asyncio.sleep(1)

    asked = now()
    came = await use(traffic, CHANGES)

    assert asked == came
    await asyncio.gather(*crowd)


@in_virtual_time
async def test_fair_shares() -> None:
    """F1: how often a caller asks does not matter: while ten others ask, one with 500 calls gets an eleventh."""
    traffic = governor(each_endpoint=10)
    greedy = [asyncio.ensure_future(use(traffic, caller="greedy")) for _ in range(500)]
    await asyncio.sleep(5)

    asked = now()
    came = await asyncio.gather(*(use(traffic, caller=f"other {number % 10}") for number in range(20)))

    assert max(came) - asked <= 23 / 10
    for task in greedy:
        task.cancel()
    await asyncio.gather(*greedy, return_exceptions=True)


@in_virtual_time
async def test_urgent_calls_go_first() -> None:
    """A change goes before fifty callers' pages, and a page before fifty callers' whole lists."""
    for urgent, others in ((Urgency.CALL, Urgency.PAGE), (Urgency.PAGE, Urgency.LIST)):
        traffic = governor(each_endpoint=10)
        crowd = [
            asyncio.ensure_future(use(traffic, caller=f"reader {number % 50}", urgency=others)) for number in range(200)
        ]
        await asyncio.sleep(1)

        asked = now()
        came = await use(traffic, caller="urgent", urgency=urgent)

        assert came - asked <= 0.2
        await asyncio.gather(*crowd)


@in_virtual_time
async def test_nobody_starves() -> None:
    """Changes without end of one caller leave another one's whole list half of the turns."""
    traffic = governor(each_endpoint=10)
    changes = [asyncio.ensure_future(use(traffic, caller="greedy", urgency=Urgency.CALL)) for _ in range(500)]
    await asyncio.sleep(0)

    came = await asyncio.gather(*(use(traffic, caller="reader", urgency=Urgency.LIST) for _ in range(50)))

    assert max(came) <= (2 * 50 + 10) / 10
    for task in changes:
        task.cancel()
    await asyncio.gather(*changes, return_exceptions=True)


@in_virtual_time
async def test_turns_that_nobody_else_wanted() -> None:
    """Who was alone for a long time stands behind others for some turns and no longer."""
    traffic = governor(each_endpoint=10)
    await asyncio.gather(*(use(traffic, caller="early") for _ in range(300)))
    others = [asyncio.ensure_future(use(traffic, caller="late")) for _ in range(100)]
    await asyncio.sleep(0)

    asked = now()
    came = await use(traffic, caller="early")

    assert came - asked <= 1.2
    await asyncio.gather(*others)


@in_virtual_time
async def test_patience() -> None:
    """A call that would have to wait longer than the patience is refused at once, with the time of the next try."""
    traffic = governor(each_endpoint=10, patience=5)

    results = await outcomes([use(traffic) for _ in range(100)])

    refused = [result for result in results if isinstance(result, StripeRateLimited)]
    assert 40 <= len(refused) <= 50
    assert {5} == {refusal.retry_after for refusal in refused}
    assert results[45] not in refused
    assert now() <= 5


@in_virtual_time
async def test_whoever_asks_less_is_not_refused() -> None:
    """F1: one caller's long line refuses its own next call, and nobody else's."""
    traffic = governor(each_endpoint=10, patience=5)
    greedy = [asyncio.ensure_future(use(traffic, caller="greedy")) for _ in range(100)]
    await asyncio.sleep(0)

    assert await use(traffic, caller="other") <= 1
    results = await outcomes(list(greedy))
    assert any(isinstance(result, StripeRateLimited) for result in results)


@in_virtual_time
async def test_patience_with_a_caller_s_own_budget() -> None:
    """A call for which its caller's budget has no turn in time is refused at once, as for any other budget."""
    traffic = governor(each_caller=2, patience=5)
    calls = [asyncio.ensure_future(use(traffic)) for _ in range(100)]

    refused, served = (await asyncio.wait(calls, timeout=0.1))[0] & set(calls[20:]), calls[:12]

    assert refused == set(calls[20:])
    assert {type(call.exception()) for call in refused} == {StripeRateLimited}
    assert await asyncio.gather(*served) == sorted(call.result() for call in served)
    await outcomes(list(calls))


@in_virtual_time
async def test_another_attempt_is_not_refused() -> None:
    """A call that Stripe may have acted on waits for its next attempt as long as its own time allows."""
    traffic = governor(each_endpoint=10, patience=1)
    line = [asyncio.ensure_future(use(traffic)) for _ in range(13)]
    await asyncio.sleep(0)

    async with traffic.turn(PAGES, Urgency.CALL, refusable=False):
        pass

    assert now() > 0
    await outcomes(list(line))


@in_virtual_time
async def test_a_caller_that_leaves_takes_no_turn() -> None:
    """F2: callers that leave while they wait take no turn from others."""
    traffic = governor(each_endpoint=10, patience=50)
    gone = [asyncio.ensure_future(use(traffic, caller=f"gone {number}")) for number in range(50)]
    await asyncio.sleep(0.01)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)

    asked = now()
    came = await use(traffic)

    assert came - asked <= 0.1
    assert traffic.waiting == 0


@in_virtual_time
async def test_a_turn_that_came_too_late() -> None:
    """F2: a turn given to a call in the moment in which it gives up goes to the next one."""
    traffic = governor(each_endpoint=1)
    await use(traffic)
    await use(traffic)
    first, second = (asyncio.ensure_future(use(traffic, caller=name)) for name in ("first", "second"))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    granted = now() + 1
    loop.call_at(granted, lambda: loop.call_soon(first.cancel))

    await asyncio.wait([first, second])

    assert first.cancelled()
    assert second.result() <= granted + 1
    assert traffic.waiting == 0


@pytest.mark.parametrize("endpoint", [None, PAGES])
@in_virtual_time
async def test_pause(endpoint: str | None) -> None:
    """F4: a pause delays every call that it is about, also those that wait; then the rate applies again."""
    traffic = governor(each_endpoint=10, patience=60)
    waiting = [asyncio.ensure_future(use(traffic)) for _ in range(30)]
    await asyncio.sleep(1)

    await traffic.pause(endpoint, 7)
    paused = now()
    elsewhere = await use(traffic, CHANGES)
    came = [moment for moment in await asyncio.gather(*waiting) if moment > paused]

    assert elsewhere >= paused + 7 if endpoint is None else elsewhere == paused
    assert len(came) >= 15
    assert min(came) >= paused + 7
    assert max(came) >= min(came) + 1.3


@in_virtual_time
async def test_pause_longer_than_patience() -> None:
    """A pause longer than the patience ends the waiting, for new calls and for those that already wait."""
    traffic = governor(each_endpoint=1, patience=5)
    first = [asyncio.ensure_future(use(traffic)) for _ in range(5)]
    await asyncio.sleep(0.5)

    await traffic.pause(None, 30)
    [*results] = await outcomes([*first, use(traffic)])

    assert [StripeRateLimited] * 5 == [type(result) for result in results if isinstance(result, Exception)]
    assert now() <= 6


@pytest.mark.parametrize("late", [0, 0.01])
@in_virtual_time
async def test_places(late: float) -> None:
    """U5: however slow Stripe is, lists leave places to pages, and pages to what is urgent."""
    traffic = governor(late=late)
    slow = [
        asyncio.ensure_future(use(traffic, caller=str(number), urgency=urgency, lasting=100))
        for urgency in (Urgency.LIST, Urgency.PAGE)
        for number in range(50)
    ]
    await asyncio.sleep(1)

    asked = now()
    came = await asyncio.gather(*(use(traffic, caller=str(number), urgency=Urgency.CALL) for number in range(10)))

    assert max(came) < asked + 0.01 + 10 * late
    assert max(await asyncio.gather(*slow)) > 0


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("callers", [1, 2, 3, 10, 25])
@in_virtual_time
async def test_slow_calls_of_some_callers(callers: int, urgency: Urgency) -> None:
    """U5: callers with slow calls leave places to others, whatever those ask: n of them have n/(n + 1) of all."""
    traffic = governor()
    slow = [
        asyncio.ensure_future(use(traffic, caller=str(number % callers), urgency=urgency, lasting=100))
        for number in range(20 * callers)
    ]
    await asyncio.sleep(0)

    came = await asyncio.gather(*(use(traffic, caller="other", urgency=urgency) for _ in range(10)))

    assert max(came) < 0.01
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


@in_virtual_time
async def test_a_shared_call_waits_in_each_line() -> None:
    """F1: a call that somebody with a long line began comes as soon as that of any caller who shares it."""
    traffic = governor(each_endpoint=10)
    context.caller.set("greedy")
    line = [asyncio.ensure_future(use(traffic, caller="greedy")) for _ in range(200)]
    party = Party("greedy")

    async def shared() -> float:
        context.party.set(party)
        return await use(traffic, caller="greedy")

    call = asyncio.ensure_future(shared())
    await asyncio.sleep(1)

    joined = now()
    party.join("other")
    came = await call

    assert came - joined <= 0.3
    for task in line:
        task.cancel()
    await asyncio.gather(*line, return_exceptions=True)
    assert traffic.waiting == 0


@in_virtual_time
async def test_a_shared_call_is_one_call() -> None:
    """F1: calls that a thousand callers share are no more than so many calls: none is refused, nor a newcomer's."""
    traffic = governor(each_endpoint=10, patience=5)
    party = Party(*map(str, range(1000)))

    async def shared() -> float:
        context.party.set(party)
        return await use(traffic)

    line = [asyncio.ensure_future(shared()) for _ in range(10)]
    await asyncio.sleep(0)

    assert await use(traffic, caller="newcomer") <= 1
    assert max(await asyncio.gather(*line)) <= 1


@pytest.mark.parametrize("late", [0, 0.07])
@in_virtual_time
async def test_cut_anywhere(late: float) -> None:
    """F2: a call that is cut off at any moment leaves nothing behind: no place, no turn, no line."""
    for moment in range(40):
        traffic = governor(each_endpoint=10, late=late)
        tasks = [asyncio.ensure_future(use(traffic, caller=str(number % 3), lasting=0.3)) for number in range(12)]
        for _ in range(moment):
            await asyncio.sleep(0.05 if moment % 2 else 0)
        for task in tasks[::2]:
            task.cancel()

        await asyncio.gather(*tasks, return_exceptions=True)

        assert all(not task.cancelled() for task in tasks[1::2])
        assert traffic.waiting == 0
        asked = now()
        assert await use(traffic, urgency=Urgency.LIST) - asked <= 0.1 + 2 * late


@pytest.mark.parametrize("urgency", Urgency)
@in_virtual_time
async def test_places_while_budgets_answer_late(urgency: Urgency) -> None:
    """U5: calls that ask at the same time and hear that there are turns for all have no more places than there are."""
    traffic, under_way, most = governor(late=0.02), 0, 0

    async def call(number: int) -> None:
        nonlocal under_way, most
        context.caller.set(str(number))
        async with traffic.turn(PAGES, urgency):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(1)
            under_way -= 1

    await asyncio.gather(*(call(number) for number in range(200)))

    assert most == {Urgency.LIST: 30, Urgency.PAGE: 40, Urgency.CALL: 50}[urgency]


@in_virtual_time
async def test_turns_that_nobody_waits_for_any_more() -> None:
    """F2: where all have left before the budgets answer, their turns are there for whoever comes."""
    traffic = governor(each_endpoint=0.1, late=1)
    for _ in range(3):
        gone = [asyncio.ensure_future(use(traffic, caller=str(number))) for number in range(5)]
        await asyncio.sleep(0.7)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)

    asked = now()

    assert await use(traffic) - asked < 5


@pytest.mark.parametrize("late", [0, 0.003])
@in_virtual_time
async def test_the_account_s_next_turn(late: float) -> None:
    """Where calls to several endpoints wait for the account, its next turn is for the most urgent of them."""
    traffic = governor(account=10, late=late)
    readers = [asyncio.ensure_future(use(traffic, caller="reader", urgency=Urgency.LIST)) for _ in range(100)]
    await asyncio.sleep(1)
    waits = []
    for _ in range(20):
        asked = now()
        waits.append(await use(traffic, CHANGES, caller="clerk", urgency=Urgency.CALL) - asked)
        await asyncio.sleep(0.31)

    assert max(waits) <= 0.11 + 2 * late
    for task in readers:
        task.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


@pytest.mark.parametrize("steps", range(12))
@in_virtual_time
async def test_a_caller_that_leaves_a_call_with_a_turn(steps: int) -> None:
    """F2: a shared call that gets its turn is not disturbed by a caller that leaves it so many steps later."""
    traffic = governor(each_endpoint=1)
    await use(traffic)
    await use(traffic)
    party = Party("first", "second")

    async def shared() -> float:
        context.party.set(party)
        return await use(traffic)

    async def leave() -> None:
        await asyncio.sleep(1)
        for _ in range(steps):
            await asyncio.sleep(0)
        party.leave("second")

    came, _ = await asyncio.gather(shared(), leave())

    assert came <= now()
    assert traffic.waiting == 0


@in_virtual_time
async def test_since_when_something_may_have_been_sent() -> None:
    """A party has begun with its first turn, however long it waited for that, and whatever follows."""
    traffic, party = governor(each_endpoint=0.1), Party("a")
    await use(traffic)
    context.party.set(party)
    first = asyncio.ensure_future(use(traffic))
    await asyncio.sleep(5)
    waiting = (party.waits, party.began)

    came = await first
    await use(traffic)

    assert waiting == (True, None)
    assert (party.waits, party.began) == (False, came)
    assert now() > came
