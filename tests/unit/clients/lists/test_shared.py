"""One source for readers that start together; each reader gets every item, whatever the others do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from sidecar import context
from sidecar.clients.lists.shared import SharedStreams
from sidecar.core.urgency import Urgency
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.stripe.governors import governor


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
    """Readers that ask before the first item share one source, and all get every item."""
    source, shared = Source(), SharedStreams[int]()

    results = await asyncio.gather(*(read(shared.join("list", source.begin)) for _ in range(50)))

    assert [list(range(1, 21))] * 50 == results
    assert source.given == [20]


@in_virtual_time
async def test_later_reader_begins_anew() -> None:
    """A reader that asks after the first item gets every item too, from a source of its own."""
    source, shared = Source(), SharedStreams[int]()
    first = asyncio.ensure_future(read(shared.join("list", source.begin)))
    await asyncio.sleep(1.5)

    second = await read(shared.join("list", source.begin))

    assert await first == second == list(range(1, 21))
    assert source.given == [20, 20]


@in_virtual_time
async def test_other_keys_are_other_sources() -> None:
    """Two keys share nothing."""
    shared, ours, theirs = SharedStreams[int](), Source(3), Source(4)

    joined = shared.join("ours", ours.begin), shared.join("theirs", theirs.begin)
    found = await asyncio.gather(*(read(items) for items in joined))

    assert found == [[1, 2, 3], [1, 2, 3, 4]]


@in_virtual_time
async def test_error_reaches_all() -> None:
    """An error reaches every reader after the items before it, and the next reader opens a new source."""
    source, shared = Source(error_after=3), SharedStreams[int]()
    found: list[list[int]] = [[], []]

    async def reading(into: list[int]) -> None:
        async for item in shared.join("list", source.begin):
            into.append(item)  # noqa: PERF401 - items before the error count

    ended = await asyncio.gather(*(reading(into) for into in found), return_exceptions=True)
    source.error_after = None
    afterwards = await read(shared.join("list", source.begin))

    assert [OSError, OSError] == [type(end) for end in ended]
    assert found == [[1, 2, 3]] * 2
    assert len(afterwards) == 20


@in_virtual_time
async def test_error_before_the_first_item() -> None:
    """An error before the first item reaches every reader too."""
    source, shared = Source(error_after=0), SharedStreams[int]()

    readings = (read(shared.join("list", source.begin)) for _ in range(3))
    ended = await asyncio.gather(*readings, return_exceptions=True)

    assert [OSError] * 3 == [type(end) for end in ended]


@pytest.mark.parametrize("most", [1, 3])
@in_virtual_time
async def test_last_reader_ends_the_source(most: int) -> None:
    """L3: when the last reader leaves, the source is closed and none of its tasks continues."""
    source, shared = Source(), SharedStreams[int]()

    await asyncio.gather(*(read(shared.join("list", source.begin), most=most) for _ in range(2)))

    assert source.open == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert source.given[0] <= most + 2


@in_virtual_time
async def test_canceled_before_the_first_item() -> None:
    """L3: a reader that leaves before the first item leaves nothing behind."""
    source, shared = Source(), SharedStreams[int]()
    reading = asyncio.ensure_future(read(shared.join("list", source.begin)))
    await asyncio.sleep(0.5)

    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert source.open == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


@in_virtual_time
async def test_one_leaves_the_others_go_on() -> None:
    """The reader that opened the source may leave, even with unread items."""
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
    """A source is never more than a few items ahead of a lone slow reader."""
    source, shared = Source(), SharedStreams[int]()
    reader = shared.join("list", source.begin)
    await anext(reader)

    await asyncio.sleep(1_000)

    assert source.given[0] <= 4
    assert list(range(2, 21)) == await read(reader)


@pytest.mark.parametrize("pause", [1.3, 4, 1_000])
@in_virtual_time
async def test_slow_reader_is_left_behind(pause: float) -> None:
    """Other readers wait for a slow one a few seconds in all; then it continues alone and still gets every item."""
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
    """If no reader has to wait for another, all stay together."""
    source, shared = Source(), SharedStreams[int](patience=3)

    found = await asyncio.gather(*(read(shared.join("list", source.begin), pause=30) for _ in range(5)))

    assert [list(range(1, 21))] * 5 == found
    assert source.given == [20]


@in_virtual_time
async def test_no_reader_joins_a_forgotten_source() -> None:
    """C7: A reader after `forget` opens a new source even if no item was given; earlier readers still get all."""
    source, shared = Source(), SharedStreams[int]()
    before = [asyncio.ensure_future(read(shared.join("list", source.begin))) for _ in range(2)]
    await asyncio.sleep(0.5)

    shared.forget()
    after = await read(shared.join("list", source.begin))

    assert [*await asyncio.gather(*before), after] == [list(range(1, 21))] * 3
    assert source.given == [20, 20]
    assert (source.open, asyncio.all_tasks()) == (0, {asyncio.current_task()})


@in_virtual_time
async def test_a_source_that_waits_for_its_turn_is_not_forgotten() -> None:
    """F1: readers join a source that fetched nothing yet, whatever changes meanwhile; afterwards `forget` counts."""
    traffic, source, shared = governor(each_endpoint=1), Source(), SharedStreams[int]()
    for _ in range(2):
        async with traffic.turn("GET /v1/customers", Urgency.LIST):
            pass

    async def in_turn(after: int | None) -> AsyncGenerator[int]:
        async with traffic.turn("GET /v1/customers", Urgency.LIST):
            pass
        async for item in source.begin(after):
            yield item

    readers = []
    for _ in range(3):
        readers.append(asyncio.ensure_future(read(shared.join("list", in_turn))))
        await asyncio.sleep(0.01)
        shared.forget()
    await asyncio.sleep(1)
    shared.forget()
    readers.append(asyncio.ensure_future(read(shared.join("list", in_turn))))

    assert await asyncio.gather(*readers) == [list(range(1, 21))] * 4
    assert source.given == [20, 20]


@in_virtual_time
async def test_readers_after_forget_share_a_source() -> None:
    """Readers after `forget` share one source, also when the last of the earlier readers leaves."""
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


@in_virtual_time
async def test_in_the_name_of_all_readers() -> None:
    """F1: what a source fetches waits for its turns in the line of each reader, until that one leaves."""
    parties: list[set[str]] = []

    async def pages() -> AsyncGenerator[int]:
        for number in range(3):
            await asyncio.sleep(1)
            party = context.party.get()
            parties.append(set() if party is None else set(party.callers))
            yield number

    async def read(shared: SharedStreams[int], caller: str, most: int) -> None:
        context.caller.set(caller)
        async with aclosing(shared.join("key", lambda _: pages())) as items:
            async for item in items:
                if item == most:
                    return

    shared = SharedStreams[int]()
    await asyncio.gather(read(shared, "first", 0), read(shared, "second", 3))

    assert parties == [{"first", "second"}, {"second"}, {"second"}]
