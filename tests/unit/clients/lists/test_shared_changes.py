"""One source for readers that start together, unless another replica told of a change since it began."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from sidecar import context
from sidecar.clients.lists.shared import SharedStreams
from tests.doubles.changes import ChangesElsewhere
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.test_shared import Source, read

ALL = list(range(1, 21))


def reading(shared: SharedStreams[int], source: Source, *, most: int | None = None) -> asyncio.Task[list[int]]:
    return asyncio.ensure_future(read(shared.join("list", source.begin), most=most))


@in_virtual_time
async def test_who_begins_a_source_looks_at_nothing() -> None:
    """A reader that joins no other one asks no other replica, also where a source has given items."""
    changes = ChangesElsewhere()
    source, shared = Source(), SharedStreams[int](changes=changes)

    first = reading(shared, source)
    await asyncio.sleep(1.5)
    second = reading(shared, source)

    assert [await first, await second] == [ALL, ALL]
    assert (source.given, changes.looks) == ([20, 20], [])


@in_virtual_time
async def test_one_source_where_nothing_changed() -> None:
    """Readers at once share a source, of which all but the first asked whether it may be joined."""
    changes = ChangesElsewhere()
    source, shared = Source(), SharedStreams[int](changes=changes)

    found = await asyncio.gather(*(reading(shared, source) for _ in range(100)))

    assert found == [ALL] * 100
    assert (source.given, changes.looks) == ([20], [0.0] * 99)


@pytest.mark.parametrize("many", [1, 2, 100])
@in_virtual_time
async def test_a_change_elsewhere(many: int) -> None:
    """F3: readers after a change share a new source, however many; the earlier reader still gets everything."""
    changes = ChangesElsewhere()
    source, shared = Source(), SharedStreams[int](changes=changes)
    before = reading(shared, source)
    await asyncio.sleep(0.5)
    await changes.tell()

    after = []
    for _ in range(many):
        after.append(reading(shared, source))
        await asyncio.sleep(changes.latency / 10)

    assert [await one for one in [before, *after]] == [ALL] * (many + 1)
    assert (source.given, len(changes.looks)) == ([20, 20], many)
    assert (source.open, asyncio.all_tasks()) == (0, {asyncio.current_task()})


@in_virtual_time
async def test_where_nobody_knows() -> None:
    """Without an answer about changes a crowd opens a second source, after all of it came, and no third."""
    changes = ChangesElsewhere(known=False)
    source, shared = Source(), SharedStreams[int](changes=changes)

    found = await asyncio.gather(*(reading(shared, source) for _ in range(100)))

    assert (found, source.given) == ([ALL] * 100, [20, 20])


@in_virtual_time
async def test_a_source_that_waits_for_its_turn_needs_no_look() -> None:
    """F1: readers join a source that has fetched nothing yet, whatever changes meanwhile."""
    changes = ChangesElsewhere(known=False)
    source, shared = Source(), SharedStreams[int](changes=changes)

    async def in_turn(after: int | None) -> AsyncGenerator[int]:
        party = context.party.get()
        assert party is not None
        party.wait()
        await asyncio.sleep(5)
        party.begin(asyncio.get_running_loop().time())
        async for item in source.begin(after):
            yield item

    readers = []
    for _ in range(10):
        readers.append(asyncio.ensure_future(read(shared.join("list", in_turn))))
        await asyncio.sleep(0.4)
        await changes.tell()
    await asyncio.sleep(1.5)
    changes.known = True
    late = asyncio.ensure_future(read(shared.join("list", in_turn)))

    assert [await one for one in [*readers, late]] == [ALL] * 11
    assert (source.given, changes.looks) == ([20], [5.0])


@pytest.mark.parametrize(("joins", "opened"), [(True, [20]), (False, [20, 20])])
@in_virtual_time
async def test_items_given_meanwhile(*, joins: bool, opened: list[int]) -> None:
    """A reader gets every item once, though some were given while it looked whether it may join their source."""
    changes = ChangesElsewhere(latency=2.5)
    source, shared = Source(), SharedStreams[int](changes=changes)
    before = reading(shared, source)
    await asyncio.sleep(0.5)
    if not joins:
        await changes.tell()

    after = reading(shared, source)

    assert [await before, await after] == [ALL, ALL]
    assert source.given == opened


@in_virtual_time
async def test_the_source_ends_meanwhile() -> None:
    """A list that was given whole while a reader looked is still that reader's, and so is the error that ended it."""
    for error_after in (None, 2):
        changes = ChangesElsewhere(latency=4)
        source, shared = Source(last=3, error_after=error_after), SharedStreams[int](changes=changes)

        outcomes = await asyncio.gather(*(reading(shared, source) for _ in range(3)), return_exceptions=True)

        expected = [1, 2, 3] if error_after is None else OSError
        assert [one if isinstance(one, list) else type(one) for one in outcomes] == [expected] * 3
        assert len(source.given) == 1


@in_virtual_time
async def test_a_very_slow_look_keeps_nobody_waiting() -> None:
    """A reader that still looks is left behind like a slow one, and then reads all of a source of its own."""
    changes = ChangesElsewhere(latency=1_000)
    source, shared = Source(), SharedStreams[int](changes=changes, patience=3)
    quick, slow = reading(shared, source), reading(shared, source)

    assert await quick == ALL
    assert asyncio.get_running_loop().time() < 30
    assert await slow == ALL
    assert source.given == [20, 20]


@in_virtual_time
async def test_readers_leave_meanwhile() -> None:
    """F2: a source goes on for who looks whether it may be joined; if that one leaves too, it ends."""
    for both in (False, True):
        changes = ChangesElsewhere(latency=0.5)
        source, shared = Source(), SharedStreams[int](changes=changes)
        first, second = reading(shared, source), reading(shared, source)
        await asyncio.sleep(0.2)

        first.cancel()
        if both:
            second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)

        assert second.cancelled() if both else await second == ALL
        assert (source.given, source.open) == ([0 if both else 20], 0)
        assert asyncio.all_tasks() == {asyncio.current_task()}


@in_virtual_time
async def test_cut_anywhere() -> None:
    """F2: whoever is cut off at any moment after a change, the others get everything, and no source stays open."""
    for moment in range(30):
        changes = ChangesElsewhere(latency=0.3)
        source, shared = Source(3), SharedStreams[int](changes=changes)
        before = reading(shared, source)
        await asyncio.sleep(0.5)
        await changes.tell()
        tasks = [reading(shared, source) for _ in range(6)]
        await asyncio.sleep(0.1 * moment)

        for task in [before, *tasks[::2]]:
            task.cancel()
        await asyncio.gather(before, *tasks, return_exceptions=True)

        assert [task.result() for task in tasks[1::2]] == [[1, 2, 3]] * 3
        assert (len(source.given), source.open) == (2, 0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
