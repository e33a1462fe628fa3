"""What a shared source keeps in memory: one copy for all readers, and nothing that all have finished with."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from weakref import WeakSet

import pytest

from sidecar.clients.lists.held import HeldBytes
from sidecar.clients.lists.shared import SharedStreams
from tests.doubles.virtual_time import in_virtual_time

SIZE = 10


class Item:
    """One of numbers from 1 on, of which `alive` tells which are in memory; an outline is not."""

    def __init__(self, number: int, alive: "WeakSet[Item] | None" = None) -> None:
        self.number = number
        if alive is not None:
            alive.add(self)


class Source:
    def __init__(self, last: int = 20) -> None:
        self.last = last
        self.alive: WeakSet[Item] = WeakSet()
        self.given = 0
        self.most_alive = 0  # when the next item was asked for, and had not come yet

    async def begin(self, after: Item | None) -> AsyncGenerator[Item]:
        for number in range(after.number + 1 if after else 1, self.last + 1):
            await asyncio.sleep(1)
            self.most_alive = max(self.most_alive, len(self.alive))
            self.given += 1
            yield Item(number, self.alive)


def streams(held: HeldBytes, patience: float = 2) -> SharedStreams[Item]:
    return SharedStreams(held, size=lambda _: SIZE, outline=lambda item: Item(item.number), patience=patience)


async def read(items: AsyncGenerator[Item], *, pause: float = 0, most: int = 1_000) -> list[int]:
    found: list[int] = []
    async with aclosing(items):
        async for item in items:
            found.append(item.number)
            del item
            if len(found) == most:
                break
            await asyncio.sleep(pause)
    return found


@pytest.mark.parametrize("readers", [1, 7])
@in_virtual_time
async def test_one_copy_is_counted(readers: int) -> None:
    """F5: However many readers are slow, what waits for them is counted once, with what they have in hand."""
    source, held = Source(), HeldBytes()
    shared = streams(held)
    reading = [asyncio.ensure_future(read(shared.join("list", source.begin), pause=1_000)) for _ in range(readers)]

    await asyncio.sleep(500)
    stopped = held.total
    found = await asyncio.gather(*reading)

    assert stopped == 3 * SIZE
    assert [list(range(1, 21))] * readers == found
    assert held.total == 0


@in_virtual_time
async def test_nothing_is_ahead_without_room() -> None:
    """F5: Without room a source gives the next item when all its readers wait for it, and all get all."""
    source, held = Source(), HeldBytes(0)
    shared = streams(held, patience=100)
    readings = [asyncio.ensure_future(read(shared.join("list", source.begin), pause=pause)) for pause in (1, 3)]

    await asyncio.sleep(2.5)
    assert (source.given, held.total) == (1, SIZE)
    found = await asyncio.gather(*readings)

    assert [list(range(1, 21))] * 2 == found
    assert source.given == 20
    assert held.total == 0


@in_virtual_time
async def test_what_was_finished_is_not_kept() -> None:
    """F5: While readers wait for an item, nothing of a source is in memory that they have finished with."""
    source, held = Source(), HeldBytes()
    shared = streams(held)

    await asyncio.gather(*(read(shared.join("list", source.begin)) for _ in range(3)))

    assert source.given == 20
    assert source.most_alive == 0


@in_virtual_time
async def test_reader_that_goes_on_alone_is_counted() -> None:
    """F5: A reader that was left behind counts what it has in hand, and keeps nothing that it has finished with."""
    source, held = Source(), HeldBytes()
    shared = streams(held)
    slow = asyncio.ensure_future(read(shared.join("list", source.begin), pause=30))
    await read(shared.join("list", source.begin))
    source.most_alive = 0

    await asyncio.sleep(200)
    alone = held.total
    found = await slow

    assert list(range(1, 21)) == found
    assert alone == SIZE
    assert (source.most_alive, held.total) == (0, 0)


@pytest.mark.parametrize("most", [1, 2, 5])
@in_virtual_time
async def test_readers_that_leave(most: int) -> None:
    """L3, F5: A reader that leaves gives back what waited for it, unless another reader still has it."""
    source, held = Source(), HeldBytes()
    shared = streams(held, patience=10_000)
    stays = asyncio.ensure_future(read(shared.join("list", source.begin), pause=100))

    await read(shared.join("list", source.begin), most=most)
    left = held.total
    await stays

    assert SIZE <= left <= 3 * SIZE
    assert held.total == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
