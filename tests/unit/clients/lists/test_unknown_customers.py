"""Lists of several customers of which the Stripe account does not have all."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.lists.customers import CustomerLists
from sidecar.clients.lists.held import HeldBytes
from sidecar.core.interfaces import Choice
from sidecar.core.operations.list_query import ListQuery
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.core.views import OneView, View
from sidecar.errors import ItemConflict, StripeUnavailable
from sidecar.web.answers.rendering import Rendering
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.customers_at_stripe import Stripe, Unknown, missing, own_list, payments_of

ALL = Rendering(OneView(View(everything=True)))
PATHS = {"customer": "/v1/payment_intents", "id": "/v1/customers"}
NAMES = [f"cus_{letter}" for letter in "abcde"]


@dataclass(frozen=True, slots=True)
class Case:
    stripe: Stripe
    unknown: Unknown
    lists: CustomerLists
    path: str
    held: HeldBytes

    async def page(self, limit: int, after: str | None = None, before: str | None = None) -> tuple[list[object], bool]:
        query = ListQuery(limit=limit, starting_after=after, ending_before=before)
        page = await self.lists.page(self.path, {}, query)
        return [entry["id"] for entry in page.data], page.more

    async def whole(self) -> list[str]:
        return [one async for page in self.lists.whole(self.path, {}, ListQuery(), ALL) for one in page.ids]


def case(
    owned: Mapping[str, list[int]], dead: set[str], attribute: str = "customer", stripe: Stripe | None = None
) -> Case:
    customers: dict[str, StripeObject | None] = {
        name: {"id": name, "created": number} for number, name in enumerate(owned)
    }
    double = stripe or Stripe(payments_of(owned), customers)
    unknown, held = Unknown(), HeldBytes()
    lists = CustomerLists(double, Choice(attribute, (*owned, *dead)), unknown, held)
    return Case(double, unknown, lists, PATHS[attribute], held)


OWNED = st.dictionaries(st.sampled_from(NAMES), st.lists(st.integers(0, 12), max_size=6), min_size=1, max_size=4)
DEAD = st.sets(st.sampled_from(["cus_A", "cus_X", "cus_z"]))


@settings(max_examples=150, deadline=None)
@given(OWNED, DEAD, st.integers(1, 9), st.data())
def test_the_others_objects(owned: dict[str, list[int]], dead: set[str], limit: int, data: st.DataObject) -> None:
    """Whole and by page, the list is that of the known customers, and each unknown one is told of once a list."""
    known = own_list(payments_of(owned))
    cursor = data.draw(st.none() | st.sampled_from(known)) if known else None

    @in_virtual_time
    async def test() -> None:
        expected, found = case(owned, set()), case(owned, dead)
        cursors = [(None, None)] if cursor is None else [(cursor, None), (None, cursor)]

        assert await found.whole() == known
        for each in cursors:
            assert await found.page(limit, *each) == await expected.page(limit, *each)
        assert found.unknown.told == sorted(dead) * (1 + len(cursors))
        assert found.held.total == 0

    test()


@pytest.mark.parametrize("attribute", PATHS)
@in_virtual_time
async def test_no_customer_is_known(attribute: str) -> None:
    """Where the account has none of the customers, the list is a conflict before anything is given."""
    dead = case({}, {"cus_A", "cus_X"}, attribute)

    with pytest.raises(ItemConflict, match="cus_A"):
        await dead.whole()
    with pytest.raises(ItemConflict, match="cus_A"):
        await dead.page(3)

    assert dead.unknown.told == ["cus_A", "cus_X"] * 2
    assert dead.held.total == 0


@pytest.mark.parametrize("attribute", PATHS)
@in_virtual_time
async def test_nobody_asked_for(attribute: str) -> None:
    """A caller without rows has an empty list."""
    assert await case({}, set(), attribute).whole() == []


@in_virtual_time
async def test_customers_themselves() -> None:
    """The list of customers leaves unknown ones out, and tells of them; deleted ones are known."""
    found = case({"cus_a": [], "cus_b": []}, {"cus_X"}, "id")
    found.stripe.customers = {"cus_a": {"id": "cus_a", "created": 3}, "cus_b": {"id": "cus_b", "deleted": True}}

    assert await found.whole() == ["cus_a"]
    assert found.unknown.told == ["cus_X"]


@dataclass(slots=True)
class Vanishing(Stripe):
    """Has the customer for one page, and then no more: test data can be deleted without a trace."""

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        if "starting_after" in parameters:
            raise missing("customer", 400)
        return await super(Vanishing, self).page(path, parameters, urgency=urgency)


@in_virtual_time
async def test_gone_in_the_middle() -> None:
    """U4: a customer that answered the first page and is unknown at the next breaks the list off."""
    owned = {"cus_a": list(range(400)), "cus_b": [1]}
    found = case(owned, set(), stripe=Vanishing(payments_of(owned)))

    with pytest.raises(StripeUnavailable) as broken:
        await found.whole()
    with pytest.raises(StripeUnavailable):
        await found.page(100, own_list(payments_of(owned))[300])

    assert broken.value.detail == "a customer is gone"
    assert found.unknown.told == []
    assert found.held.total == 0
