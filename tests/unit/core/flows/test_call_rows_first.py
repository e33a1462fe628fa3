"""What is asked before Stripe is, and that an object of somebody else costs as much as one that does not exist."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from sidecar.core.flows.owner import Intent, find_owner
from sidecar.core.operations.resources import (
    CHARGE,
    INVOICE,
    PAYMENT_INTENT,
    PAYMENT_METHOD,
    RESOURCES,
    SUBSCRIPTION,
    SUBSCRIPTION_ITEM,
)
from sidecar.core.operations.table import OPERATIONS
from sidecar.core.urgency import Urgency
from sidecar.errors import PermissionDenied, StripeRateLimited
from tests.unit.core.flows.calls import FOREIGN, OTHER, OWN, Ownership, Stripe, thing

ROWS = {row.name: row for row in OPERATIONS}


@dataclass(frozen=True)
class Named:
    """A request about X, the object in question, and perhaps about the caller's own objects."""

    operation: str
    object_id: str | None
    values: Mapping[str, object]

    @property
    def intent(self) -> Intent:
        return Intent(ROWS[self.operation], self.object_id, self.values, "key")


def _items(*ids: str) -> list[dict[str, object]]:
    return [{"id": one, "price": "price_1"} for one in ids]


REQUESTS = {
    "retrieve": Named("payment_intents.retrieve", "pi_X", {}),
    "cancel": Named("subscriptions.cancel", "sub_X", {}),
    "detach": Named("payment_methods.detach", "pm_X", {}),
    "refund of a payment": Named("refunds.create", None, {"payment_intent": "pi_X"}),
    "refund of a charge": Named("refunds.create", None, {"charge": "ch_X"}),
    "list of a payment's refunds": Named("refunds.list", None, {"payment_intent": "pi_X", "charge": "ch_OWN"}),
    "list by a subscription": Named("invoices.list", None, {"subscription": "sub_X"}),
    "list of an own customer's": Named("invoices.list", None, {"customer": OWN, "subscription": "sub_X"}),
    "named in the path": Named("subscriptions.update", "sub_X", {"items": _items("si_OWN")}),
    "with an own payment method": Named("subscriptions.update", "sub_X", {"default_payment_method": "pm_OWN"}),
    "beside an own subscription": Named("subscriptions.update", "sub_OWN", {"default_payment_method": "pm_X"}),
    "item": Named("subscriptions.update", "sub_OWN", {"items": _items("si_X", "si_OWN")}),
    "second item": Named("subscriptions.update", "sub_OWN", {"items": _items("si_OWN", "si_X")}),
    "item of nothing": Named("invoices.create_preview", None, {"subscription_details": {"items": _items("si_X")}}),
    "own customer's": Named("setup_intents.create", None, {"customer": OWN, "payment_method": "pm_X"}),
    "nobody's": Named("setup_intents.create", None, {"payment_method": "pm_X"}),
}


def add(stripe: Stripe, word: str, owner: str | None) -> None:
    """Add an object of each kind that belongs to this customer."""
    for resource in (PAYMENT_INTENT, CHARGE, INVOICE, PAYMENT_METHOD, SUBSCRIPTION):
        one = thing(resource, word, owner)
        stripe.objects[str(one["id"])] = one
    item = thing(SUBSCRIPTION_ITEM, word, subscription=f"sub_{word}")
    stripe.objects[str(item["id"])] = item


async def cost(request: Named, stripe: Stripe) -> tuple[list[str], int, int]:
    """Give the kinds that were read, and how often the two questions on rows were asked; the request is refused."""
    ownership = Ownership((OWN,))
    with pytest.raises(PermissionDenied) as refused:
        await find_owner(request.intent, stripe, ownership)
    expected = ownership.refusal()
    assert (refused.value.message, refused.value.extensions) == (expected.message, expected.extensions)
    return [path for path, _ in stripe.retrieved], len(ownership.asked), ownership.required_any


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_foreign_and_unknown_cost_the_same(request_: Named) -> None:
    """R1: Somebody else's object, nobody's and an unknown one take the same reads at Stripe and questions on rows."""
    foreign, nobodys, unknown = Stripe(), Stripe(), Stripe()
    for stripe in (foreign, nobodys, unknown):
        add(stripe, "OWN", OWN)
    add(foreign, "X", FOREIGN)
    add(nobodys, "X", None)

    costs = [await cost(request_, stripe) for stripe in (foreign, nobodys, unknown)]

    assert costs[0] == costs[1] == costs[2]
    assert costs[0][0] != []


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_nothing_is_read_for_a_caller_without_rows(request_: Named) -> None:
    """F3: A caller without a row is refused before anything is read at Stripe, whoever's object it names."""
    stripe = Stripe()
    add(stripe, "OWN", OWN)
    add(stripe, "X", OTHER)

    with pytest.raises(PermissionDenied):
        await find_owner(request_.intent, stripe, Ownership(()))

    assert stripe.retrieved == []


async def test_an_item_that_refers_to_nothing() -> None:
    """An item without a subscription takes a second read too, of an ID that is new each time."""
    missing = Stripe.of(thing(SUBSCRIPTION_ITEM, "X", subscription=None))
    for _ in range(2):
        await cost(REQUESTS["item of nothing"], missing)

    paths, ids = zip(*missing.retrieved, strict=True)
    assert paths == (SUBSCRIPTION_ITEM.path, SUBSCRIPTION.path) * 2
    assert all(SUBSCRIPTION.is_id(one) for one in (ids[1], ids[3]))
    assert ids[1] != ids[3]


async def test_the_second_read_may_fail() -> None:
    """A failure of the second read is one of Stripe's, as it is for a foreign item, and no refusal."""

    class Limited(Stripe):
        async def retrieve(self, path: str, object_id: str, **urgency: Urgency) -> dict[str, object]:
            if path == SUBSCRIPTION.path:
                raise StripeRateLimited("later")
            return await Stripe.retrieve(self, path, object_id, **urgency)

    with pytest.raises(StripeRateLimited):
        await find_owner(REQUESTS["item of nothing"].intent, Limited(), Ownership((OWN,)))


def test_every_kind_that_is_found_through_another_refers_to_one_that_names_its_customer() -> None:
    """So one further read is enough for any object, and an unknown one can cost the same."""
    through = [RESOURCES[name] for each in RESOURCES.values() for name in each.via]

    assert [each.kind for each in through if each.via or not each.owned] == []
