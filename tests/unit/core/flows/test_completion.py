"""How a request is completed by the operator's values, and what is asked for that."""

import pytest

from sidecar.core.flows.call import perform
from sidecar.core.flows.completion import Completion
from sidecar.core.flows.owner import Intent
from sidecar.core.interfaces import PrimaryKey
from sidecar.core.operations.resources import PORTAL_SESSION, SUBSCRIPTION
from sidecar.core.operations.table import OPERATIONS
from sidecar.errors import InvalidPayload
from tests.unit.core.flows.calls import FOREIGN, OWN, Ownership, Stripe, thing

ROWS = {row.name: row for row in OPERATIONS}
PORTAL = Intent(ROWS["billing_portal_sessions.create"])
CHANGE = Intent(ROWS["subscriptions.update"], "sub_1", {"description": "mine"})


class Asked:
    """Tells who the caller is and which item is meant, and keeps what it was asked."""

    def __init__(self, key: PrimaryKey | None = 7) -> None:
        self.key = key
        self.asked: list[str] = []

    async def user(self) -> str:
        self.asked.append("user")
        return "user-1"

    async def item(self, customer: str) -> PrimaryKey | None:
        self.asked.append(customer)
        return self.key

    def completing(self, **fixed: object) -> Completion:
        return Completion(fixed, self.user, self.item)


async def test_nothing_is_asked_without_a_word() -> None:
    """Values without a placeholder cost no question, whoever calls."""
    stripe, asked = Stripe(answer=thing(PORTAL_SESSION, "1", OWN)), Asked()

    await perform(PORTAL, stripe, Ownership((OWN,)), asked.completing(configuration="bpc_1"))

    assert [sent[2] for sent in stripe.sent] == [{"configuration": "bpc_1", "customer": OWN}]
    assert asked.asked == []


async def test_the_item_is_the_callers_own_customers() -> None:
    """With partial access `$item` is that of the one customer of the call, asked for once."""
    stripe, asked = Stripe(answer=thing(PORTAL_SESSION, "1", OWN)), Asked()

    await perform(
        PORTAL, stripe, Ownership((OWN,)), asked.completing(metadata={"a": "$item", "b": "$item", "c": "$user"})
    )

    assert stripe.sent[0][2]["metadata"] == {"a": "7", "b": "7", "c": "user-1"}
    assert asked.asked == [OWN, "user"]


@pytest.mark.parametrize("key", ["a b", 0, "0"])
async def test_a_primary_key_is_a_text(key: PrimaryKey) -> None:
    """A number and a text are sent as they are written."""
    stripe, asked = Stripe(answer=thing(PORTAL_SESSION, "1", OWN)), Asked(key)

    await perform(PORTAL, stripe, Ownership((OWN,)), asked.completing(metadata={"a": "$item"}))

    assert stripe.sent[0][2]["metadata"] == {"a": str(key)}


async def test_with_whole_access_the_request_says_whose_item() -> None:
    """The customer is the one that the request names, or else that of the object in its path, which is read."""
    stripe = Stripe.of(thing(SUBSCRIPTION, "1", FOREIGN))
    asked = Asked()
    named = Intent(PORTAL.operation, None, {"customer": FOREIGN})

    await perform(named, stripe, None, asked.completing(metadata={"a": "$item"}))
    await perform(CHANGE, stripe, None, asked.completing(metadata={"a": "$item"}))
    await perform(CHANGE, stripe, None, asked.completing(metadata={"a": "$user"}))

    assert asked.asked == [FOREIGN, FOREIGN, "user"]
    assert stripe.retrieved == [("/v1/subscriptions", "sub_1")]


@pytest.mark.parametrize("ownership", [None, Ownership((OWN,))], ids=["whole", "partial"])
async def test_an_item_that_cannot_be_told_is_refused(ownership: Ownership | None) -> None:
    """Where no one item can be told, nothing is sent, and the refusal names the parameter."""
    stripe = Stripe.of(thing(SUBSCRIPTION, "1", OWN))

    with pytest.raises(InvalidPayload, match=r"^metadata\.a: "):
        await perform(CHANGE, stripe, ownership, Asked(None).completing(metadata={"a": "$item"}))

    assert stripe.sent == []


async def test_an_item_without_a_customer_is_refused() -> None:
    """A caller with whole access that names no customer gets a refusal that says so, and Directus is not asked."""
    stripe, asked = Stripe(), Asked()
    intent = Intent(ROWS["setup_intents.create"])

    with pytest.raises(InvalidPayload, match=r"^metadata\.a: .* no customer is named"):
        await perform(intent, stripe, None, asked.completing(metadata={"a": "$item"}))

    assert (stripe.sent, asked.asked) == ([], [])


async def test_the_customer_is_never_the_operators() -> None:
    """Whatever the values are, the customer of a caller with partial access is its own."""
    stripe, asked = Stripe(answer=thing(PORTAL_SESSION, "1", OWN)), Asked()

    await perform(PORTAL, stripe, Ownership((OWN,)), asked.completing(customer=FOREIGN))

    assert stripe.sent[0][2] == {"customer": OWN}
