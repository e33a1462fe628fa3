"""Saved payment methods, by docs.stripe.com/api/payment_methods."""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.cards import METHODS, TOKENS
from deploy.stripe_stand_in.errors import Object, StripeError, missing_object, require

_RAW = "Sending credit card numbers directly to the Stripe API is generally unsafe. Use test tokens."
_NOT_ATTACHED = "The payment method you provided is not attached to a customer so detachment is impossible."
_NAMES = ("payment_method", "default_payment_method")


def create_method(account: Account, values: Object) -> Object:
    """Make a card from a test token; Stripe refuses raw card numbers unless it has allowed them for the account."""
    require(values, "type")
    card = values.get("card") or {}
    if "number" in card:
        raise StripeError(402, _RAW)
    if values["type"] != "card" or "customer" in values:
        raise StripeError(400, "Only cards without a customer can be created here.", param="type")
    if card.get("token") not in TOKENS:
        raise missing_object("token", card.get("token"), "card[token]")
    method_id = account.new_id("payment_method")
    account.banks[method_id] = TOKENS[card["token"]]
    return {"metadata": {}, **{name: value for name, value in values.items() if name != "card"}, "id": method_id}


def resolved(account: Account, values: Object) -> Object:
    """Put a new payment method in the place of each of Stripe's own for tests, such as `pm_card_visa`."""
    return {name: known(account, value) if name in _NAMES else value for name, value in values.items()}


def known(account: Account, method_id: str) -> str:
    """Give the ID of a new payment method for one of Stripe's own for tests, and any other ID as it is."""
    if method_id not in METHODS:
        return method_id
    made = account.add("payment_method", {"type": "card", "customer": None, "metadata": {}})
    account.banks[made["id"]] = METHODS[method_id]
    return str(made["id"])


def attach(account: Account, method: Object, values: Object) -> Object:
    require(values, "customer")
    account.find("customer", values["customer"], "customer")
    if method["customer"] is not None or method["id"] in account.spent:
        raise StripeError(400, "The payment method has already been attached to a customer.")
    method["customer"] = values["customer"]
    return method


def detach(account: Account, method: Object, _: Object) -> Object:
    if method["customer"] is None:
        raise StripeError(400, _NOT_ATTACHED)
    for customer in account.objects["customer"]:
        if customer["invoice_settings"]["default_payment_method"] == method["id"]:
            customer["invoice_settings"]["default_payment_method"] = None
    method["customer"] = None
    account.spent.add(method["id"])
    return method


def save(account: Account, method_id: str, customer: str | None) -> None:
    """Attach the payment method of a payment or a SetupIntent that saves it."""
    method = account.find("payment_method", method_id, "payment_method")
    if customer is not None and method["customer"] is None:
        method["customer"] = customer


def update_method(_: Account, method: Object, values: Object) -> Object:
    """Change what may change of a card; billing details and the card keep what is not given."""
    if method["customer"] is None:
        raise StripeError(400, "You must save this PaymentMethod to a customer before you can update it.")
    for name in ("billing_details", "card"):
        given = {key: None if value == "" else value for key, value in values.get(name, {}).items()}
        method[name] = {**method[name], **given}
    method["allow_redisplay"] = values.get("allow_redisplay", method["allow_redisplay"])
    return method
