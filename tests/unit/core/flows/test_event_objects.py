"""The objects of events, as Stripe has them now."""

import logging
from dataclasses import dataclass, field

import pytest

from sidecar.core.flows.event_objects import customer_named, retrieved
from sidecar.core.flows.events import Event, ObjectReference
from sidecar.core.operations.resources import StripeObject
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeFailure, StripeRejected, StripeTimeout

INVOICE = ObjectReference("invoice", "in_1")
PAID = Event("evt_1", "invoice.paid", livemode=False, object=INVOICE)


@dataclass
class OneObject:
    """A Stripe with one object, or with one way to fail."""

    answer: StripeObject | StripeFailure
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:
        assert urgency is Urgency.CALL
        self.asked.append((path, object_id))
        if isinstance(self.answer, StripeFailure):
            raise self.answer
        return self.answer


def rejected(status: int, code: str | None) -> StripeRejected:
    return StripeRejected("no", status=status, extensions={"stripe": {} if code is None else {"code": code}})


async def test_the_object_is_asked_for_by_its_kind() -> None:
    """The object is read at its kind's own path."""
    stripe = OneObject({"id": "in_1", "object": "invoice"})

    assert await retrieved(INVOICE, stripe) == {"id": "in_1", "object": "invoice"}
    assert stripe.asked == [("/v1/invoices", "in_1")]


async def test_an_object_that_is_gone() -> None:
    """An object that Stripe no longer has is None, and names no customer."""
    stripe = OneObject(rejected(404, "resource_missing"))

    assert (await retrieved(INVOICE, stripe), await customer_named(PAID, stripe)) == (None, None)


@pytest.mark.parametrize("kind", ["payment_intent", "customer", "subscription", "charge"])
async def test_an_object_that_should_be_there(kind: str) -> None:
    """What cannot be deleted, or what Stripe gives after that too, is missing only from another account: that fails."""
    with pytest.raises(StripeRejected):
        await retrieved(ObjectReference(kind, "x_1"), OneObject(rejected(404, "resource_missing")))


@pytest.mark.parametrize("failure", [rejected(404, None), rejected(400, "parameter_unknown"), StripeTimeout("late")])
async def test_an_object_that_cannot_be_read(failure: StripeFailure) -> None:
    """Any other failure says nothing about the object, so the event has to come again."""
    with pytest.raises(type(failure)):
        await retrieved(INVOICE, OneObject(failure))


@pytest.mark.parametrize(
    ("invoice", "customer"),
    [
        ({"customer": "cus_1"}, "cus_1"),
        ({"customer": {"id": "cus_1"}}, "cus_1"),
        ({"customer": None}, None),
        ({}, None),
    ],
)
async def test_the_customer_of_a_thin_event(invoice: StripeObject, customer: str | None) -> None:
    """The object as Stripe has it tells the customer that a thin event does not."""
    stripe = OneObject({"id": "in_1", "object": "invoice", **invoice})

    assert await customer_named(PAID, stripe) == customer


@pytest.mark.parametrize(
    ("event", "customer"),
    [
        (Event("evt_1", "invoice.paid", livemode=False, object=INVOICE, customer="cus_1"), "cus_1"),
        (Event("evt_1", "invoice.upcoming", livemode=False, customer="cus_1"), "cus_1"),
        (Event("evt_1", "balance.available", livemode=False), None),
    ],
)
async def test_what_the_event_tells_is_not_asked_for(event: Event, customer: str | None) -> None:
    """Stripe is asked for no customer that the event tells, nor without an object."""
    stripe = OneObject({})

    assert (await customer_named(event, stripe), stripe.asked) == (customer, [])


async def test_a_followed_event_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Stripe's thin event about entitlements has no object, so the operator is told to choose snapshots."""
    thin = Event("evt_1", "entitlements.active_entitlement_summary.updated", livemode=False)

    with caplog.at_level(logging.WARNING):
        assert await customer_named(thin, OneObject({})) is None

    [record] = caplog.records
    assert "let Stripe send events of its type as snapshots" in record.message
