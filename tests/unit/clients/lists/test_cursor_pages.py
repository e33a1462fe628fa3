"""One list followed by cursor, in pages of any size: whole, or an error."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.core.pages import Page
from sidecar.errors import StripeFailure, StripeRejected, StripeUnavailable
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.customers_at_stripe import Payments, Stripe, payments_of

Tamper = Callable[[int, Page], Page]
PATH = "/v1/payment_intents"


def payments(number: int) -> Payments:
    return payments_of({"cus_a": list(range(number))})


def opened(stripe: Stripe) -> CursorPages:
    return CursorPages(lambda parameters: stripe.page(PATH, {**parameters, "customer": "cus_a"}))


async def read(pages: CursorPages, sizes: list[int]) -> tuple[list[str], StripeFailure | None]:
    """Read the list in pages of these sizes, in turn; give the IDs, and the error that ended it."""
    found: list[str] = []
    while not pages.over:
        try:
            page = await pages.next(sizes[len(found) % len(sizes)])
        except StripeFailure as failure:
            return found, failure
        found += [str(entry.get("id")) for entry in page.data]
    return found, None


def faultless(_at: int) -> Tamper:
    return lambda _, page: page


def repeated(at: int) -> Tamper:
    """Answer every request from that number on with the page before it."""
    kept: list[Page] = []

    def tamper(number: int, page: Page) -> Page:
        if number >= at and kept:
            return kept[-1]
        kept.append(page)
        return page

    return tamper


def overlapping(at: int) -> Tamper:
    """Begin that page with the last object of the page before it."""
    last: list[Page] = []

    def tamper(number: int, page: Page) -> Page:
        before = last[-1].data[-1:] if number == at and last else []
        last.append(page)
        return Page(before + page.data, more=page.more)

    return tamper


def empty(at: int) -> Tamper:
    return lambda number, page: Page([], more=True) if number == at else page


def endless(at: int) -> Tamper:
    return lambda number, page: Page(page.data, more=page.more or number >= at)


def nameless(at: int) -> Tamper:
    return lambda number, page: Page([*page.data[:-1], {"created": 1}], more=True) if number == at else page


SIZES = st.lists(st.integers(1, 100), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 300),
    SIZES,
    st.integers(1, 10),
    st.sampled_from([faultless, repeated, overlapping, empty, endless, nameless]),
)
def test_whole_or_an_error(number: int, sizes: list[int], at: int, fault: Callable[[int], Tamper]) -> None:
    """U4: Whatever pages come, a list read in pages of any size ends whole or in an error, and has no object twice."""

    @in_virtual_time
    async def test() -> None:
        stripe = Stripe(payments(number), tamper=fault(at))

        found, failure = await read(opened(stripe), sizes)

        whole = [str(entry["id"]) for entry in stripe.payments["cus_a"]]
        given_ids = [name for name in found if name != "None"]
        assert whole[: len(given_ids)] == given_ids
        assert failure is not None or found == whole
        assert failure is None or fault is not faultless

    test()


def scripted(*pages: Page) -> CursorPages:
    """Give these pages in turn, whatever is asked for; another request fails the test."""
    script: Iterator[Page] = iter(pages)

    async def fetch(_parameters: Mapping[str, str]) -> Page:
        return next(script)

    return CursorPages(fetch)


def page_of(*ids: object, more: bool) -> Page:
    return Page([{"id": one} for one in ids], more=more)


@given(st.lists(st.tuples(st.lists(st.integers(1, 9), max_size=3), st.booleans()), min_size=1, max_size=5))
def test_a_list_ends_where_stripe_says_so(pages: list[tuple[list[int], bool]]) -> None:
    """U4: For any pages the list ends in an error, or with exactly the first page without has_more."""
    last = next((place for place, (_, more) in enumerate(pages) if not more), None)
    unended = page_of("pi_last", more=True)

    @in_virtual_time
    async def test() -> None:
        answers = [page_of(*map(str, numbers), more=more) for numbers, more in pages]
        found, failure = await read(scripted(*answers, unended, unended), [100])

        if failure is None:
            assert last is not None
            assert found == [str(number) for numbers, _ in pages[: last + 1] for number in numbers]

    test()


@pytest.mark.parametrize(
    "second",
    [
        page_of("pi_2", "pi_1", more=True),
        page_of("pi_1", "pi_2", more=True),
        page_of("pi_2", more=False),
        page_of(more=True),
        page_of(7, more=True),
        page_of(None, more=True),
        page_of("pi_1", None, more=True),
        Page([{}], more=True),
    ],
    ids=["first again", "last again", "end again", "empty", "number", "null", "null at the end", "no ID"],
)
@in_virtual_time
async def test_a_page_that_gives_no_new_cursor(second: Page) -> None:
    """U4: A page with the cursor's own object, or with more to come and no ID at its end, ends the list in an error."""
    found, failure = await read(scripted(page_of("pi_3", "pi_2", more=True), second), [100])

    assert found == ["pi_3", "pi_2"]
    assert isinstance(failure, StripeUnavailable)


@in_virtual_time
async def test_pages_follow_each_other() -> None:
    """Each page is asked for with its limit, and after the last ID of the page before."""
    asked: list[Mapping[str, str]] = []
    script = iter([page_of("pi_4", "pi_3", more=True), page_of("pi_2", more=True), page_of("pi_1", more=False)])

    async def fetch(parameters: Mapping[str, str]) -> Page:
        asked.append(parameters)
        return next(script)

    assert await read(CursorPages(fetch), [100]) == (["pi_4", "pi_3", "pi_2", "pi_1"], None)
    assert [parameters["limit"] for parameters in asked] == ["100"] * 3
    assert [parameters.get("starting_after") for parameters in asked] == [None, "pi_3", "pi_2"]


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(1, 3), st.integers(1, 5))
def test_object_at_the_cursor_is_deleted(sizes: list[int], number: int, at: int) -> None:
    """A list goes on from the object before if the one at the cursor was deleted; without one it ends in an error."""

    @in_virtual_time
    async def test() -> None:
        stripe = Stripe(payments(300))

        def change(asked: int) -> None:
            if asked == at + 1:
                del stripe.payments["cus_a"][max(0, len(found) - number) : len(found)]

        stripe.change = change
        found: list[str] = []
        length = 0  # of the last page
        pages = opened(stripe)
        while not pages.over:
            size = sizes[len(found) % len(sizes)]
            try:
                page = [str(entry["id"]) for entry in (await pages.next(size)).data]
            except StripeRejected:
                assert length <= number
                return
            found, length = found + page, len(page)

        assert set(found) >= {str(entry["id"]) for entry in stripe.payments["cus_a"]}
        assert len(set(found)) == len(found)

    test()


@in_virtual_time
async def test_another_refusal_is_not_followed() -> None:
    """A refusal that is not about the cursor ends the list at once."""
    asked = 0

    async def refused(_parameters: object) -> Page:
        nonlocal asked
        asked += 1
        if asked == 1:
            return Page([{"id": "pi_2"}, {"id": "pi_1"}], more=True)
        raise StripeRejected("no", status=400, extensions={"stripe": {"param": "customer"}})

    pages = CursorPages(refused)
    await pages.next(2)

    with pytest.raises(StripeRejected):
        await pages.next(2)
    assert asked == 2


@in_virtual_time
async def test_what_is_said_of_a_fault() -> None:
    """U4: The error of a list that broke off says to ask again."""
    with pytest.raises(StripeUnavailable, match="broke off"):
        await opened(Stripe(payments(5), tamper=empty(1))).next(3)
