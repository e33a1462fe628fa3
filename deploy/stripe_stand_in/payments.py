"""Payments, refunds and SetupIntents, by docs.stripe.com/api: payment_intents, refunds, setup_intents."""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.charging import move
from deploy.stripe_stand_in.confirming import check_confirmation, confirm, require_state
from deploy.stripe_stand_in.errors import Object, StripeError, require

_DONE = {"succeeded", "canceled"}
_OPEN = {"requires_payment_method", "requires_confirmation", "requires_action"}
_WHILE_CONFIRMING = ("off_session", "return_url", "error_on_requires_action", "mandate_data", "use_stripe_sdk")


def create_payment(account: Account, values: Object) -> Object:
    """Make an unconfirmed payment. Raises StripeError if it could not be confirmed as asked."""
    if not values["amount"]:
        raise StripeError(400, "Invalid positive integer", code="parameter_invalid_integer", param="amount")
    status = _unconfirmed(account, values, values.get("customer"))
    if values.get("confirm"):
        check_confirmation({**values, "object": "payment_intent"}, values)
    for name in () if values.get("confirm") else _WHILE_CONFIRMING:
        if name in values:
            raise StripeError(400, f"`{name}` can only be passed with confirm=true.", param=name)
    return {**values, "id": account.new_id("payment_intent"), "canceled_at": None, "status": status}


def confirm_new(account: Account, payment: Object, values: Object) -> Object:
    """Confirm a new payment where that was asked for."""
    return confirm(account, payment, values) if values.get("confirm") else payment


def update_payment(account: Account, payment: Object, values: Object) -> Object:
    """Change what is not confirmed yet: docs.stripe.com/api/payment_intents/update."""
    require_state(payment, _OPEN, "updated")
    method = values.get("payment_method")
    if method:
        payment |= {"status": _unconfirmed(account, values, payment["customer"]), "next_action": None}
    return payment


def _unconfirmed(account: Account, values: Object, customer: object) -> str:
    """Give the status of an intent that is to be confirmed. Raises StripeError for a method of somebody else's."""
    method = values.get("payment_method")
    if not method:
        return "requires_payment_method"
    account.check_method(method, customer, "payment_method", attached=False)
    return "requires_confirmation"


def cancel_payment(account: Account, payment: Object, values: Object) -> Object:
    if payment["status"] in _DONE:
        raise StripeError(400, "This PaymentIntent cannot be canceled.", code="payment_intent_unexpected_state")
    now = account.making.now()
    payment |= {"status": "canceled", "canceled_at": now, "cancellation_reason": None, "next_action": None, **values}
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
    booked = move(account, "refund", refund, -amount, charge["currency"])
    # Where the payment method cannot take money back, the customer is asked for instructions by e-mail.
    waits = {"status": "requires_action"} if "instructions_email" in values else {}
    return {**values, **of, **waits, "id": refund, "amount": amount, "balance_transaction": booked}


def _refunded_charge(account: Account, values: Object) -> Object:
    if "payment_intent" not in values:
        require(values, "charge")
        return _refundable(account.find("charge", values["charge"], "charge"))
    payment = account.find("payment_intent", values["payment_intent"], "payment_intent")
    for charge in account.objects["charge"]:
        if (
            charge["payment_intent"] == payment["id"]
            and charge["status"] != "failed"
            and values.get("charge", charge["id"]) == charge["id"]
        ):
            return _refundable(charge)
    raise StripeError(400, f"This PaymentIntent ({payment['id']}) does not have a successful charge to refund.")


def _refundable(charge: Object) -> Object:
    if not (charge["captured"] and charge["paid"]):
        raise StripeError(400, f"Charge {charge['id']} was not captured, so it cannot be refunded.")
    return charge


def create_setup(account: Account, values: Object) -> Object:
    """Make an unconfirmed SetupIntent: docs.stripe.com/payments/setupintents/lifecycle."""
    return {**values, "status": _unconfirmed(account, values, values.get("customer"))}


def cancel_setup(_: Account, setup: Object, values: Object) -> Object:
    if setup["status"] in _DONE:
        raise StripeError(400, "This SetupIntent cannot be canceled.", code="setup_intent_unexpected_state")
    setup |= {"status": "canceled", "cancellation_reason": None, "next_action": None, **values}
    return setup


def cancel_refund(_: Account, refund: Object, __: Object) -> Object:
    """Only a refund that waits for the customer can be canceled: docs.stripe.com/api/refunds/cancel."""
    if refund["status"] != "requires_action":
        raise StripeError(400, "Only refunds that require an action of the customer can be canceled.")
    refund["status"] = "canceled"
    return refund
