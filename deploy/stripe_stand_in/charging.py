"""The charge of a payment, and the movements of the account's balance: docs.stripe.com/api/charges."""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.cards import Bank
from deploy.stripe_stand_in.errors import Object


def charge(account: Account, payment: Object) -> None:
    """Charge a payment; with `capture_method=manual` the amount is only held."""
    captured = payment["capture_method"] != "manual"
    made = _made(account, payment, {"amount_captured": payment["amount"] if captured else 0, "captured": captured})
    if account.banks.get(payment["payment_method"]) is Bank.DISPUTES:
        facts = {name: made[name] for name in ("amount", "currency", "payment_intent")}
        account.add("dispute", {**facts, "charge": made["id"], "status": "needs_response", "reason": "fraudulent"})
    payment |= {"latest_charge": made["id"], "next_action": None}
    if captured:
        receive(account, payment, made, payment["amount"])
    else:
        payment |= {"status": "requires_capture", "amount_received": 0, "amount_capturable": payment["amount"]}


def decline(account: Account, payment: Object, code: str, message: str) -> None:
    """Add the charge that a bank refused: docs.stripe.com/declines."""
    failure = {"status": "failed", "failure_code": code, "failure_message": message}
    made = _made(account, payment, {**failure, "paid": False, "captured": False, "amount_captured": 0})
    payment["latest_charge"] = made["id"]


def _made(account: Account, payment: Object, outcome: Object) -> Object:
    of = {name: payment[name] for name in ("currency", "customer", "description", "payment_method", "amount")}
    return account.add("charge", {**of, **outcome, "payment_intent": payment["id"], "balance_transaction": None})


def receive(account: Account, payment: Object, charged: Object, amount: int) -> None:
    """Take the amount of a charge, of which the rest is released."""
    charged |= {"captured": True, "amount_captured": amount}
    charged["balance_transaction"] = move(account, "charge", charged["id"], amount, payment["currency"])
    payment |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}


def move(account: Account, cause: str, source: str, amount: int, currency: str) -> str:
    """Add a balance transaction and give its ID: docs.stripe.com/api/balance_transactions."""
    booked = {"type": cause, "reporting_category": cause, "source": source, "amount": amount, "net": amount}
    return str(account.add("balance_transaction", {**booked, "currency": currency, "description": None})["id"])
