"""Writing out the objects that an answer refers to: docs.stripe.com/api/expanding_objects."""

from collections.abc import Sequence

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.errors import Object, StripeError

_DEEPEST = 4
_KINDS = {
    "customer": "customer",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "default_payment_method": "payment_method",
    "latest_charge": "charge",
    "charge": "charge",
    "latest_invoice": "invoice",
    "pending_setup_intent": "setup_intent",
    "setup_intent": "setup_intent",
    "subscription": "subscription",
    "product": "product",
}
_CONFIRMATION = "confirmation_secret"  # of an invoice, which is never there otherwise


def expanded(account: Account, found: Object, paths: Sequence[str]) -> Object:
    """Copy an object with these parts written out. Raises StripeError for a part that is none."""
    for path in paths:
        found = _expanded(account, found, path.split("."), path)
    return found


def _expanded(account: Account, found: Object, names: Sequence[str], path: str) -> Object:
    if len(names) > _DEEPEST:
        raise StripeError(400, f"You cannot expand more than {_DEEPEST} levels of a property.", param="expand")
    name, *rest = names
    if found["object"] == "list" and name == "data" and rest:
        return {**found, "data": [_expanded(account, entry, rest, path) for entry in found["data"]]}
    if (found["object"], name) == ("invoice", _CONFIRMATION):
        return {**found, _CONFIRMATION: confirmation_secret(account, found["id"])}
    if name not in found or name not in _KINDS:
        raise StripeError(400, f"This property cannot be expanded ({path}).", param="expand")
    if found[name] is None:
        return found
    inner = found[name] if isinstance(found[name], dict) else account.find(_KINDS[name], found[name], "expand", 404)
    return {**found, name: _expanded(account, inner, rest, path) if rest else inner}


def confirmation_secret(account: Account, invoice_id: str) -> Object | None:
    """Give the secret of an invoice's payment: docs.stripe.com/api/invoices/object."""
    for payment in account.objects["payment_intent"]:
        if account.bills.get(payment["id"]) == invoice_id:
            return {"client_secret": payment["client_secret"], "type": "payment_intent"}
    return None
