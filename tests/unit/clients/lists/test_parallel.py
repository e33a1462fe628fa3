"""Parallel pagination gives the whole list: compared with plain pagination, for any account and any change to it."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.lists.parallel import ParallelList
from sidecar.core.operations.list_query import RenderedPage, Span
from sidecar.errors import StripeFailure, StripeRateLimited, StripeRejected, StripeTimeout, StripeUnavailable
from tests.doubles.virtual_time import VirtualTimeLoop, in_virtual_time
from tests.unit.clients.lists.paged_account import KINDS, NOW, Account, Change, Row, in_time_order, times

pytestmark = pytest.mark.slow

SIZES = st.sampled_from([0, 1, 99, 100, 101, 199, 200, 201, 250]) | st.integers(1, 5_000)
TIMES = st.builds(times, st.sampled_from(list(KINDS)), SIZES, st.integers(0, 1_000_000))
CONCURRENCY = st.sampled_from([1, 2, 6, 32])
SEEDS = st.integers(0, 1_000_000)
ALL = Span()


def run(test: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(test)


def uneven(seed: int) -> Callable[[], float]:
    """Answers overtake each other."""
    dice = random.Random(seed)  # noqa: S311 - test data
    return lambda: dice.choice([0.1, 1, 1, 1, 7])


def pages(account: Account, concurrency: int, span: Span = ALL, *after: str) -> AsyncGenerator[RenderedPage]:
    return ParallelList(account.fetch, concurrency).pages(span, after)


async def read(given: AsyncGenerator[RenderedPage]) -> tuple[list[str], StripeFailure | None]:
    """Give the IDs, and the error that ended the list, if any."""
    found: list[str] = []
    try:
        async for page in given:
            assert page.ids, "a page without objects was given"
            found += page.ids
    except StripeFailure as failure:
        return found, failure
    return found, None


def ids(rows: list[Row]) -> list[str]:
    return [identifier for _, identifier in rows]


def plain_requests(number: int) -> int:
    return max(1, -(-number // 100))


async def no_task_is_left() -> None:
    assert asyncio.all_tasks() == {asyncio.current_task()}


@settings(max_examples=150, deadline=None)
@given(TIMES, CONCURRENCY, SEEDS)
def test_same_as_plain_paging(created: list[int], concurrency: int, seed: int) -> None:
    """The result is that of plain pagination, in order, within bounds on requests, concurrency and buffered pages."""

    async def test() -> None:
        account = Account(in_time_order(created), latency=uneven(seed))
        waiting = given_out = 0
        found: list[str] = []
        async for page in pages(account, concurrency):
            found += page.ids
            given_out += 1
            waiting = max(waiting, account.answered - given_out)

        assert ids(account.rows) == found
        assert account.asked <= 2 * plain_requests(len(created)) + max(10, concurrency)
        assert concurrency > 1 or account.asked == plain_requests(len(created))
        assert account.most_under_way <= concurrency
        assert waiting <= 9 * concurrency
        await no_task_is_left()

    run(test())


@settings(max_examples=60, deadline=None)
@given(TIMES, CONCURRENCY, st.data())
def test_bounds_and_cursor(created: list[int], concurrency: int, data: st.DataObject) -> None:
    """A span and a cursor apply to the whole list, as they do in plain pagination."""
    rows = in_time_order(created)
    bound = st.none() | st.sampled_from([-1, 0, *created, NOW + 1])
    since, until = data.draw(bound), data.draw(bound)
    after = data.draw(st.none() | st.sampled_from(rows)) if rows else None
    start = 0 if after is None else rows.index(after) + 1
    span = Span(since, until)

    async def test() -> None:
        account = Account(rows)
        found, failure = await read(pages(account, concurrency, span, *([after[1]] if after else [])))

        assert failure is None
        assert [identifier for moment, identifier in rows[start:] if span.contains(moment)] == found

    run(test())


def insert_now(number: int) -> Change:
    return lambda account, _: account.insert(NOW + number, f"new_{number}")


def insert_before(number: int, seed: int) -> Change:
    def change(account: Account, _: Mapping[str, str]) -> None:
        moment = account.rows[seed % len(account.rows)][0] if account.rows else 5
        account.insert(moment, f"backdated_{number}")

    return change


def delete_some(seed: int, number: int) -> Change:
    return lambda account, _: account.delete(seed % max(1, len(account.rows)), number)


def delete_cursor(number: int) -> Change:
    return lambda account, parameters: account.delete_at(parameters.get("starting_after"), number)


def some_changes(choices: list[tuple[int, str, int, int]]) -> dict[int, Change]:
    """Each choice: before which request, what, where, how many."""
    makers: dict[str, Callable[[int, int, int], Change]] = {
        "insert": lambda at, _, __: insert_now(at),
        "backdate": lambda at, seed, _: insert_before(at, seed),
        "delete": lambda _, seed, number: delete_some(seed, number),
        "delete cursor": lambda _, __, number: delete_cursor(number),
    }
    return {at: makers[kind](at, seed, number) for at, kind, seed, number in choices}


CHANGES = st.lists(
    st.tuples(
        st.integers(1, 60),
        st.sampled_from(["insert", "backdate", "delete", "delete cursor"]),
        st.integers(0, 5_000),
        st.sampled_from([1, 2, 30, 99]),
    ),
    max_size=40,
).map(some_changes)


@settings(max_examples=250, deadline=None)
@given(TIMES, CONCURRENCY, CHANGES, SEEDS)
def test_changes_while_it_runs(created: list[int], concurrency: int, changes: dict[int, Change], seed: int) -> None:
    """Objects that exist throughout are listed once, in order, whatever is created or deleted; or there is an error."""

    async def test() -> None:
        before = in_time_order(created)
        account = Account(list(before), changes, latency=uneven(seed))
        moments = {identifier: moment for moment, identifier in before}

        found, failure = await read(pages(account, concurrency))

        moments |= {identifier: moment for moment, identifier in account.rows}
        throughout = [identifier for _, identifier in before if identifier not in account.deleted]
        assert len(set(found)) == len(found)
        kept = set(throughout)
        given_out = [identifier for identifier in found if identifier in kept]
        assert throughout[: len(given_out)] == given_out
        assert failure is not None or given_out == throughout
        when = [moments[identifier] for identifier in found if identifier in moments]
        assert when == sorted(when, reverse=True)
        assert account.asked - account.refused <= 2 * plain_requests(len(before) + len(changes)) + 10
        await no_task_is_left()

    run(test())


@pytest.mark.parametrize("number", [1, 2, 99])
@pytest.mark.parametrize("concurrency", [1, 6])
@in_virtual_time
async def test_cursor_is_deleted(number: int, concurrency: int) -> None:
    """A deleted cursor loses no position: the object before it on the page replaces it."""
    before = in_time_order(times("even", 2_000, 1))
    account = Account(list(before), {3: delete_cursor(number), 8: delete_cursor(number)})

    found, failure = await read(pages(account, concurrency))

    assert failure is None
    assert set(ids(before)) - account.deleted <= set(found)


@in_virtual_time
async def test_whole_page_is_deleted() -> None:
    """If no object of the page before is left, the list ends in Stripe's own refusal."""
    account = Account(in_time_order(times("one second", 500, 1)), {2: delete_cursor(100)})

    found, failure = await read(pages(account, 1))

    assert len(found) == 100
    assert isinstance(failure, StripeRejected)


FAILURES = st.sampled_from(
    [
        StripeUnavailable("down"),
        StripeTimeout("slow"),
        StripeRateLimited("429"),
        StripeRejected("400", status=400, extensions={"stripe": {"param": "created[gte]"}}),
        StripeRejected("404", status=404, extensions={}),
    ]
)


@settings(max_examples=100, deadline=None)
@given(TIMES, CONCURRENCY, st.dictionaries(st.integers(1, 60), FAILURES, min_size=1, max_size=3), SEEDS)
def test_errors_anywhere(created: list[int], concurrency: int, errors: dict[int, StripeFailure], seed: int) -> None:
    """A list with a failed request ends in that error, after a prefix of the plain list."""

    def failing(error: StripeFailure) -> Change:
        def change(_account: Account, _parameters: Mapping[str, str]) -> None:
            raise error

        return change

    async def test() -> None:
        account = Account(
            in_time_order(created), {at: failing(error) for at, error in errors.items()}, latency=uneven(seed)
        )

        found, failure = await read(pages(account, concurrency))

        hit = min(errors) <= account.asked
        assert hit is (failure is not None)
        assert failure is None or failure in errors.values()
        assert ids(account.rows)[: len(found)] == found
        assert failure is not None or len(found) == len(created)
        await no_task_is_left()

    run(test())


@settings(max_examples=150, deadline=None)
@given(TIMES, CONCURRENCY, SEEDS, st.sampled_from(["shuffled", "oldest first", "one out of place"]))
def test_order_that_is_not_by_time(created: list[int], concurrency: int, seed: int, order: str) -> None:
    """In that case the list is plain pagination's, or the same objects newest first, or an error that says so."""
    dice = random.Random(seed)  # noqa: S311 - test data
    rows = in_time_order(created)
    if order == "shuffled":
        dice.shuffle(rows)
    elif order == "oldest first":
        rows.reverse()
    elif rows:
        rows.insert(dice.randrange(len(rows)), rows.pop(dice.randrange(len(rows))))

    async def test() -> None:
        account = Account(rows, latency=uneven(seed))
        moments = {identifier: moment for moment, identifier in rows}
        told: list[None] = []

        found, failure = await read(ParallelList(account.fetch, concurrency, lambda: told.append(None)).pages(Span()))

        assert len(set(found)) == len(found)
        if failure is not None:
            assert concurrency > 1
            assert told
        elif found != ids(rows):
            when = [moments[identifier] for identifier in found]
            assert when == sorted(when, reverse=True)
            assert set(found) == set(ids(rows))

    run(test())


def repeat_page(at: int) -> Callable[[int, list[Row], bool], tuple[list[Row], bool]]:
    """Answer the request of that number, and all after it, with the last non-empty page before it."""
    last: tuple[list[Row], bool] | None = None

    def tamper(number: int, page: list[Row], more: bool) -> tuple[list[Row], bool]:  # noqa: FBT001 - has_more
        nonlocal last
        if number >= at and last is not None:
            return last
        last = (page, more) if page else last
        return page, more

    return tamper


def empty_page(at: int) -> Callable[[int, list[Row], bool], tuple[list[Row], bool]]:
    return lambda number, page, more: ([], True) if number == at else (page, more)


def endless(at: int) -> Callable[[int, list[Row], bool], tuple[list[Row], bool]]:
    return lambda number, page, more: (page, more or number >= at)


def half_of_the_last(at: int) -> Callable[[int, list[Row], bool], tuple[list[Row], bool]]:
    """Start a page with the end of the page before it."""
    last: list[Row] = []

    def tamper(number: int, page: list[Row], more: bool) -> tuple[list[Row], bool]:  # noqa: FBT001 - has_more
        nonlocal last
        found = (last[50:] + page)[:100] if number == at else page
        last = page
        return found, more

    return tamper


@settings(max_examples=200, deadline=None)
@given(
    TIMES,
    CONCURRENCY,
    st.integers(1, 40),
    st.sampled_from([repeat_page, empty_page, endless, half_of_the_last]),
    SEEDS,
)
def test_pages_that_cannot_be(
    created: list[int],
    concurrency: int,
    at: int,
    fault: Callable[[int], Callable[[int, list[Row], bool], tuple[list[Row], bool]]],
    seed: int,
) -> None:
    """Repeated pages, empty pages and endless has_more give no short list that looks whole, and no object twice."""

    async def test() -> None:
        account = Account(in_time_order(created), tamper=fault(at), latency=uneven(seed))

        found, failure = await read(pages(account, concurrency))

        assert ids(account.rows)[: len(found)] == found
        assert failure is not None or len(found) == len(created)
        assert account.asked <= 2 * plain_requests(len(created)) + max(10, concurrency)
        await no_task_is_left()

    run(test())


@pytest.mark.parametrize("taken", [0, 1, 7])
@in_virtual_time
async def test_reader_leaves(taken: int) -> None:
    """L3: when the reader leaves, requests under way are canceled and no new ones are made."""
    account = Account(in_time_order(times("even", 5_000, 1)))
    async with aclosing(pages(account, 6)) as leaves:
        for _ in range(taken):
            await anext(leaves)

    asked = account.asked
    await no_task_is_left()
    await asyncio.sleep(100)

    assert account.under_way == 0
    assert account.asked == asked


@in_virtual_time
async def test_reader_is_canceled() -> None:
    """L3: the same is true for a reader that is canceled while it waits."""
    account = Account(in_time_order(times("even", 5_000, 1)), latency=lambda: 5)
    reading = asyncio.ensure_future(read(pages(account, 6)))
    await asyncio.sleep(12)

    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    await no_task_is_left()
    assert account.under_way == 0


@in_virtual_time
async def test_reader_stops_reading() -> None:
    """L3: while the reader pauses, only requests already under way finish; reading continues from there."""
    account = Account(in_time_order(times("even", 5_000, 1)))
    leaves = pages(account, 6)
    found = [identifier for _ in range(10) for identifier in (await anext(leaves)).ids]
    await asyncio.sleep(0)
    asked = account.asked

    await asyncio.sleep(1_000)
    waiting = account.asked
    rest, failure = await read(leaves)

    assert waiting == asked
    assert failure is None
    assert ids(account.rows) == found + rest


@pytest.mark.parametrize(
    ("kind", "rounds", "requests"),
    [("even", 23, 112), ("growing", 28, 115), ("shrinking", 28, 112), ("bursts", 45, 130), ("one second", 101, 108)],
)
@in_virtual_time
async def test_fewer_rounds(kind: str, rounds: int, requests: int) -> None:
    """10,000 objects take about a fourth of the 100 rounds of plain pagination, and few more than its 100 requests."""
    account = Account(in_time_order(times(kind, 10_000, 1)))

    found, _ = await read(pages(account, 6))

    assert len(found) == 10_000
    assert asyncio.get_running_loop().time() <= rounds
    assert account.asked <= requests


@in_virtual_time
async def test_unexpected_error() -> None:
    """An unexpected error breaks the list off and leaves nothing behind."""

    def crash(_account: Account, _parameters: Mapping[str, str]) -> None:
        raise ZeroDivisionError

    account = Account(in_time_order(times("even", 2_000, 1)), {4: crash})

    with pytest.raises(ZeroDivisionError):
        await read(pages(account, 6))

    await no_task_is_left()
