"""Lists of many customers ask for little, hold little, and are the same whatever they ask for at once."""

import asyncio
import json
import tracemalloc
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.lists.customers import CustomerLists
from sidecar.clients.lists.held import HeldBytes
from sidecar.clients.lists.waiting import waiting
from sidecar.clients.stripe.skim import skimmed
from sidecar.core.interfaces import Choice
from sidecar.core.operations.list_query import ListQuery
from sidecar.core.operations.resources import StripeObject
from sidecar.core.urgency import Urgency
from sidecar.core.views import OneView, View
from sidecar.errors import InvalidQuery, StripeUnavailable
from sidecar.web.answers.rendering import Rendering
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.customers_at_stripe import Payments, Stripe, Unknown, own_list, payments_of

ALL = Rendering(OneView(View(everything=True)))
PATH = "/v1/payment_intents"
FIXTURES = Path(__file__).parents[4] / "deploy" / "stripe_stand_in" / "fixtures.json"
COUNTS = st.integers(0, 8) | st.sampled_from([99, 100, 101, 150, 250])
LIMITS = st.sampled_from([1, 2, 10, 99, 100])


def owners(number: int) -> list[str]:
    return [f"cus_{place:03}" for place in range(number)]


@st.composite
def payments(draw: st.DrawFn, customers: int = 250) -> Payments:
    """Draw the payments of some customers: many with few, few with many, at times that are often equal."""
    names = owners(draw(st.integers(0, 8) | st.integers(0, customers)))
    busy = draw(st.dictionaries(st.sampled_from(names), COUNTS, max_size=4)) if names else {}
    dice, usual, span = draw(st.randoms()), draw(st.integers(0, 4)), draw(st.sampled_from([1, 5, 1_000]))
    counts = {name: busy.get(name, dice.randrange(usual + 1)) for name in names}
    return payments_of({name: [dice.randrange(span) for _ in range(count)] for name, count in counts.items()})


@dataclass(frozen=True, slots=True)
class Case:
    stripe: Stripe
    held: HeldBytes
    lists: CustomerLists


def opened(payments: Payments, most: int = 2**26) -> Case:
    stripe, held = Stripe(payments), HeldBytes(most)
    return Case(stripe, held, CustomerLists(stripe, Choice("customer", tuple(payments)), Unknown(), held))


def names(objects: list[StripeObject]) -> list[str]:
    return [str(entry["id"]) for entry in objects]


async def whole(case: Case, query: ListQuery = ListQuery()) -> list[str]:  # noqa: B008 - it is frozen
    return [one async for page in case.lists.whole(PATH, {}, query, ALL) for one in page.ids]


@settings(max_examples=100, deadline=None)
@given(payments(), LIMITS, st.sampled_from([0, 3_000, 200_000, 2**26]), st.data())
def test_any_distribution(own: Payments, limit: int, most: int, data: st.DataObject) -> None:
    """F5, R3: For any distribution and any room, lists are those of a plain merge, and all room is given back."""
    known = own_list(own)
    cursor = data.draw(st.none() | st.sampled_from([*known, "pi_foreign"]))

    @in_virtual_time
    async def test() -> None:
        case = opened(own, most)
        query = ListQuery(limit=limit, starting_after=cursor)
        if cursor == "pi_foreign":
            with pytest.raises(InvalidQuery):
                await case.lists.page(PATH, {}, query)
        else:
            start = 0 if cursor is None else known.index(cursor) + 1
            page = await case.lists.page(PATH, {}, query)
            assert known[start : start + limit] == names(page.data)
            assert page.more is (len(known) > start + limit)
            assert known[start:] == await whole(case, ListQuery(starting_after=cursor))
        assert case.held.total == 0

    test()


@settings(max_examples=60, deadline=None)
@given(payments(), LIMITS)
def test_a_page_asks_for_what_it_can_need(own: Payments, limit: int) -> None:
    """F5: A page asks each list for its limit at most, and all of them for a few hundred objects."""

    @in_virtual_time
    async def test() -> None:
        case = opened(own)

        await case.lists.page(PATH, {}, ListQuery(limit=limit))

        first = min(limit, max(3, 600 // max(1, len(own))))
        assert max(case.stripe.limits, default=0) <= limit
        assert case.stripe.given <= len(own) * first + 9 * limit

    test()


@pytest.mark.parametrize(("limit", "objects"), [(1, 400), (100, 600 + 9 * 101)])
@in_virtual_time
async def test_page_of_two_hundred_customers(limit: int, objects: int) -> None:
    """F5: A page for a caller with 200 customers who have 20,000 payments fetches a few hundred of them."""
    case = opened(payments_of({name: list(range(100)) for name in owners(200)}))

    await case.lists.page(PATH, {}, ListQuery(limit=limit))

    assert case.stripe.given <= objects
    assert len(case.stripe.asked) <= 240


@settings(max_examples=60, deadline=None)
@given(payments(customers=6).filter(lambda own: len(own) <= 6), LIMITS)
def test_calls_for_few_customers(own: Payments, limit: int) -> None:
    """A caller with few customers costs no call more than with pages of a hundred for each of them."""
    counts = Counter(name.rpartition("_")[0] for name in own_list(own)[:limit])  # the object after these ends the page
    for_page = sum(1 + min(counts[f"pi_{name}"], max(0, len(own[name]) - 1)) // 100 for name in own)
    for_whole = sum(max(1, -(-len(own[name]) // 100)) for name in own)

    @in_virtual_time
    async def test() -> None:
        page, everything = opened(own), opened(own)

        await page.lists.page(PATH, {}, ListQuery(limit=limit))
        await whole(everything)

        assert len(page.stripe.asked) <= for_page
        assert len(everything.stripe.asked) == for_whole

    test()


@in_virtual_time
async def test_many_slow_whole_lists() -> None:
    """F5: Ten whole lists of 100 customers whose readers stop hold no more than the cap and a few objects a list."""
    own = payments_of({name: list(range(60)) for name in owners(100)}, description="d" * 1_000)
    stripe, held = Stripe(own), HeldBytes(2**21)
    choice = Choice("customer", tuple(own))
    lists = [CustomerLists(stripe, choice, Unknown(), held).whole(PATH, {}, ListQuery(), ALL) for _ in range(10)]
    few = 10 * 100 * 3 * 2_750  # three objects of each customer of each list, which are always allowed

    first = await asyncio.gather(*(anext(pages) for pages in lists))
    during = held.total
    rest = [[len(page.ids) async for page in pages] for pages in lists]

    assert during <= held.most + few
    assert during >= sum(len(page.payload) for page in first)
    assert {sum(lengths) for lengths in rest} == {59 * 100}
    assert held.total == 0


@in_virtual_time
async def test_what_is_held_is_counted() -> None:
    """F5: What a list holds is what came and was not given yet, and the page that its reader has in hand."""
    case = opened(payments_of({name: list(range(10)) for name in owners(100)}))
    pages = case.lists.whole(PATH, {}, ListQuery(), ALL)

    page = await anext(pages)

    lengths = {len(orjson.dumps(entry)) for entries in case.stripe.payments.values() for entry in entries}
    assert lengths == {54}
    assert case.held.total == 9 * 100 * 54 + len(page.payload)
    await pages.aclose()
    assert case.held.total == 0


@in_virtual_time
async def test_what_is_held_of_identities_is_counted() -> None:
    """F5: The same holds for customers, which are retrieved one by one."""
    own = owners(150)
    stripe, held = Stripe(customers={name: {"id": name, "created": 1} for name in own}), HeldBytes()
    lists = CustomerLists(stripe, Choice("id", tuple(own)), Unknown(), held)
    pages = lists.whole("/v1/customers", {}, ListQuery(), ALL)

    page = await anext(pages)

    assert held.total == 50 * len(b'{"id":"cus_000","created":1}') + len(page.payload)
    await pages.aclose()
    assert held.total == 0


def test_objects_that_wait_take_what_is_counted() -> None:
    """F5: Objects that wait take little more memory than the bytes that are counted for them."""
    payment = json.loads(FIXTURES.read_text())["payment_intent"]
    raw = json.dumps({"object": "list", "data": [payment] * 200, "has_more": True}, indent=2).encode()

    tracemalloc.start()
    try:
        page = skimmed(raw)
        assert page is not None
        entries = list(waiting(page))
        del page
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken <= 1.4 * sum(entry.size for entry in entries)


@pytest.mark.parametrize("attribute", ["customer", "id"])
@in_virtual_time
async def test_urgency(attribute: str) -> None:
    """All that a whole list asks for is less urgent than all that a page asks for."""
    own = owners(3)
    stripe = Stripe(payments_of({name: [1, 2] for name in own}), {name: {"id": name, "created": 1} for name in own})
    lists = CustomerLists(stripe, Choice(attribute, tuple(own)), Unknown())

    await lists.page(PATH, {}, ListQuery(limit=3))
    for_page = set(stripe.urgencies)
    stripe.urgencies.clear()
    [_ async for _ in lists.whole(PATH, {}, ListQuery(), ALL)]

    assert (for_page, stripe.urgencies) == ({Urgency.PAGE}, {Urgency.LIST})


@in_virtual_time
async def test_one_list_breaks_off() -> None:
    """U4: If one customer's list breaks off, what was older than that is not given, and the list ends in an error."""
    case = opened(payments_of({"cus_a": list(range(0, 400, 2)), "cus_b": list(range(1, 400, 2))}))
    case.stripe.tamper = lambda number, page: page if number <= 2 else type(page)([], more=True)
    found: list[str] = []

    async def read() -> None:
        async for page in case.lists.whole(PATH, {}, ListQuery(), ALL):
            found.extend(page.ids)

    with pytest.raises(StripeUnavailable):
        await read()

    assert own_list(case.stripe.payments)[:100] == found[:100]
    assert len(found) <= 200
    assert case.held.total == 0
