"""Readers of one source have patience once, whoever is slow."""

import asyncio

import pytest

from sidecar.clients.lists.shared import SharedStreams
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.test_shared import Source, read


async def stops_at(shared: SharedStreams[int], source: Source, stop: int, seconds: float) -> list[int]:
    """Read everything, and do nothing for so many seconds with one item in hand."""
    found: list[int] = []
    async for item in shared.join("list", source.begin):
        found.append(item)
        if item == stop:
            await asyncio.sleep(seconds)
    return found


@pytest.mark.parametrize("together", [1, 3])
@in_virtual_time
async def test_slow_one_after_another(together: int) -> None:
    """Readers who get slow one after another, or several at a time, cost the others two seconds together."""
    source, shared = Source(100), SharedStreams[int]()
    loop = asyncio.get_running_loop()
    stops = [10 * number for number in range(1, 9) for _ in range(together)]
    slow = [asyncio.ensure_future(stops_at(shared, source, stop, 1_000)) for stop in stops]

    quick = await read(shared.join("list", source.begin))

    assert list(range(1, 101)) == quick
    assert loop.time() <= 100 + 2 + 0.1 * len(slow) + 0.1
    assert [quick] * len(slow) == await asyncio.gather(*slow)
    assert source.open == 0


@pytest.mark.parametrize("together", [1, 3])
@in_virtual_time
async def test_patience_is_used_before_anybody_is_left_behind(together: int) -> None:
    """Readers who are slow for less than two seconds, at the same time, are waited for."""
    source, shared = Source(100), SharedStreams[int]()
    slow = [asyncio.ensure_future(stops_at(shared, source, 10, 3.9)) for _ in range(together)]  # two are ahead by then

    quick = await read(shared.join("list", source.begin))

    assert [quick] * together == await asyncio.gather(*slow)
    assert source.given == [100]


@in_virtual_time
async def test_jitter_is_no_slowness() -> None:
    """Once the patience is used up, readers who are late for a moment stay with the others."""
    source, shared = Source(100), SharedStreams[int]()
    slow = asyncio.ensure_future(stops_at(shared, source, 5, 1_000))
    late = [asyncio.ensure_future(stops_at(shared, source, 20 + number, 2.05)) for number in range(20)]

    quick = await read(shared.join("list", source.begin))

    assert [quick] * 20 == await asyncio.gather(*late)
    assert source.given == [100]
    assert await slow == quick
    assert source.given == [100, 100]


@in_virtual_time
async def test_others_in_hand_are_not_waiting() -> None:
    """A slow reader costs no patience while every other reader is busy with what it has."""
    source, shared = Source(20), SharedStreams[int]()
    busy = [asyncio.ensure_future(read(shared.join("list", source.begin), pause=30)) for _ in range(3)]

    slower = await read(shared.join("list", source.begin), pause=30.09)

    assert [slower] * 3 == await asyncio.gather(*busy)
    assert source.given == [20]
