"""The effects of calls on an account: a table of calls that create an object, and a table of other calls.

The source is docs.stripe.com/api, the page of each call. Parameters that the object does not show have no effect.
"""

from collections.abc import Callable

from deploy.stripe_stand_in import billing, confirming, documents, methods, offers, payments, sessions, timing, usage
from deploy.stripe_stand_in.account import SHAPES, Account
from deploy.stripe_stand_in.errors import Object

Creation = Callable[[Account, Object], Object]
Change = Callable[[Account, Object, Object], Object]

_MERGED = ("metadata", "invoice_settings", "payment_settings", "cancellation_details")
_CREATIONS: dict[str, Creation] = {
    "payment_intent": payments.create_payment,
    "refund": payments.create_refund,
    "setup_intent": payments.create_setup,
    "payment_method": methods.create_method,
    "price": billing.create_price,
    "subscription": billing.create_subscription,
    "checkout.session": sessions.create_checkout,
    "billing_portal.session": sessions.create_portal,
    "ephemeral_key": sessions.create_key,
    "customer_session": sessions.create_customer_session,
    "billing.meter": usage.create_meter,
    "billing.meter_event": usage.create_event,
    "promotion_code": offers.create_code,
    "customer_balance_transaction": documents.book,
    "invoice": documents.create_invoice,
    "credit_note": documents.create_credit_note,
    "quote": documents.create_quote,
    "subscription_schedule": timing.create_schedule,
    "payment_link": offers.create_link,
}
_COMPLETIONS: dict[str, Change] = {"payment_intent": payments.confirm_new}


def create(account: Account, name: str, values: Object) -> Object:
    """Create an object from parameters; an empty text counts as not given. Raises StripeError."""
    values = methods.resolved(account, values)
    account.check_references(values)
    given = {parameter: value for parameter, value in values.items() if value != ""}
    found = _CREATIONS[name](account, given) if name in _CREATIONS else given
    made = account.add(name, {attribute: value for attribute, value in found.items() if attribute in SHAPES[name]})
    return _COMPLETIONS[name](account, made, given) if name in _COMPLETIONS else made


def change(account: Account, name: str, call: str, found: Object, values: Object) -> Object:
    """Change an object by any call but creating and retrieving. Raises StripeError."""
    values = methods.resolved(account, values)
    account.check_references(values)
    return _CHANGES[name, call](account, found, values)


def _update_customer(account: Account, customer: Object, values: Object) -> Object:
    method = values.get("invoice_settings", {}).get("default_payment_method")
    if method:
        place = "invoice_settings[default_payment_method]"
        account.check_method(method, customer["id"], place, attached=True)
    return _update(customer, values)


def _update_subscription(account: Account, subscription: Object, values: Object) -> Object:
    return _update(billing.update_subscription(account, subscription, values), timing.moments(account, values))


def _update_payment(account: Account, payment: Object, values: Object) -> Object:
    return _update(payments.update_payment(account, payment, values), values)


def _update(thing: Object, values: Object) -> Object:
    """Set the given attributes; an empty text unsets one, and metadata and invoice settings are merged."""
    changed = {name: None if value == "" else value for name, value in values.items() if name in thing}
    for name in _MERGED:
        before, after = thing.get(name), changed.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            changed[name] = _merged(before, after, unset=name == "metadata")
    thing |= changed
    return thing


def _merged(before: Object, after: Object, *, unset: bool) -> Object:
    """Merge both. An empty text unsets an attribute; in metadata it removes the key (docs.stripe.com/api/metadata)."""
    both = {key: None if value == "" else value for key, value in {**before, **after}.items()}
    return {key: value for key, value in both.items() if value is not None} if unset else both


def _delete_customer(account: Account, customer: Object, _: Object) -> Object:
    """Delete a customer and end its subscriptions: docs.stripe.com/api/customers/delete."""
    for subscription in account.objects["subscription"]:
        if subscription["customer"] == customer["id"] and subscription["status"] != "canceled":
            billing.cancel_subscription(account, subscription, {})
    customer["deleted"] = True
    return shown(customer)


def _delete_tax_id(_: Account, tax_id: Object, __: Object) -> Object:
    tax_id["deleted"] = True
    return shown(tax_id)


def shown(thing: Object) -> Object:
    """Give the retrieved form of an object; for deleted ones see docs.stripe.com/api/customers/retrieve."""
    return {"id": thing["id"], "object": thing["object"], "deleted": True} if thing.get("deleted") else thing


_CHANGES: dict[tuple[str, str], Change] = {
    ("customer", "update"): _update_customer,
    ("customer", "delete"): _delete_customer,
    ("subscription", "update"): _update_subscription,
    ("subscription", "delete"): billing.cancel_subscription,
    ("payment_intent", "update"): _update_payment,
    ("payment_intent", "confirm"): confirming.confirm,
    ("payment_intent", "capture"): confirming.capture,
    ("subscription", "pause"): timing.pause,
    ("subscription", "resume"): timing.resume,
    ("subscription_schedule", "cancel"): timing.cancel_schedule,
    ("subscription_schedule", "release"): timing.release_schedule,
    ("invoice", "pay"): documents.pay,
    ("invoice", "finalize"): documents.finalize,
    ("invoice", "void"): documents.void,
    ("quote", "finalize"): documents.finalize_quote,
    ("quote", "accept"): documents.accept,
    ("quote", "cancel"): documents.cancel,
    ("tax_id", "delete"): _delete_tax_id,
    ("payment_intent", "cancel"): payments.cancel_payment,
    ("setup_intent", "confirm"): confirming.confirm,
    ("setup_intent", "cancel"): payments.cancel_setup,
    ("refund", "cancel"): payments.cancel_refund,
    ("payment_method", "update"): methods.update_method,
    ("payment_method", "attach"): methods.attach,
    ("payment_method", "detach"): methods.detach,
    ("checkout.session", "expire"): sessions.expire,
}
