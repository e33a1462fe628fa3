"""What follows from a payment or a SetupIntent that succeeded: docs.stripe.com/billing/subscriptions/overview."""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.errors import Object
from deploy.stripe_stand_in.methods import save


def settle_payment(account: Account, payment: Object) -> None:
    """Save the payment method where that was asked for, and pay the invoice that the payment is for."""
    if payment["setup_future_usage"]:
        save(account, payment["payment_method"], payment["customer"])
    invoice_id = account.bills.get(payment["id"])
    if invoice_id is None or payment["status"] != "succeeded":
        return
    invoice = account.find("invoice", invoice_id, "invoice")
    invoice |= {"status": "paid", "amount_paid": invoice["total"], "amount_remaining": 0}
    for subscription in account.objects["subscription"]:
        if subscription["latest_invoice"] == invoice_id and subscription["status"] == "incomplete":
            subscription["status"] = "active"
            _keep_method(subscription, payment)


def settle_setup(account: Account, setup: Object) -> None:
    """Save the payment method, also as that of the subscription whose trial waits for it."""
    save(account, setup["payment_method"], setup["customer"])
    for subscription in account.objects["subscription"]:
        if subscription["id"] == account.trials.get(setup["id"]):
            subscription["pending_setup_intent"] = None
            _keep_method(subscription, setup)


def _keep_method(subscription: Object, intent: Object) -> None:
    if subscription["payment_settings"].get("save_default_payment_method") == "on_subscription":
        subscription["default_payment_method"] = intent["payment_method"]
