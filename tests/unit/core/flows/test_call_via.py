"""The customer of an object that names none: that of the object it refers to, as for a subscription's item."""

import pytest

from sidecar.core.flows.call import perform
from sidecar.core.flows.owner import Intent
from sidecar.core.operations.resources import PORTAL_SESSION, SUBSCRIPTION, SUBSCRIPTION_ITEM
from sidecar.core.operations.table import OPERATIONS
from sidecar.errors import PermissionDenied
from tests.unit.core.flows.calls import FOREIGN, OTHER, OWN, Ownership, Stripe, thing

ROWS = {row.name: row for row in OPERATIONS}
UPDATE = Intent(ROWS["subscriptions.update"], "sub_1", {"items": [{"id": "si_1", "price": "price_1"}]}, "key")


def account(item: dict[str, object], owner: str = OWN) -> Stripe:
    """Make an account with the caller's subscription, another one of `owner`, and this item."""
    stripe = Stripe.of(thing(SUBSCRIPTION, "1", OWN), thing(SUBSCRIPTION, "2", owner), item)
    stripe.answer = thing(SUBSCRIPTION, "1", OWN)
    return stripe


async def test_an_item_is_its_subscriptions() -> None:
    """An item of the subscription in the path takes no further request than the one for the item."""
    stripe = account(thing(SUBSCRIPTION_ITEM, "1", subscription="sub_1"))

    assert stripe.answer == await perform(UPDATE, stripe, Ownership())
    assert stripe.retrieved == [("/v1/subscriptions", "sub_1"), ("/v1/subscription_items", "si_1")]


async def test_an_item_of_another_subscription_of_the_callers() -> None:
    """The subscription that an item refers to is read, and that subscription's customer counts."""
    stripe = account(thing(SUBSCRIPTION_ITEM, "1", subscription="sub_2"))

    assert stripe.answer == await perform(UPDATE, stripe, Ownership())
    assert stripe.retrieved[2:] == [("/v1/subscriptions", "sub_2")]


@pytest.mark.parametrize(
    ("item", "owner"),
    [
        (thing(SUBSCRIPTION_ITEM, "1", subscription="sub_2"), FOREIGN),
        (thing(SUBSCRIPTION_ITEM, "1", subscription="sub_2"), OTHER),
        (thing(SUBSCRIPTION_ITEM, "1", subscription="sub_3"), OWN),
        (thing(SUBSCRIPTION_ITEM, "1", subscription=None), OWN),
        (thing(SUBSCRIPTION_ITEM, "1"), OWN),
        (thing(SUBSCRIPTION_ITEM, "1", subscription="sub_1", customer=FOREIGN), OWN),
    ],
    ids=["foreign", "other customer", "absent", "null", "unsaid", "customer of its own"],
)
async def test_an_item_that_is_not_the_subscriptions_customers(item: dict[str, object], owner: str) -> None:
    """An item of another customer, of none, or naming a foreign customer itself is refused before any change."""
    stripe = account(item, owner)

    with pytest.raises(PermissionDenied):
        await perform(UPDATE, stripe, Ownership())

    assert stripe.sent == []


async def test_a_customer_that_is_no_text_is_not_looked_up() -> None:
    """A value of another type as customer is not looked up, and the caller's own customer is sent."""
    stripe, ownership = Stripe(answer=thing(PORTAL_SESSION, "1", OWN)), Ownership((OWN,))
    portal = Intent(ROWS["billing_portal_sessions.create"], None, {"customer": [FOREIGN]})

    await perform(portal, stripe, ownership)

    assert ownership.asked == []
    assert [sent[2] for sent in stripe.sent] == [{"customer": OWN}]
