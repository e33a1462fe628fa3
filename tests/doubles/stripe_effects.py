"""What a request makes of an account at Stripe: the attributes of what is created, and how objects change.

By docs.stripe.com/api, the page of each call. What a parameter sets that the object does not show is left out.
"""

import time
from collections.abc import Callable
from typing import Any

from tests.doubles.stripe_account import SHAPES, Account
from tests.doubles.stripe_errors import Object, StripeError, missing_object, missing_parameter
from tests.doubles.stripe_kinds import KINDS

_DONE = {"succeeded", "canceled"}
_MERGED = ("metadata", "invoice_settings")


def _payment(_: Account, values: Object) -> Object:
    status = "requires_confirmation" if "payment_method" in values else "requires_payment_method"
    return {**values, "status": status, "canceled_at": None}


def _refund(account: Account, values: Object) -> Object:
    if not {"payment_intent", "charge"} & values.keys():
        raise missing_parameter("payment_intent")
    name = "payment_intent" if "payment_intent" in values else "charge"
    paid = account.find(name, values[name], name)
    other: Object = {"payment_intent": paid.get("payment_intent"), "charge": paid.get("latest_charge")}
    return {"amount": paid["amount"], "currency": paid["currency"], **other, **values}


def _subscription(account: Account, values: Object) -> Object:
    for name in ("customer", "items"):
        if not values.get(name):
            raise missing_parameter(name)
    subscription_id = KINDS["subscription"].new_id(next(account.numbers))
    items: Any = values["items"]
    return {**values, "id": subscription_id, "items": account.items(subscription_id, items)}


def _checkout(account: Account, values: Object) -> Object:
    if "mode" not in values:
        raise missing_parameter("mode")
    lines: Any = values.get("line_items", [])
    total, currency = _total(account, lines)
    return {"amount_total": total, "currency": currency, **values} if lines else values


def _portal(_: Account, values: Object) -> Object:
    if "customer" not in values:
        raise missing_parameter("customer")
    return values


_CREATED: dict[str, Callable[[Account, Object], Object]] = {
    "payment_intent": _payment,
    "refund": _refund,
    "subscription": _subscription,
    "checkout.session": _checkout,
    "billing_portal.session": _portal,
}


def attributes(account: Account, name: str, values: Object) -> Object:
    """Work out what an object to be created shows of the parameters. Raises StripeError."""
    account.check_references(values)
    found = _CREATED[name](account, values) if name in _CREATED else values
    return {attribute: value for attribute, value in found.items() if attribute in SHAPES[name]}


def _total(account: Account, items: list[Any]) -> tuple[int, object]:
    """Add up prices times quantities; give the currency of the last."""
    total, currency = 0, None
    for item in items:
        price: Any = account.find("price", item["price"], "price")
        total, currency = total + price["unit_amount"] * item.get("quantity", 1), price["currency"]
    return total, currency


def preview(account: Account, values: Object) -> Object:
    """Make an invoice that is kept nowhere (docs.stripe.com/api/invoices/create_preview)."""
    account.check_references(values)
    shown: Object = {"customer": account.owner(values)}
    if "subscription" in values:
        about = {"metadata": None, "subscription": values["subscription"]}
        shown["parent"] = {"quote_details": None, "subscription_details": about, "type": "subscription_details"}
    details: Any = values.get("subscription_details", {})
    priced = [item for item in details.get("items", []) if "price" in item]
    if priced:
        shown["total"], shown["currency"] = _total(account, priced)
    invoice = account.made(KINDS["invoice"], shown)
    return invoice | {"id": f"upcoming_{invoice['id']}"}


def update(account: Account, thing: Object, values: Object) -> Object:
    """Change what is given; an empty text unsets, and metadata and invoice settings are merged."""
    account.check_references(values)
    changed = {name: None if value == "" else value for name, value in values.items() if name in thing}
    wanted: Any = changed.pop("items", [])
    if wanted:
        account.change_items(thing, wanted)
    for name in _MERGED:
        before, after = thing.get(name), changed.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            changed[name] = {**before, **after}
    thing |= changed
    return thing


def cancel_payment(_: Account, payment: Object, values: Object) -> Object:
    if payment["status"] in _DONE:
        raise StripeError(400, "This PaymentIntent cannot be canceled.", code="payment_intent_unexpected_state")
    payment |= {"status": "canceled", "canceled_at": int(time.time()), "cancellation_reason": None, **values}
    return payment


def cancel_subscription(_: Account, subscription: Object, values: Object) -> Object:
    if subscription["status"] == "canceled":
        raise missing_object("subscription", subscription["id"], "id", 404)
    now, details = int(time.time()), values.get("cancellation_details")
    subscription |= {"status": "canceled", "canceled_at": now, "ended_at": now, "cancellation_details": details}
    return subscription


def detach(_: Account, method: Object, __: Object) -> Object:
    if method["customer"] is None:
        raise StripeError(400, "The payment method is not attached to a customer, so it cannot be detached.")
    method["customer"] = None
    return method
