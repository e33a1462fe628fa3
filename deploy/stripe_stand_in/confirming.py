"""Confirming payments and SetupIntents, with 3-D Secure where the card asks for it.

The sources are docs.stripe.com/payments/paymentintents/lifecycle, docs.stripe.com/payments/setupintents/lifecycle and
docs.stripe.com/api, the pages of `confirm`.
"""

from typing import Any

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.cards import Bank
from deploy.stripe_stand_in.charging import charge, decline, receive
from deploy.stripe_stand_in.errors import Object, StripeError
from deploy.stripe_stand_in.settling import settle_payment, settle_setup

_OPEN = {"requires_payment_method", "requires_confirmation"}
_REDIRECTS = "Payment methods might redirect your customer, so you must provide a `return_url`, or refuse redirects."
_NO_METHOD = "You cannot confirm this intent because it's missing a payment method."
_DECLINED = "Your card was declined."
_KEPT = ("receipt_email", "setup_future_usage")
_ERRORS = {"payment_intent": "last_payment_error", "setup_intent": "last_setup_error"}


def check_confirmation(intent: Object, values: Object) -> None:
    """Raise StripeError if the method or the return URL is missing: docs.stripe.com/api/payment_intents/create.

    Stripe.js, which has the `client_secret`, needs no URL: it opens the bank's page itself.
    """
    if not (values.get("payment_method") or intent.get("payment_method")):
        raise StripeError(400, _NO_METHOD, code=f"{intent['object']}_unexpected_state")
    methods = intent.get("automatic_payment_methods") or {}
    redirects = methods.get("allow_redirects", "always") == "always" and not values.get("client_secret")
    if redirects and not values.get("off_session") and not values.get("return_url"):
        raise StripeError(400, _REDIRECTS, param="return_url")


def confirm(account: Account, intent: Object, values: Object) -> Object:
    """Confirm with a payment method; its bank says what comes next. Raises StripeError where that is no."""
    require_state(intent, _OPEN, "confirmed")
    check_confirmation(intent, values)
    method = values.get("payment_method") or intent["payment_method"]
    account.check_method(method, intent["customer"], "payment_method", attached=False)
    intent |= {name: values[name] or None for name in _KEPT if name in values and name in intent}
    intent |= {"payment_method": method, _ERRORS[intent["object"]]: None}
    bank = account.banks.get(method, Bank.PAYS)
    if bank is Bank.DECLINES:
        if intent["object"] == "payment_intent":
            decline(account, intent, "card_declined", _DECLINED)
        raise _declined(intent, "card_declined", _DECLINED)
    if bank is Bank.ASKS and (values.get("off_session") or values.get("error_on_requires_action")):
        raise _declined(intent, "authentication_required", "Your card was declined. It requires authentication.")
    if bank is Bank.ASKS:
        intent |= {"status": "requires_action", "next_action": _next_action(account, intent, values)}
        return intent
    return _succeed(account, intent)


def authenticate(account: Account, intent: Object, *, passed: bool) -> Object:
    """End 3-D Secure, as the customer does on the bank's page."""
    require_state(intent, {"requires_action"}, "authenticated")
    if passed:
        return _succeed(account, intent)
    _declined(intent, f"{intent['object']}_authentication_failure", "The provided payment method failed.")
    return intent


def capture(account: Account, payment: Object, values: Object) -> Object:
    """Take the held amount, or a part of it: docs.stripe.com/api/payment_intents/capture."""
    require_state(payment, {"requires_capture"}, "captured")
    held: int = payment["amount_capturable"]
    amount = int(values.get("amount_to_capture", held))
    if not 0 < amount <= held:
        message = "The amount could not be captured, since it is not between zero and what is capturable."
        raise StripeError(400, message, code="amount_too_large", param="amount_to_capture")
    receive(account, payment, account.find("charge", payment["latest_charge"], "latest_charge"), amount)
    settle_payment(account, payment)
    return payment


def require_state(intent: Object, states: set[str], done: str) -> None:
    """Raise StripeError unless the intent has one of these states."""
    if intent["status"] not in states:
        message = f"This intent cannot be {done} because it has a status of {intent['status']}."
        raise StripeError(400, message, code=f"{intent['object']}_unexpected_state")


def _succeed(account: Account, intent: Object) -> Object:
    if intent["object"] == "setup_intent":
        intent |= {"status": "succeeded", "next_action": None}
        settle_setup(account, intent)
        return intent
    charge(account, intent)
    settle_payment(account, intent)
    return intent


def _declined(intent: Object, code: str, message: str) -> StripeError:
    """Note what the bank said in the intent, which the error has in it."""
    facts: dict[str, Any] = {"type": "card_error", "code": code}
    failed = {"payment_method": None, "status": "requires_payment_method", "next_action": None}
    intent |= {**failed, _ERRORS[intent["object"]]: {**facts, "message": message}}
    return StripeError(402, message, **facts, **{intent["object"]: dict(intent)})


def _next_action(account: Account, intent: Object, values: Object) -> Object:
    kind, secret = intent["object"], intent["client_secret"]
    url = f"{account.address}/3d_secure/{intent['id']}?{kind}={intent['id']}&{kind}_client_secret={secret}"
    returned = values.get("return_url")
    if returned is None or values.get("use_stripe_sdk"):
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url}}
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": returned, "url": url}}
