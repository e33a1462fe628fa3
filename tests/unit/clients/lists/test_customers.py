"""Lists of several customers, compared with a plain reference for any owners and any cursor."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.lists.customers import CustomerLists
from sidecar.core.interfaces import Choice
from sidecar.core.operations.list_query import ListQuery, Span
from sidecar.core.operations.resources import StripeObject
from sidecar.core.views import OneView, View
from sidecar.errors import InvalidQuery, StripeUnavailable
from sidecar.web.answers.rendering import Rendering
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.customers_at_stripe import Payments, Stripe, Unknown, own_list, payments_of

ALL = Rendering(OneView(View(everything=True)))
PAYMENTS, CUSTOMERS = "/v1/payment_intents", "/v1/customers"


def lists(stripe: Stripe, attribute: str, *values: str) -> CustomerLists:
    return CustomerLists(stripe, Choice(attribute, values), Unknown())


def names(objects: list[StripeObject]) -> list[str]:
    return [str(entry["id"]) for entry in objects]


async def whole(scoped: CustomerLists, path: str, query: ListQuery) -> list[str]:
    return [one async for page in scoped.whole(path, {}, query, ALL) for one in page.ids]


OWNED = st.dictionaries(
    st.sampled_from(["cus_a", "cus_b", "cus_c", "cus_d"]), st.lists(st.integers(0, 12), max_size=12), max_size=4
)
BOUND = st.none() | st.integers(0, 13)


@settings(max_examples=300, deadline=None)
@given(OWNED, BOUND, BOUND, st.integers(1, 30), st.data())
def test_payments_against_reference(
    owned: dict[str, list[int]], since: int | None, until: int | None, limit: int, data: st.DataObject
) -> None:
    """R3: pages after and before a cursor, and the whole list, contain the caller's own objects and no others."""
    payments = payments_of(owned)
    span = Span(since, until)
    known = own_list(payments, span)
    foreign = ["pi_foreign", *(str(entry["id"]) for entries in payments.values() for entry in entries)]
    cursor = data.draw(st.none() | st.sampled_from([*known, *foreign]))
    before = cursor is not None and data.draw(st.booleans())
    query = ListQuery(
        limit=limit, starting_after=None if before else cursor, ending_before=cursor if before else None, span=span
    )

    @in_virtual_time
    async def test() -> None:
        scoped = lists(Stripe(payments), "customer", *payments)
        if cursor is not None and cursor not in known:
            with pytest.raises(InvalidQuery):
                await scoped.page(PAYMENTS, {}, query)
            return
        page = await scoped.page(PAYMENTS, {}, query)
        start = 0 if cursor is None else known.index(cursor) + 1
        if before:
            end = known.index(str(cursor))
            assert names(page.data) == known[max(0, end - limit) : end]
            assert page.more is (end > limit)
            return
        assert names(page.data) == known[start : start + limit]
        assert page.more is (len(known) > start + limit)
        assert await whole(scoped, PAYMENTS, ListQuery(starting_after=cursor, span=span)) == known[start:]

    test()


@in_virtual_time
async def test_customers_are_fetched_each() -> None:
    """A caller's customers come newest first, without those that Stripe no longer has."""
    stripe = Stripe(
        customers={
            "cus_old": {"id": "cus_old", "created": 1},
            "cus_new": {"id": "cus_new", "created": 9},
            "cus_same": {"id": "cus_same", "created": 9},
            "cus_gone": {"id": "cus_gone", "deleted": True},
        }
    )
    scoped = lists(stripe, "id", "cus_same", "cus_gone", "cus_old", "cus_never", "cus_new")

    everything = await whole(scoped, CUSTOMERS, ListQuery())
    recent = await scoped.page(CUSTOMERS, {}, ListQuery(limit=1, span=Span(2, None)))
    after = await scoped.page(CUSTOMERS, {}, ListQuery(limit=5, starting_after="cus_new"))
    with pytest.raises(InvalidQuery):
        await scoped.page(CUSTOMERS, {}, ListQuery(limit=5, starting_after="cus_gone"))

    assert everything == ["cus_new", "cus_same", "cus_old"]
    assert (names(recent.data), recent.more) == (["cus_new"], True)
    assert (names(after.data), after.more) == (["cus_same", "cus_old"], False)


@pytest.mark.parametrize("attribute", ["customer", "id"])
@in_virtual_time
async def test_a_few_at_a_time(attribute: str) -> None:
    """For any number of customers Stripe gets a few requests at a time, and one for each customer."""
    own = [f"cus_{number}" for number in range(200)]
    stripe = Stripe({one: [] for one in own}, {one: {"id": one, "created": 1} for one in own})

    await whole(lists(stripe, attribute, *own), "/v1/any", ListQuery())

    assert sorted(stripe.asked) == sorted(own)
    assert 2 <= stripe.most_under_way <= 6


@in_virtual_time
async def test_one_customer_fails() -> None:
    """If Stripe fails to give a customer, the list fails: without that customer it would look whole."""
    stripe = Stripe(customers={"cus_a": {"id": "cus_a", "created": 1}, "cus_b": None})

    with pytest.raises(StripeUnavailable):
        await whole(lists(stripe, "id", "cus_a", "cus_b"), CUSTOMERS, ListQuery())

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert stripe.under_way == 0


@in_virtual_time
async def test_no_customers() -> None:
    """A caller without customers gets an empty list, and Stripe gets no request."""
    stripe = Stripe()

    page = await lists(stripe, "customer").page(PAYMENTS, {}, ListQuery(limit=5))

    assert (page.data, page.more) == ([], False)
    assert await whole(lists(stripe, "customer"), PAYMENTS, ListQuery()) == []
    assert stripe.asked == []


@in_virtual_time
async def test_reader_leaves() -> None:
    """L3: if the reader leaves in the middle, the requests stop."""
    own: Payments = {
        one: [{"id": f"pi_{one}_{n}", "created": n, "customer": one} for n in range(300, 0, -1)]
        for one in ("cus_a", "cus_b")
    }
    stripe = Stripe(own)
    leaves = lists(stripe, "customer", *own).whole(PAYMENTS, {}, ListQuery(), ALL)
    await anext(leaves)

    asked = len(stripe.asked)
    await leaves.aclose()
    await asyncio.sleep(100)

    assert len(stripe.asked) == asked
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("named", ["cus_b", None])
@in_virtual_time
async def test_an_object_of_another_customer_is_never_given(named: str | None) -> None:
    """R2: if Stripe lists an object of another customer, or of none, the list ends in an error before that object."""
    stripe = Stripe({"cus_a": [{"id": "pi_1", "created": 2, "customer": named}]})

    with pytest.raises(StripeUnavailable):
        await lists(stripe, "customer", "cus_a").page(PAYMENTS, {}, ListQuery(limit=5))


@in_virtual_time
async def test_another_customer_is_never_given() -> None:
    """R2: if Stripe answers with another customer than the requested one, that is an error."""
    stripe = Stripe(customers={"cus_a": {"id": "cus_b", "created": 1}})

    with pytest.raises(StripeUnavailable):
        await lists(stripe, "id", "cus_a").page(CUSTOMERS, {}, ListQuery(limit=5))
