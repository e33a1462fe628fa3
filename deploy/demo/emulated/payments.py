"""Payments, refunds, saved payment methods, and customers that are deleted."""

import time

from localstripe.resources import Charge, Customer, PaymentIntent, PaymentMethod, Refund, SetupIntent

from deploy.demo.emulated.endpoint import Thing, Value, call, endpoint, keep, missing, referred, refused, take

_SHOWN = """automatic_payment_methods description receipt_email setup_future_usage shipping statement_descriptor
    statement_descriptor_suffix"""
_SAVED = "automatic_payment_methods description payment_method"
_deleted: set[str] = set()

PaymentIntent.amount_received = property(lambda payment: payment.amount if payment.status == "succeeded" else 0)
Charge.amount_captured = property(lambda charge: charge.amount if charge.captured and charge.paid else 0)


def _create_payment(**values: Value) -> Thing:
    shown = take(values, _SHOWN)
    if "customer" in values:
        referred(Customer, values["customer"], "customer")
    return keep(call(PaymentIntent, "create", **values), {**shown, "canceled_at": None, "cancellation_reason": None})


def _cancel_payment(object_id: str, cancellation_reason: str | None = None) -> Thing:
    payment = call(PaymentIntent, "cancel", id=object_id)
    return keep(payment, {"canceled_at": int(time.time()), "cancellation_reason": cancellation_reason})


def _create_refund(
    charge: str | None = None, payment_intent: str | None = None, reason: str | None = None, **values: Value
) -> Thing:
    """Refund what is left of a charge, or a part of it, and name both the charge and its payment."""
    paid = _charge(charge, payment_intent)
    left = paid.amount - paid.amount_refunded
    if not paid.captured or int(values.setdefault("amount", str(left))) > left or not left:
        raise refused("The charge has no such amount left to refund.", code="charge_already_refunded")
    refund = call(Refund, "create", charge=paid.id, **values)
    return keep(refund, {"payment_intent": paid.payment_intent, "reason": reason})


def _charge(charge: str | None, payment_intent: str | None) -> Thing:
    if payment_intent is not None:
        latest = referred(PaymentIntent, payment_intent, "payment_intent").latest_charge
        if latest is None or charge not in {None, latest.id}:
            raise refused("This PaymentIntent does not have a successful charge to refund.")
        return latest
    if charge is None:
        raise missing("payment_intent")
    return referred(Charge, charge, "charge")


def _create_setup(**values: Value) -> Thing:
    saved = take(values, _SAVED)
    if "customer" in values:
        referred(Customer, values["customer"], "customer")
    if saved["payment_method"] is not None:
        referred(PaymentMethod, saved["payment_method"], "payment_method")
    setup = keep(call(SetupIntent, "create", **values), saved)
    setup.status = "requires_payment_method" if setup.payment_method is None else "requires_confirmation"
    return setup


def _retrieve_customer(object_id: str) -> Thing:
    """Give a deleted one as docs.stripe.com/api/customers/retrieve has it."""
    return (
        {"id": object_id, "object": "customer", "deleted": True}
        if object_id in _deleted
        else call(Customer, "retrieve", id=object_id)
    )


def _delete_customer(object_id: str) -> Thing:
    gone = call(Customer, "delete", id=object_id)
    _deleted.add(object_id)
    return gone


ENDPOINTS = (
    endpoint("GET", "/v1/customers/{object_id}", _retrieve_customer),
    endpoint("DELETE", "/v1/customers/{object_id}", _delete_customer),
    endpoint(
        "POST",
        "/v1/payment_intents",
        _create_payment,
        f"amount currency customer payment_method metadata capture_method confirm off_session {_SHOWN}",
    ),
    endpoint("POST", "/v1/payment_intents/{object_id}/cancel", _cancel_payment, "cancellation_reason"),
    endpoint("POST", "/v1/refunds", _create_refund, "charge payment_intent amount reason metadata"),
    endpoint("POST", "/v1/setup_intents", _create_setup, f"customer usage metadata {_SAVED}"),
)
