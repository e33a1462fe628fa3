"""Invoices, credit notes and quotes, and what becomes of them, by docs.stripe.com/api and their pages there."""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.billing import total_of
from deploy.stripe_stand_in.errors import Object, StripeError, require

_NO_METHOD = "This customer has no attached payment source or default payment method."


def create_invoice(_: Account, values: Object) -> Object:
    """Make a draft without lines."""
    require(values, "customer")
    nothing = dict.fromkeys(("amount_due", "amount_paid", "amount_remaining", "subtotal", "total"), 0)
    return {**values, **nothing, "status": "draft", "number": None, "hosted_invoice_url": None, "invoice_pdf": None}


def create_credit_note(account: Account, values: Object) -> Object:
    invoice = account.find("invoice", values["invoice"], "invoice")
    require(values, "amount")
    if invoice["status"] not in {"open", "paid"} or values["amount"] > invoice["total"]:
        raise StripeError(400, "The invoice has no such amount to credit.", param="amount")
    amount = dict.fromkeys(("amount", "subtotal", "total"), values["amount"])
    return {**values, **amount, "customer": invoice["customer"], "currency": invoice["currency"], "status": "issued"}


def book(account: Account, values: Object) -> Object:
    """Add to what a customer owes: docs.stripe.com/api/customer_balance_transactions/create."""
    customer = account.find("customer", values["customer"], "customer")
    customer["balance"] += values["amount"]
    return {**values, "ending_balance": customer["balance"]}


def create_quote(account: Account, values: Object) -> Object:
    total, currency = total_of(account, values.get("line_items", []))
    amounts = {"amount_subtotal": total, "amount_total": total, "currency": currency}
    return {**values, **amounts, "customer": values.get("customer"), "status": "draft", "number": None}


def finalize_quote(_: Account, quote: Object, __: Object) -> Object:
    _require(quote, "quote", "draft")
    quote |= {"status": "open", "number": f"QT-{quote['id'][-7:].upper()}"}
    return quote


def pay(account: Account, invoice: Object, values: Object) -> Object:
    """Pay an open invoice with the given method, or with the customer's default."""
    _require(invoice, "invoice", "open")
    method = values.get("payment_method")
    if method:
        account.check_method(method, invoice["customer"], "payment_method", attached=True)
    customer = account.find("customer", invoice["customer"], "customer")
    if not method and not customer["invoice_settings"]["default_payment_method"]:
        raise StripeError(400, _NO_METHOD, code="resource_missing")
    invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
    return invoice


def finalize(account: Account, invoice: Object, _: Object) -> Object:
    _require(invoice, "invoice", "draft")
    page = f"https://invoice.stripe.com/i/acct_test/{invoice['id']}"
    invoice |= {"status": "open", "hosted_invoice_url": page, "effective_at": account.making.now()}
    return invoice


def void(_: Account, invoice: Object, __: Object) -> Object:
    _require(invoice, "invoice", "open", "uncollectible")
    invoice["status"] = "void"
    return invoice


def accept(_: Account, quote: Object, __: Object) -> Object:
    _require(quote, "quote", "open")
    quote["status"] = "accepted"
    return quote


def cancel(_: Account, quote: Object, __: Object) -> Object:
    _require(quote, "quote", "draft", "open")
    quote["status"] = "canceled"
    return quote


def _require(thing: Object, kind: str, *statuses: str) -> None:
    """Raise StripeError unless the object has one of these statuses."""
    if thing["status"] not in statuses:
        raise StripeError(400, f"This {kind} is {thing['status']}; that takes one that is {' or '.join(statuses)}.")
