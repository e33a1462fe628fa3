"""Places: a caller's own, its line, the bound of all, places that are lent, and requests that leave."""

import asyncio
from collections.abc import Awaitable

import pytest

from sidecar.errors import Overloaded, TooManyRequests
from sidecar.web.admission.places import Place, Places
from tests.doubles.virtual_time import in_virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


async def use(places: Places, caller: str = "a", lasting: float = 1, lent: float = 0) -> float:
    """Take a place, lend it for `lent` seconds, then hold it for some; give the time at which it was taken."""
    async with places.place(caller) as place:
        came = now()
        if lent:
            async with place.lent():
                await asyncio.sleep(lent)
        await asyncio.sleep(lasting)
    return came


async def outcomes(uses: list[Awaitable[float]]) -> list[object]:
    found = await asyncio.gather(*uses, return_exceptions=True)
    return [one if isinstance(one, float) else type(one) for one in found]


@in_virtual_time
async def test_one_caller_waits_in_its_own_line() -> None:
    """F1: what a caller asks beyond its places waits in order, and takes no place from others."""
    places = Places(most=10, each=2, waiting=100, patience=60)

    greedy = [asyncio.ensure_future(use(places, "greedy")) for _ in range(8)]
    await asyncio.sleep(0)
    others = await outcomes([use(places, f"other {number}") for number in range(8)])

    assert others == [0.0] * 8
    assert await outcomes(list(greedy)) == pytest.approx([0, 0, 1, 1, 2, 2, 3, 3], abs=0.01)


@in_virtual_time
async def test_line_is_bounded() -> None:
    """F1: beyond its line a caller's requests are refused at once, and only its own."""
    places = Places(most=10, each=1, waiting=3, patience=60)

    greedy = [asyncio.ensure_future(use(places)) for _ in range(6)]
    await asyncio.sleep(0)

    assert [task.done() for task in greedy] == [False] * 4 + [True] * 2
    assert await use(places, "other") == 0
    assert (await outcomes(list(greedy)))[4:] == [TooManyRequests] * 2


@in_virtual_time
async def test_line_is_left_after_a_while() -> None:
    """A request that waited as long as it may is refused, with the time of the next try."""
    places = Places(most=10, each=1, waiting=10, patience=2.5)

    found = await asyncio.gather(*(use(places) for _ in range(5)), return_exceptions=True)

    refused = [one for one in found if isinstance(one, TooManyRequests)]
    assert len(refused) == 2
    assert refused[0].retry_after == 1


@in_virtual_time
async def test_all_places_are_taken() -> None:
    """L2: once all places are taken, whoever has room of its own is refused at once, and served a moment later."""
    places = Places(most=3, each=2, waiting=10, patience=60)
    holding = [asyncio.ensure_future(use(places, caller)) for caller in ("a", "a", "b")]
    await asyncio.sleep(0)

    assert await outcomes([use(places, "b"), use(places, "c")]) == [Overloaded] * 2
    await asyncio.gather(*holding)
    assert await use(places, "c") == now() - 1


@in_virtual_time
async def test_lent_places() -> None:
    """F1: who waits for something shared holds no place, and comes back before its caller's other requests."""
    places = Places(most=1, each=1, waiting=10, patience=60)

    lending = asyncio.ensure_future(use(places, "lending", lent=5))
    await asyncio.sleep(0)
    assert await use(places, "other", lasting=3) == 0
    line = [asyncio.ensure_future(use(places, "lending", lasting=4)) for _ in range(2)]
    await lending
    back = now()

    assert back == pytest.approx(3 + 4 + 1, abs=0.01)
    assert await outcomes(list(line)) == pytest.approx([3, 8], abs=0.01)


@in_virtual_time
async def test_a_place_lent_several_times_at_once() -> None:
    """F1: a request that waits for several shared things at once gets one place back, after the last of them."""
    places = Places(most=3, each=3, waiting=10, patience=60)

    async def wait(place: Place, seconds: float) -> None:
        async with place.lent():
            await asyncio.sleep(seconds)

    async def ask() -> float:
        async with places.place("a") as place:
            await asyncio.gather(*(wait(place, seconds) for seconds in (1, 2, 2, 3)), return_exceptions=True)
            return now()

    asking = asyncio.ensure_future(ask())
    await asyncio.sleep(2.5)
    assert await outcomes([use(places, lasting=0.1) for _ in range(3)]) == [2.5] * 3

    assert await asking == 3
    assert await outcomes([use(places) for _ in range(3)]) == [3] * 3


@in_virtual_time
async def test_lines_take_turns() -> None:
    """F1: where all places are taken, a place that gets free goes to whoever waits longest, whose it was or not."""
    places = Places(most=2, each=2, waiting=1000, patience=1000)
    lending = asyncio.ensure_future(use(places, "lending", lent=1))
    await asyncio.sleep(0)
    greedy = [asyncio.ensure_future(use(places, "greedy")) for _ in range(100)]

    await lending

    assert now() <= 3
    assert (await outcomes(list(greedy)))[-1] == pytest.approx(50, abs=1)


@in_virtual_time
async def test_a_crowd_comes_back() -> None:
    """F1: a thousand callers that waited for one thing are all served, with far fewer places."""
    places = Places(most=20, each=2, waiting=1, patience=60)

    async def wait_together(number: int) -> float:
        return await use(places, str(number), lasting=0.01, lent=1)

    came = []
    for start in range(0, 1000, 20):
        came += [asyncio.ensure_future(wait_together(number)) for number in range(start, start + 20)]
        await asyncio.sleep(0)

    assert len(await asyncio.gather(*came)) == 1000


@in_virtual_time
async def test_a_crowd_of_one_caller_comes_back() -> None:
    """C4: a thousand requests of one caller that waited for one thing are all served, however short its line."""
    places = Places(most=20, each=2, waiting=0, patience=0.1)
    came = []
    for _ in range(500):
        came += [asyncio.ensure_future(use(places, lasting=0.01, lent=1)) for _ in range(2)]
        await asyncio.sleep(0)

    assert len(await asyncio.gather(*came)) == 1000


@in_virtual_time
async def test_cut_anywhere() -> None:
    """F2: a request that is cut off at any moment gives everything back and passes its turn on."""
    for moment in range(60):
        places = Places(most=3, each=2, waiting=10, patience=60)
        tasks = [
            asyncio.ensure_future(use(places, "ab"[number % 2], lasting=0.3, lent=0.2 * (number % 3)))
            for number in range(4)
        ]
        for _ in range(moment):
            await asyncio.sleep(0.02 if moment % 2 else 0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

        assert await outcomes([use(places, caller) for caller in ("a", "a", "b")]) == pytest.approx([now() - 1] * 3)


@in_virtual_time
async def test_a_place_that_came_too_late() -> None:
    """F2: a place given to a request in the moment in which it leaves goes to the next."""
    places = Places(most=5, each=1, waiting=10, patience=60)
    holding = asyncio.ensure_future(use(places))
    first, second = (asyncio.ensure_future(use(places)) for _ in range(2))
    await asyncio.sleep(0)
    holding.add_done_callback(lambda _: first.cancel())

    await asyncio.wait([first, second])

    assert first.cancelled()
    assert second.result() == pytest.approx(1, abs=0.01)
