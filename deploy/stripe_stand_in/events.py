"""What happened to an account, by Stripe's names: docs.stripe.com/api/events/types.

Two pictures of the account are compared, so no call has to say what it did. An event has the object as it was then.
"""

import copy
from collections.abc import Iterator, Mapping

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.errors import Object

Picture = Mapping[str, Object]

_CREATED = {
    "customer": ("customer.created",),
    "subscription": ("customer.subscription.created",),
    "invoice": ("invoice.created",),
    "payment_intent": ("payment_intent.created",),
    "setup_intent": ("setup_intent.created",),
    "charge": ("charge.succeeded",),
    "refund": ("refund.created",),
    "product": ("product.created",),
    "price": ("price.created",),
}
_UPDATED = {
    "customer": "customer.updated",
    "subscription": "customer.subscription.updated",
    "invoice": "invoice.updated",
    "charge": "charge.updated",
    "refund": "refund.updated",
    "product": "product.updated",
    "price": "price.updated",
}
_TURNED = {
    ("invoice", "paid"): ("invoice.paid", "invoice.payment_succeeded"),
    ("subscription", "canceled"): ("customer.subscription.deleted",),
    ("payment_intent", "succeeded"): ("payment_intent.succeeded",),
    ("payment_intent", "requires_action"): ("payment_intent.requires_action",),
    ("payment_intent", "requires_capture"): ("payment_intent.amount_capturable_updated",),
    ("payment_intent", "canceled"): ("payment_intent.canceled",),
    ("setup_intent", "succeeded"): ("setup_intent.succeeded",),
    ("setup_intent", "requires_action"): ("setup_intent.requires_action",),
    ("setup_intent", "canceled"): ("setup_intent.canceled",),
    ("checkout.session", "expired"): ("checkout.session.expired",),
}
_FAILED = {"payment_intent": "payment_intent.payment_failed", "setup_intent": "setup_intent.setup_failed"}


def picture(account: Account) -> Picture:
    """Copy every object of an account, by its ID, those of each kind in the order in which they were made."""
    objects = (each for kind in account.objects.values() for each in reversed(kind) if "id" in each)
    return {each["id"]: copy.deepcopy(each) for each in objects}


def happened(before: Picture, after: Picture) -> Iterator[tuple[str, Object]]:
    """Give the type of each event between two pictures, with its object."""
    for object_id, now in after.items():
        then = before.get(object_id)
        if then != now:
            yield from ((kind, now) for kind in _types(then, now))


def _types(then: Object | None, now: Object) -> Iterator[str]:
    kind, status = str(now["object"]), str(now.get("status"))
    if then is None:
        yield from _CREATED.get(kind, ())
    if then is None or then.get("status") != now.get("status"):
        yield from _TURNED.get((kind, status), ())
    failed = f"last_{kind.removesuffix('_intent')}_error"
    if kind in _FAILED and now[failed] is not None and (then is None or then[failed] != now[failed]):
        yield _FAILED[kind]
    if then is None or status == "canceled":
        return
    if kind == "payment_method" and then["customer"] != now["customer"]:
        yield "payment_method.detached" if now["customer"] is None else "payment_method.attached"
    if now.get("deleted"):
        yield f"{kind}.deleted"
    elif kind in _UPDATED:
        yield _UPDATED[kind]
