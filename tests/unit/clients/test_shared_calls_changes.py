"""One call for all who ask at the same moment, unless another replica told of a change since it began."""

import asyncio
from contextlib import suppress

import pytest

from sidecar import context
from sidecar.clients.shared_calls import SharedCalls
from sidecar.errors import StripeUnavailable
from tests.doubles.changes import ChangesElsewhere
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.test_shared_calls import Source, ask


@in_virtual_time
async def test_who_begins_a_call_looks_at_nothing() -> None:
    """A request that joins no other one asks no other replica."""
    changes = ChangesElsewhere()
    shared, source = SharedCalls[int](moment=60, changes=changes), Source()

    answers = [await ask(shared, source) for _ in range(3)]
    others = await asyncio.gather(*(ask(shared, source, key=key) for key in range(3)))

    assert (answers, others, changes.looks) == ([1, 2, 3], [4, 5, 6], [])


@in_virtual_time
async def test_one_call_where_nothing_changed() -> None:
    """C4: a hundred at once are one call, of which all but the first asked whether it may be joined."""
    changes = ChangesElsewhere()
    shared, source = SharedCalls[int](changes=changes), Source()

    answers = await asyncio.gather(*(ask(shared, source) for _ in range(100)))

    assert (answers, source.calls) == ([1] * 100, 1)
    assert changes.looks == [0.0] * 99


@pytest.mark.parametrize("answered", [False, True])
@in_virtual_time
async def test_a_change_elsewhere(*, answered: bool) -> None:
    """Nobody who asks after a change is told joins a call from before it; those who wait get its answer."""
    changes = ChangesElsewhere()
    shared, source = SharedCalls[int](moment=60, changes=changes), Source()
    before = [ask(shared, source) for _ in range(2)]
    await asyncio.sleep(2 if answered else 0.5)

    await changes.tell()
    after = [await one for one in [ask(shared, source) for _ in range(3)]]

    assert [await one for one in before] == [1, 1]
    assert (after, source.calls) == ([2, 2, 2], 2)


@pytest.mark.parametrize("many", [2, 100])
@in_virtual_time
async def test_those_who_may_not_join_share_a_new_call(many: int) -> None:
    """F3: however many come after a change, one of them calls again, and the others join that without another look."""
    changes = ChangesElsewhere()
    shared, source = SharedCalls[int](changes=changes), Source()
    before = ask(shared, source)
    await asyncio.sleep(0.5)
    await changes.tell()

    after = []
    for _ in range(many):
        after.append(ask(shared, source))
        await asyncio.sleep(changes.latency / 10)
    answers = [await one for one in after]

    assert (await before, answers, source.calls) == (1, [2] * many, 2)
    assert len(changes.looks) == many


@in_virtual_time
async def test_where_nobody_knows() -> None:
    """Without an answer about changes a crowd makes a second call, which began after all of it came, and no third."""
    changes = ChangesElsewhere(known=False)
    shared, source = SharedCalls[int](changes=changes), Source()

    answers = await asyncio.gather(*(ask(shared, source) for _ in range(100)))

    assert (answers, source.calls) == ([1] + [2] * 99, 2)


@in_virtual_time
async def test_a_call_that_waits_for_its_turn_needs_no_look() -> None:
    """F1: a call that was not made yet is joined whatever changes; from its turn on a look says whether it may be."""
    changes = ChangesElsewhere(known=False)
    shared, source = SharedCalls[int](changes=changes), Source()

    async def in_turn() -> int:
        party = context.party.get()
        assert party is not None
        party.wait()
        await asyncio.sleep(5)
        party.begin(asyncio.get_running_loop().time())
        return await source()

    waiting = [ask(shared, in_turn)]
    for _ in range(10):
        await asyncio.sleep(0.4)
        await changes.tell()
        waiting.append(ask(shared, in_turn))
    answers = [await one for one in waiting]
    looks_before = list(changes.looks)
    begun = ask(shared, in_turn)
    await asyncio.sleep(5.5)
    changes.known = True
    late = ask(shared, in_turn)

    assert (answers, looks_before) == ([1] * 11, [])
    assert (await begun, await late, changes.looks) == (2, 2, [11.0])


@pytest.mark.parametrize("fails", [False, True])
@in_virtual_time
async def test_the_call_ends_meanwhile(*, fails: bool) -> None:
    """Who asked before the answer gets it, or its error, although it came while the look was under way."""
    changes = ChangesElsewhere(latency=3)
    shared, source = SharedCalls[int](changes=changes), Source(fails=fails)

    outcomes = await asyncio.gather(*(ask(shared, source) for _ in range(3)), return_exceptions=True)

    assert [1 if one == 1 else type(one) for one in outcomes] == [StripeUnavailable if fails else 1] * 3
    assert source.calls == 1


@in_virtual_time
async def test_a_call_that_failed_meanwhile_is_nobodys_who_may_not_join() -> None:
    """The error of a call from before a change is not told to who asked after it."""
    changes = ChangesElsewhere(latency=3)
    shared, source = SharedCalls[int](changes=changes), Source(fails=True)
    before = ask(shared, source)
    await asyncio.sleep(0.5)
    await changes.tell()
    after = ask(shared, source)
    await asyncio.sleep(1)
    source.fails = False

    assert await after == 2
    with pytest.raises(StripeUnavailable):
        await before


@in_virtual_time
async def test_the_first_leaves_meanwhile() -> None:
    """F2: a call goes on for who looks whether it may be joined; if that one leaves too, it ends."""
    for both in (False, True):
        changes = ChangesElsewhere(latency=0.5)
        shared, source = SharedCalls[int](changes=changes), Source()
        first, second = ask(shared, source), ask(shared, source)
        await asyncio.sleep(0.2)

        first.cancel()
        if both:
            second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await asyncio.sleep(0)

        assert source.ended == 1
        assert second.cancelled() if both else await second == 1


@in_virtual_time
async def test_forgotten_meanwhile() -> None:
    """What this replica changes while somebody looks keeps nobody from joining who had asked before."""
    changes = ChangesElsewhere()
    shared, source = SharedCalls[int](changes=changes), Source()
    tasks = [ask(shared, source) for _ in range(3)]
    await asyncio.sleep(changes.latency / 2)

    shared.forget()

    assert [await one for one in tasks] == [1, 1, 1]
    assert await ask(shared, source) == 2


@in_virtual_time
async def test_cut_anywhere() -> None:
    """F2: whoever is cut off at any moment after a change, the others get the new answer, and no call goes on."""
    for moment in range(30):
        changes = ChangesElsewhere(latency=0.3)
        shared, source = SharedCalls[int](changes=changes), Source()
        before = ask(shared, source)
        await asyncio.sleep(0.5)
        await changes.tell()
        tasks = [ask(shared, source, str(number)) for number in range(6)]
        await asyncio.sleep(0.06 * moment)

        for task in [before, *tasks[::2]]:
            task.cancel()
        await ended(before, *tasks)

        assert [task.result() for task in tasks[1::2]] == [2] * 3
        assert source.calls == source.ended == 2


async def ended(*tasks: asyncio.Task[int]) -> None:
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


@in_virtual_time
async def test_what_is_called_anew_is_kept_last() -> None:
    """F5: of the sixteen that are kept, one that was called again after a change is the newest."""
    changes = ChangesElsewhere()
    shared, source = SharedCalls[int](moment=600, changes=changes), Source()
    for key in range(16):
        await asyncio.gather(*(ask(shared, source, key=key) for _ in range(2)))
    await changes.tell()
    await asyncio.sleep(1)
    for key in (0, 16):
        await asyncio.gather(*(ask(shared, source, key=key) for _ in range(2)))

    assert await ask(shared, source, key=0) == 17
