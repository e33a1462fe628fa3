"""A whole list with a shape that is right, old or nonsense; and what a list costs and leaves."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.lists.parallel import ParallelList
from sidecar.clients.lists.shapes import Guide, ListName, Shape, read_shape
from sidecar.core.operations.list_query import Span
from sidecar.errors import StripeUnavailable
from tests.benchmarks.schedules.distributions import NAMES, moments
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.paged_account import NOW, Account, Change, in_time_order, times
from tests.unit.clients.lists.test_parallel import (
    CHANGES,
    CONCURRENCY,
    SEEDS,
    TIMES,
    ids,
    no_task_is_left,
    plain_requests,
    read,
    run,
    uneven,
)

pytestmark = pytest.mark.slow
NAME: ListName = ("a list",)


@dataclass
class Known:
    """Knows one shape at once, or finds it after a while; `kept` has what lists left."""

    at_once: Shape | None = None
    elsewhere: Shape | None = None
    kept: list[Shape] = field(default_factory=list)

    def known(self, name: ListName) -> Shape | None:
        return self.at_once if name == NAME else None

    async def find(self, name: ListName) -> Shape | None:
        await asyncio.sleep(0.01)
        return self.elsewhere if name == NAME else None

    def keep(self, name: ListName, shape: Shape) -> None:
        assert name == NAME
        self.kept.append(shape)

    def guide(self) -> Guide:
        return Guide(self, NAME)


def listing(account: Account, known: Known, concurrency: int = 6) -> ParallelList:
    return ParallelList(account.fetch, concurrency, guide=known.guide())


async def shape_of(created: list[int]) -> Shape:
    known = Known()
    await read(listing(Account(in_time_order(created), latency=lambda: 0), known).pages(Span()))
    return known.kept[0] if known.kept else Shape(((NOW, 1),))


def nonsense(points: list[tuple[int, int]]) -> Shape | None:
    """Give what may stand in Redis, as far as it can be read."""
    seconds = sorted((second for second, _ in points), reverse=True)
    counts = sorted({count for _, count in points})
    return read_shape(Shape(tuple(zip(seconds, counts, strict=False))).write())


NONSENSE = st.lists(
    st.tuples(st.integers(0, NOW + 10**6) | st.integers(0, 10**12 - 1), st.integers(1, 10**4) | st.integers(1, 10**9)),
    min_size=1,
    max_size=60,
).map(nonsense)
KNOWN = st.builds(Known, NONSENSE) | st.builds(Known, st.none(), NONSENSE)


@settings(max_examples=150, deadline=None)
@given(TIMES, KNOWN, CONCURRENCY, CHANGES, SEEDS)
def test_any_shape_and_changes(
    created: list[int], known: Known, concurrency: int, changes: dict[int, Change], seed: int
) -> None:
    """With any shape, whatever changes meanwhile: what existed throughout is listed once and in order, or an error."""

    async def test() -> None:
        before = in_time_order(created)
        account = Account(list(before), changes, latency=uneven(seed))

        found, failure = await read(listing(account, known, concurrency).pages(Span()))

        kept = set(ids(before)) - account.deleted
        given_out = [identifier for identifier in found if identifier in kept]
        assert len(set(found)) == len(found)
        assert given_out == [identifier for identifier in ids(before) if identifier in kept][: len(given_out)]
        assert failure is not None or len(given_out) == len(kept)
        assert account.asked - account.refused <= 2.25 * plain_requests(len(before) + len(changes)) + 10
        assert account.most_under_way <= concurrency
        await no_task_is_left()

    run(test())


@settings(max_examples=80, deadline=None)
@given(TIMES, TIMES, st.booleans(), st.data())
def test_shape_of_another_account(
    created: list[int],
    others: list[int],
    at_once: bool,  # noqa: FBT001 - hypothesis's
    data: st.DataObject,
) -> None:
    """A shape of another account, as after a restore, changes neither the objects nor their order, with any bounds."""
    rows = in_time_order(created)
    bound = st.none() | st.sampled_from([0, *created, NOW + 1])
    span = Span(data.draw(bound), data.draw(bound))
    after = data.draw(st.none() | st.sampled_from(rows)) if rows else None
    start = 0 if after is None else rows.index(after) + 1

    async def test() -> None:
        shape = await shape_of(others)
        account = Account(rows)
        known = Known(at_once=shape) if at_once else Known(elsewhere=shape)

        found, failure = await read(listing(account, known).pages(span, [after[1]] if after else []))

        assert failure is None
        assert [identifier for moment, identifier in rows[start:] if span.contains(moment)] == found
        assert account.asked <= 2.25 * plain_requests(len(found)) + 10

    run(test())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 1_000), SEEDS)
def test_short_lists(name: str, number: int, seed: int) -> None:
    """A list of up to 1,000 objects whose shape nobody knows costs one request more than its pages at most."""

    async def test() -> None:
        account = Account(in_time_order(moments(name, number, seed)))

        found, _ = await read(listing(account, Known()).pages(Span()))

        assert len(found) == number
        assert account.asked <= plain_requests(number) + 1
        assert number > 200 or account.asked == plain_requests(number)

    run(test())


@settings(max_examples=200, deadline=None)
@given(TIMES.filter(lambda created: len(created) <= 1_000), SEEDS)
def test_short_lists_of_any_distribution(created: list[int], seed: int) -> None:
    """Whatever a list of up to 1,000 objects seems to be, it costs five requests more than its pages at most."""

    async def test() -> None:
        account = Account(in_time_order(created), latency=uneven(seed))

        await read(listing(account, Known()).pages(Span()))

        assert account.asked <= plain_requests(len(created)) + 5

    run(test())


@in_virtual_time
async def test_again() -> None:
    """A list leaves its shape, with which it is read again in fewer rounds, also where the shape is found elsewhere."""
    created = times("even", 10_000, 1)
    shape = await shape_of(created)
    rounds: list[float] = []

    for known in (Known(), Known(at_once=shape), Known(elsewhere=shape)):
        account = Account(in_time_order(created))
        began = asyncio.get_running_loop().time()
        found, _ = await read(listing(account, known).pages(Span()))
        rounds.append(asyncio.get_running_loop().time() - began)
        assert (len(found), known.kept[0].count) == (10_000, 10_000)
        assert account.asked <= 110

    first, again, elsewhere = rounds
    assert first <= 23
    assert again <= 19
    assert elsewhere <= 20


@in_virtual_time
async def test_one_page_looks_nowhere() -> None:
    """A list of one page leaves no shape and does not wait for one to be found."""
    known = Known(elsewhere=Shape(((5, 100),)))
    account = Account(in_time_order(times("even", 100, 1)))

    await read(listing(account, known).pages(Span()))

    assert asyncio.get_running_loop().time() == 1
    assert known.kept == []


def fail(_account: Account, _parameters: Mapping[str, str]) -> None:
    raise StripeUnavailable("down")


@pytest.mark.parametrize("what", ["fault", "cursor", "left", "disorder", "plain"])
@in_virtual_time
async def test_no_shape_of_a_part(what: str) -> None:
    """A list that broke off, was left, began after a cursor, is out of order or read plainly leaves no shape."""
    rows = in_time_order(times("even", 2_000, 1))
    if what == "disorder":
        rows.insert(120, rows.pop(5))
    account, known = Account(rows, {7: fail} if what == "fault" else {}), Known()
    pages = listing(account, known, 1 if what == "plain" else 6).pages(Span(), ["pi_3"] if what == "cursor" else [])

    if what == "left":
        await anext(pages)
        await pages.aclose()
    else:
        await read(pages)

    assert known.kept == []
    await no_task_is_left()


@in_virtual_time
async def test_list_that_shrank() -> None:
    """A list that is now one page costs a few requests once, and is plain from then on."""
    shape = await shape_of(times("even", 10_000, 1))
    known = Known(at_once=shape)
    account = Account(in_time_order(times("even", 50, 1)))
    await read(listing(account, known).pages(Span()))
    first = account.asked

    known.at_once = known.kept[0]
    await read(listing(account, known).pages(Span()))

    assert first <= 10
    assert account.asked - first == 1


@in_virtual_time
async def test_reader_leaves_while_it_is_looked_for() -> None:
    """L3: a reader that leaves while the shape is looked for leaves nothing behind."""
    account, known = Account(in_time_order(times("even", 2_000, 1))), Known()
    pages = listing(account, known).pages(Span())
    await anext(pages)
    rest = asyncio.ensure_future(read(pages))
    await asyncio.sleep(0.005)

    rest.cancel()
    await asyncio.gather(rest, return_exceptions=True)

    assert account.asked == 1
    await no_task_is_left()
