"""Payments, refunds and saved payment methods, by docs.stripe.com/api: payment_intents, refunds, payment_methods."""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.errors import Object, StripeError, missing_object, require

_DONE = {"succeeded", "canceled"}
_TOKEN = "tok_visa"  # noqa: S105 - a test token: docs.stripe.com/testing
_RAW = "Sending credit card numbers directly to the Stripe API is generally unsafe. Use test tokens."
_REDIRECTS = "Payment methods might redirect your customer, so you must provide a `return_url`, or refuse redirects."
_NOT_ATTACHED = "The payment method you provided is not attached to a customer so detachment is impossible."
_WHILE_CONFIRMING = ("off_session", "return_url", "error_on_requires_action", "mandate_data")


def create_payment(account: Account, values: Object) -> Object:
    """Make a payment. If it is confirmed with a payment method, it succeeds and gets a charge."""
    customer, method = values.get("customer"), values.get("payment_method")
    if not values["amount"]:
        raise StripeError(400, "Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if method:
        account.check_method(method, customer, "payment_method", attached=False)
    payment = {**values, "id": account.new_id("payment_intent"), "canceled_at": None}
    if values.get("confirm"):
        _check_confirmation(values)
        return payment | _charged(account, payment)
    for name in _WHILE_CONFIRMING:
        if name in values:
            raise StripeError(400, f"`{name}` can only be passed with confirm=true.", param=name)
    return payment | {"status": "requires_confirmation" if method else "requires_payment_method"}


def _check_confirmation(values: Object) -> None:
    """Raise StripeError if the method or the return URL is missing: docs.stripe.com/api/payment_intents/create."""
    if not values.get("payment_method"):
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise StripeError(400, message, code="payment_intent_unexpected_state")
    redirects = values.get("automatic_payment_methods", {}).get("allow_redirects", "always") == "always"
    if redirects and not values.get("off_session") and not values.get("return_url"):
        raise StripeError(400, _REDIRECTS, param="return_url")


def _charged(account: Account, payment: Object) -> Object:
    """Charge a payment; `capture_method=manual` captures the charge later. Give the payment's new attributes."""
    captured = payment.get("capture_method") != "manual"
    amount = payment["amount"]
    shown = {name: payment.get(name) for name in ("currency", "customer", "description", "payment_method")}
    charge = account.add(
        "charge",
        {
            **shown,
            "amount": amount,
            "amount_captured": amount if captured else 0,
            "captured": captured,
            "payment_intent": payment["id"],
            "balance_transaction": None,
        },
    )
    if captured:
        charge["balance_transaction"] = _moved(account, "charge", charge["id"], amount, payment["currency"])
    return {
        "latest_charge": charge["id"],
        "status": "succeeded" if captured else "requires_capture",
        "amount_received": amount if captured else 0,
        "amount_capturable": 0 if captured else amount,
    }


def _moved(account: Account, cause: str, source: str, amount: int, currency: str) -> str:
    """Add a balance transaction and give its ID: docs.stripe.com/api/balance_transactions."""
    booked = {"type": cause, "reporting_category": cause, "source": source, "amount": amount, "net": amount}
    return str(account.add("balance_transaction", {**booked, "currency": currency, "description": None})["id"])


def cancel_payment(account: Account, payment: Object, values: Object) -> Object:
    if payment["status"] in _DONE:
        raise StripeError(400, "This PaymentIntent cannot be canceled.", code="payment_intent_unexpected_state")
    now = account.making.now()
    payment |= {"status": "canceled", "canceled_at": now, "cancellation_reason": None, **values}
    return payment


def create_refund(account: Account, values: Object) -> Object:
    """Refund the rest of a charge, or `amount` from the rest: docs.stripe.com/api/refunds/create."""
    charge = _refunded_charge(account, values)
    left = charge["amount"] - charge["amount_refunded"]
    amount = values.get("amount", left)
    if not left:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(400, message, code="charge_already_refunded")
    if not 0 < amount <= left:
        raise StripeError(400, "The charge has no such amount left to refund.", param="amount")
    refund = account.new_id("refund")
    charge |= {"amount_refunded": charge["amount_refunded"] + amount, "refunded": amount == left}
    of = {"payment_intent": charge["payment_intent"], "charge": charge["id"], "currency": charge["currency"]}
    booked = _moved(account, "refund", refund, -amount, charge["currency"])
    return {**values, **of, "id": refund, "amount": amount, "balance_transaction": booked}


def _refunded_charge(account: Account, values: Object) -> Object:
    if "payment_intent" not in values:
        require(values, "charge")
        return _refundable(account.find("charge", values["charge"], "charge"))
    payment = account.find("payment_intent", values["payment_intent"], "payment_intent")
    for charge in account.objects["charge"]:
        if charge["payment_intent"] == payment["id"] and values.get("charge", charge["id"]) == charge["id"]:
            return _refundable(charge)
    raise StripeError(400, f"This PaymentIntent ({payment['id']}) does not have a successful charge to refund.")


def _refundable(charge: Object) -> Object:
    if not (charge["captured"] and charge["paid"]):
        raise StripeError(400, f"Charge {charge['id']} was not captured, so it cannot be refunded.")
    return charge


def create_setup(account: Account, values: Object) -> Object:
    """Make an unconfirmed SetupIntent: docs.stripe.com/payments/setupintents/lifecycle."""
    method = values.get("payment_method")
    if method:
        account.check_method(method, values.get("customer"), "payment_method", attached=False)
    return {**values, "status": "requires_confirmation" if method else "requires_payment_method"}


def create_method(_: Account, values: Object) -> Object:
    """Make a card from a test token; Stripe refuses raw card numbers unless it has allowed them for the account."""
    require(values, "type")
    card = values.get("card") or {}
    if "number" in card:
        raise StripeError(402, _RAW)
    if values["type"] != "card" or "customer" in values:
        raise StripeError(400, "Only cards without a customer can be created here.", param="type")
    if card.get("token") != _TOKEN:
        raise missing_object("token", card.get("token"), "card[token]")
    return {"metadata": {}, **{name: value for name, value in values.items() if name != "card"}}


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
