"""One source for readers who ask at the same moment; each gets all of it, whatever the others do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from sidecar.clients.lists.shared import SharedStreams
from tests.unit.clients.virtual_time import in_virtual_time


class Source:
    """Numbers up to `last`, one a second; `given` is how far each opening got, `open` how many have not ended."""

    def __init__(self, last: int = 20, error_after: int | None = None) -> None:
        self.last = last
        self.error_after = error_after
        self.given: list[int] = []
        self.open = 0

    async def begin(self, after: int | None) -> AsyncGenerator[int]:
        opening = len(self.given)
        self.given.append(0)
        self.open += 1
        try:
            for number in range((after or 0) + 1, self.last + 1):
                await asyncio.sleep(1)
                if self.error_after is not None and number > self.error_after:
                    raise OSError("gone")
                self.given[opening] = number
                yield number
        finally:
            self.open -= 1


async def read(leaves: AsyncGenerator[int], *, pause: float = 0, most: int | None = None) -> list[int]:
    """Take items with a pause after each, and leave after `most`."""
    found: list[int] = []
    async with aclosing(leaves):
        async for item in leaves:
            found.append(item)
            if len(found) == most:
                break
            await asyncio.sleep(pause)
    return found


@in_virtual_time
async def test_readers_at_once_share() -> None:
    """All who ask before the first item is there get everything from one source."""
    source, shared = Source(), SharedStreams[int]()

    results = await asyncio.gather(*(read(shared.join("list", source.begin)) for _ in range(50)))

    assert [list(range(1, 21))] * 50 == results
    assert source.given == [20]


@in_virtual_time
async def test_later_reader_begins_anew() -> None:
    """Who comes after the first item gets everything too, from a source of its own."""
    source, shared = Source(), SharedStreams[int]()
    first = asyncio.ensure_future(read(shared.join("list", source.begin)))
    await asyncio.sleep(1.5)

    second = await read(shared.join("list", source.begin))

    assert await first == second == list(range(1, 21))
    assert source.given == [20, 20]


@in_virtual_time
async def test_other_keys_are_other_sources() -> None:
    """Nothing is shared between two keys."""
    shared, ours, theirs = SharedStreams[int](), Source(3), Source(4)

    joined = shared.join("ours", ours.begin), shared.join("theirs", theirs.begin)
    found = await asyncio.gather(*(read(items) for items in joined))

    assert found == [[1, 2, 3], [1, 2, 3, 4]]


@in_virtual_time
async def test_error_reaches_all() -> None:
    """An error comes to every reader, after all that was given before it, and the next one asks afresh."""
    source, shared = Source(error_after=3), SharedStreams[int]()
    found: list[list[int]] = [[], []]

    async def reading(into: list[int]) -> None:
        async for item in shared.join("list", source.begin):
            into.append(item)  # noqa: PERF401 - what came before the error counts

    ended = await asyncio.gather(*(reading(into) for into in found), return_exceptions=True)
    source.error_after = None
    afterwards = await read(shared.join("list", source.begin))

    assert [OSError, OSError] == [type(end) for end in ended]
    assert found == [[1, 2, 3]] * 2
    assert len(afterwards) == 20


@in_virtual_time
async def test_error_before_the_first_item() -> None:
    """The same when there was nothing yet."""
    source, shared = Source(error_after=0), SharedStreams[int]()

    readings = (read(shared.join("list", source.begin)) for _ in range(3))
    ended = await asyncio.gather(*readings, return_exceptions=True)

    assert [OSError] * 3 == [type(end) for end in ended]


@pytest.mark.parametrize("most", [1, 3])
@in_virtual_time
async def test_last_reader_ends_the_source(most: int) -> None:
    """L3: when the last reader leaves, the source is closed and nothing of it goes on."""
    source, shared = Source(), SharedStreams[int]()

    await asyncio.gather(*(read(shared.join("list", source.begin), most=most) for _ in range(2)))

    assert source.open == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert source.given[0] <= most + 2


@in_virtual_time
async def test_cancelled_before_the_first_item() -> None:
    """L3: a reader that goes away while nothing has come yet leaves nothing behind."""
    source, shared = Source(), SharedStreams[int]()
    reading = asyncio.ensure_future(read(shared.join("list", source.begin)))
    await asyncio.sleep(0.5)

    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert source.open == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


@in_virtual_time
async def test_one_leaves_the_others_go_on() -> None:
    """The one that began it may leave; it need not even have read what was there for it."""
    source, shared = Source(), SharedStreams[int]()
    slow = asyncio.ensure_future(read(shared.join("list", source.begin), pause=1.9))
    leaver = asyncio.ensure_future(read(shared.join("list", source.begin), pause=10_000))
    await asyncio.sleep(5)

    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)

    assert list(range(1, 21)) == await slow
    assert source.given == [20]


@in_virtual_time
async def test_source_keeps_pace() -> None:
    """A source is never further ahead of a lone slow reader than a few items."""
    source, shared = Source(), SharedStreams[int]()
    reader = shared.join("list", source.begin)
    await anext(reader)

    await asyncio.sleep(1_000)

    assert source.given[0] <= 4
    assert list(range(2, 21)) == await read(reader)


@pytest.mark.parametrize("pause", [1.3, 4, 1_000])
@in_virtual_time
async def test_slow_reader_is_left_behind(pause: float) -> None:
    """Others wait for a slow reader some seconds altogether; it goes on by itself, and still gets everything once."""
    source, shared = Source(100), SharedStreams[int](patience=3)
    began = asyncio.get_running_loop().time()
    slow = asyncio.ensure_future(read(shared.join("list", source.begin), pause=pause))

    quick = await read(shared.join("list", source.begin))

    assert list(range(1, 101)) == quick
    assert asyncio.get_running_loop().time() - began <= 100 + 3 + 1
    assert list(range(1, 101)) == await slow
    assert source.given == [100, 100]
    assert source.open == 0


@in_virtual_time
async def test_all_equally_slow() -> None:
    """Nobody is left behind where nobody has to wait for another."""
    source, shared = Source(), SharedStreams[int](patience=3)

    found = await asyncio.gather(*(read(shared.join("list", source.begin), pause=30) for _ in range(5)))

    assert [list(range(1, 21))] * 5 == found
    assert source.given == [20]


@in_virtual_time
async def test_nobody_joins_what_was_begun_before_it_was_forgotten() -> None:
    """C7: Who comes afterwards begins anew, though nothing was given yet; who had joined still gets everything."""
    source, shared = Source(), SharedStreams[int]()
    before = [asyncio.ensure_future(read(shared.join("list", source.begin))) for _ in range(2)]
    await asyncio.sleep(0.5)

    shared.forget()
    after = await read(shared.join("list", source.begin))

    assert [*await asyncio.gather(*before), after] == [list(range(1, 21))] * 3
    assert source.given == [20, 20]
    assert (source.open, asyncio.all_tasks()) == (0, {asyncio.current_task()})


@in_virtual_time
async def test_who_comes_after_it_was_forgotten_shares_again() -> None:
    """Those who come after are together again, also when the last of those before leaves."""
    source, shared = Source(), SharedStreams[int]()
    before = asyncio.ensure_future(read(shared.join("list", source.begin)))
    await asyncio.sleep(0.3)

    shared.forget()
    first = asyncio.ensure_future(read(shared.join("list", source.begin)))
    await asyncio.sleep(0.3)
    before.cancel()
    await asyncio.gather(before, return_exceptions=True)
    second = await read(shared.join("list", source.begin))

    assert await first == second == list(range(1, 21))
    assert source.given == [0, 20]
