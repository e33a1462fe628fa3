"""What is read of a customer at Stripe: only what the map names, each list whole, and within bounds."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from sidecar.clients.http import open_session
from sidecar.clients.lists.snapshots import CustomerSnapshots
from sidecar.clients.stripe.client import StripeClient
from sidecar.core.status.sources import Origin
from sidecar.errors import StripeFailure, StripeRejected, StripeUnavailable
from tests.doubles import faults
from tests.doubles.server import Recorded
from tests.doubles.stripe import StripeDouble
from tests.unit.clients.stripe.governors import governor

ALL = frozenset(Origin)
ENTITLEMENT = "entitlements.active_entitlement"


@asynccontextmanager
async def reading(
    stripe: StripeDouble, origins: Collection[Origin] = ALL, *, most: int = 10_000
) -> AsyncIterator[CustomerSnapshots]:
    async with open_session(total=5, connect=1, connections=1) as session:
        client = StripeClient(
            session, base=stripe.url, key=stripe.key, version="2026-10-28.endive", timeout=5, governor=governor()
        )
        yield CustomerSnapshots(client, origins, most)


def paths(requests: Collection[Recorded]) -> list[str]:
    return [urlsplit(request.target).path for request in requests]


def customer_with(stripe: StripeDouble, **attributes: object) -> str:
    return str(stripe.add_customer(**attributes)["id"])


@pytest.mark.parametrize(
    ("origins", "asked"),
    [
        (frozenset(), []),
        ({Origin.SUBSCRIPTION}, ["/v1/subscriptions"]),
        ({Origin.ENTITLEMENTS}, ["/v1/entitlements/active_entitlements"]),
        ({Origin.PAYMENT_METHOD}, ["/v1/subscriptions"]),
        (ALL, ["/v1/subscriptions", "/v1/entitlements/active_entitlements"]),
    ],
)
async def test_only_what_is_named(stripe: StripeDouble, origins: Collection[Origin], asked: list[str]) -> None:
    """Stripe is asked for the customer and for what the map needs, so the key needs no other rights."""
    customer = customer_with(stripe)

    async with reading(stripe, origins) as reader:
        found = await reader.read(customer)

    assert found.customer["id"] == customer
    assert paths(stripe.requests) == [f"/v1/customers/{customer}", *asked]


async def test_a_deleted_customer(stripe: StripeDouble) -> None:
    """Of a deleted customer nothing else is asked: Stripe refuses its lists."""
    customer = customer_with(stripe, deleted=True)

    async with reading(stripe) as reader:
        found = await reader.read(customer)

    assert (found.deleted, len(stripe.requests)) == (True, 1)


async def test_a_thousand_subscriptions(stripe: StripeDouble) -> None:
    """The whole list is read, canceled ones too, and the active one counts however old it is."""
    customer = customer_with(stripe)
    active = stripe.add("subscription", customer=customer, status="active")
    for _ in range(999):
        stripe.add("subscription", customer=customer, status="canceled")
    stripe.add("subscription", customer=customer_with(stripe), status="active")

    async with reading(stripe, {Origin.SUBSCRIPTION}) as reader:
        found = await reader.read(customer)

    assert found.subscription is not None
    assert (found.subscription["id"], len(stripe.requests)) == (active["id"], 11)


async def test_only_canceled_ones(stripe: StripeDouble) -> None:
    """A canceled subscription counts where there is no other; Stripe's list hides it unless asked for all."""
    customer = customer_with(stripe)
    ended = stripe.add("subscription", customer=customer, status="canceled")

    async with reading(stripe, {Origin.SUBSCRIPTION}) as reader:
        found = await reader.read(customer)

    assert found.subscription is not None
    assert found.subscription["id"] == ended["id"]


async def test_many_entitlements(stripe: StripeDouble) -> None:
    """All pages of a customer's entitlements are read, and no other customer's."""
    customer = customer_with(stripe)
    for number in range(150):
        stripe.add(ENTITLEMENT, customer=customer, lookup_key=f"right_{number}")
    stripe.add(ENTITLEMENT, customer=customer_with(stripe), lookup_key="foreign")

    async with reading(stripe, {Origin.ENTITLEMENTS}) as reader:
        found = await reader.read(customer)

    assert set(found.entitlements) == {f"right_{number}" for number in range(150)}


async def test_an_endless_list(stripe: StripeDouble) -> None:
    """A customer with more than can be looked through is an error, and no part of the list counts as all of it."""
    customer = customer_with(stripe)
    for _ in range(201):
        stripe.add("subscription", customer=customer, status="canceled")

    async with reading(stripe, {Origin.SUBSCRIPTION}, most=200) as reader:
        with pytest.raises(StripeUnavailable, match="too much"):
            await reader.read(customer)


async def test_the_default_payment_method(stripe: StripeDouble) -> None:
    """The customer's choice is read by its ID."""
    customer = stripe.add_customer()
    card = stripe.add("payment_method", customer=customer["id"])
    customer["invoice_settings"]["default_payment_method"] = card["id"]

    async with reading(stripe, {Origin.PAYMENT_METHOD}) as reader:
        found = await reader.read(str(customer["id"]))

    assert found.payment_method is not None
    assert found.payment_method["card"]["last4"] == "4242"  # type: ignore[index]  # as Stripe's example has it


@pytest.mark.parametrize("method", ["pm_gone", "card_1OldCard", "something/../../accounts", "?x=", ""])
async def test_a_method_that_cannot_be_read(stripe: StripeDouble, method: str) -> None:
    """A method that Stripe no longer has, or one whose ID has another shape, is none; no such ID becomes a path."""
    customer = stripe.add_customer()
    customer["invoice_settings"]["default_payment_method"] = method

    async with reading(stripe, {Origin.PAYMENT_METHOD}) as reader:
        found = await reader.read(str(customer["id"]))

    assert found.payment_method is None
    assert not [path for path in paths(stripe.requests) if "accounts" in path]


@pytest.mark.parametrize("part", ["customers", "subscriptions", "entitlements", "payment_methods"])
async def test_a_part_that_fails(stripe: StripeDouble, part: str) -> None:
    """A part that Stripe does not give is no empty part: a snapshot is whole or an error."""
    customer = stripe.add_customer()
    card = stripe.add("payment_method", customer=customer["id"])
    customer["invoice_settings"]["default_payment_method"] = card["id"]
    stripe.fail(faults.answer(403, '{"error": {}}'), when=lambda request: f"/v1/{part}" in request.target)

    async with reading(stripe) as reader:
        with pytest.raises(StripeFailure):
            await reader.read(str(customer["id"]))


async def test_another_accounts_customer(stripe: StripeDouble) -> None:
    """An unknown customer is refused and never reads as one that has nothing."""
    async with reading(stripe) as reader:
        with pytest.raises(StripeRejected):
            await reader.read("cus_unknown")
