"""Prices, subscriptions and invoices, by docs.stripe.com/api: prices, subscriptions, invoices."""

import copy
from typing import Any

from deploy.stripe_stand_in.account import SHAPES, Account
from deploy.stripe_stand_in.errors import Object, StripeError, missing_object, missing_parameter, require
from deploy.stripe_stand_in.payments import confirm_new, create_payment, create_setup
from deploy.stripe_stand_in.timing import MONTH, moments

_NO_METHOD = "This customer has no attached payment source or default payment method."
_REQUESTED = {"comment": None, "feedback": None, "reason": "cancellation_requested"}
_PAGE = "https://invoice.stripe.com/i/acct_test/"
_FIRST = "Subscription creation"  # how Stripe describes the payment of a first invoice
_DAY = 86_400  # seconds
_SETTINGS = {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"}


def create_price(_: Account, values: Object) -> Object:
    require(values, "product")
    if "unit_amount" not in values:
        raise missing_parameter("unit_amount")
    terms: Object = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}
    recurring = terms | values["recurring"] if "recurring" in values else None
    decimal = str(values["unit_amount"])
    kind = "recurring" if recurring else "one_time"
    return {**values, "recurring": recurring, "type": kind, "unit_amount_decimal": decimal}


def create_subscription(account: Account, values: Object) -> Object:
    """Subscribe and bill at once. With `payment_behavior=default_incomplete` the first invoice stays open."""
    require(values, "customer", "items")
    method = _method_of(account, values)
    prices = [_recurring(account, item, f"items[{index}]") for index, item in enumerate(values["items"])]
    waits = values.get("payment_behavior") == "default_incomplete"
    trial = _trial(account, values)
    total = 0 if trial else total_of(account, values["items"])[0]
    if total and not waits and not method:
        raise StripeError(400, _NO_METHOD, code="resource_missing")
    subscription_id = account.new_id("subscription")
    items = items_of(account, subscription_id, values["items"])
    now = account.making.now()
    period = {"current_period_start": now, "current_period_end": trial.get("trial_end", now + MONTH)}
    for item in items["data"]:
        item.update(period)
    bill = {"customer": values["customer"], "total": total, "currency": prices[0]["currency"]}
    invoice = _billed(account, subscription_id, items, bill)
    if total:
        _pay_first(account, invoice, None if waits else method, values)
    status = "incomplete" if invoice["status"] == "open" else "trialing" if trial else "active"
    of = {"items": items, "latest_invoice": invoice["id"], "status": status, "currency": prices[0]["currency"]}
    settings = {**_SETTINGS, **values.get("payment_settings", {})}
    pending = _pending_setup(account, subscription_id, values["customer"]) if trial and not method else None
    return {
        "start_date": now,
        **moments(account, values),
        **of,
        **trial,
        "id": subscription_id,
        "payment_settings": settings,
        "pending_setup_intent": pending,
    }


def _trial(account: Account, values: Object) -> Object:
    """Give the trial's begin and end, and nothing without one."""
    now, days, end = account.making.now(), values.get("trial_period_days", 0), values.get("trial_end")
    until = now + days * _DAY if end is None or end == "now" else end
    return {"trial_start": now, "trial_end": until} if until > now else {}


def _pending_setup(account: Account, subscription: str, customer: str) -> str:
    """Make the SetupIntent by which a trial gets its payment method."""
    values = {"customer": customer, "usage": "off_session"}
    setup = account.add("setup_intent", create_setup(account, values))
    account.trials[setup["id"]] = subscription
    return str(setup["id"])


def _method_of(account: Account, values: Object) -> str | None:
    """Find the payment method: the given one, otherwise the customer's default."""
    customer = account.find("customer", values["customer"], "customer")
    given = values.get("default_payment_method")
    if given:
        account.check_method(given, customer["id"], "default_payment_method", attached=True)
    default: str | None = customer["invoice_settings"]["default_payment_method"]
    return given or default


def _recurring(account: Account, item: Object, place: str) -> Object:
    """Find the price of a subscription's item. Raises StripeError for a one-time price."""
    if "price" not in item:
        raise missing_parameter(f"{place}[price]")
    price = account.find("price", item["price"], f"{place}[price]")
    if price["type"] != "recurring":
        message = "The price is set to `type=one_time`, but this field only accepts `type=recurring`."
        raise StripeError(400, message, param=place)
    return price


def items_of(account: Account, subscription: str, wanted: list[Object]) -> Object:
    """Make a subscription's items; each one in `wanted` has the ID of a `price`, and a `quantity`."""
    data = [_item(account, subscription, values) for values in wanted]
    url = f"/v1/subscription_items?subscription={subscription}"
    return {"object": "list", "data": data, "has_more": False, "url": url}


def _item(account: Account, subscription: str, values: Object) -> Object:
    attributes: Object = {"subscription": subscription, "quantity": values.get("quantity", 1)}
    if "price" in values:
        attributes["price"] = account.find("price", values["price"], "price")
    return account.add("subscription_item", attributes)


def total_of(account: Account, items: list[Object]) -> tuple[int, Any]:
    """Add up prices times quantities; give the total, and the currency of the last price."""
    total, currency = 0, None
    for item in items:
        price = account.find("price", item["price"], "price")
        total, currency = total + price["unit_amount"] * item.get("quantity", 1), price["currency"]
    return total, currency


def _pay_first(account: Account, invoice: Object, method: str | None, values: Object) -> None:
    """Make the payment of a first invoice, which stays open without a method or with one that does not pay."""
    of = {"amount": invoice["total"], "currency": invoice["currency"], "customer": invoice["customer"]}
    saving = {
        "setup_future_usage": "off_session",
        "description": _FIRST,
        **({"payment_method": method} if method else {}),
    }
    payment = account.add("payment_intent", create_payment(account, {**of, **saving}))
    account.bills[payment["id"]] = invoice["id"]
    try:
        confirm_new(account, payment, {"confirm": method is not None, "off_session": True})
    except StripeError:
        if values.get("payment_behavior") == "error_if_incomplete":
            raise


def _billed(account: Account, subscription: str, items: Object, bill: Object) -> Object:
    """Make a subscription's first invoice: open if there is something to pay."""
    total, invoice_id = bill["total"], account.new_id("invoice")
    paid = not total
    shown = {
        **_amounts(total, paid=paid),
        **bill,
        "id": invoice_id,
        "billing_reason": "subscription_create",
        "status": "paid" if paid else "open",
        "number": f"{invoice_id[-7:].upper()}-0001",
        "hosted_invoice_url": f"{_PAGE}{invoice_id}",
        "parent": _about(subscription),
    }
    lines = [_line(account, invoice_id, item) for item in items["data"]]
    url = f"/v1/invoices/{invoice_id}/lines"
    listed = {"object": "list", "data": lines, "has_more": False, "url": url}
    return account.add("invoice", {**shown, "lines": listed})


def _amounts(total: int, *, paid: bool) -> Object:
    before = dict.fromkeys(("amount_due", "subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), total)
    return {**before, "amount_paid": total if paid else 0, "amount_remaining": 0 if paid else total}


def _about(subscription: str) -> Object:
    about = {"metadata": None, "subscription": subscription}
    return {"quote_details": None, "subscription_details": about, "type": "subscription_details"}


def _line(account: Account, invoice: str, item: Object) -> Object:
    price = item["price"]
    amount = price["unit_amount"] * item["quantity"]
    line: Object = copy.deepcopy(SHAPES["invoice"]["lines"]["data"][0])
    shown = {"amount": amount, "subtotal": amount, "currency": price["currency"], "quantity": item["quantity"]}
    return {**line, **shown, "id": f"il_{account.making.token(24)}", "invoice": invoice, "description": None}


def preview(account: Account, values: Object) -> Object:
    """Make an invoice without storing it (docs.stripe.com/api/invoices/create_preview)."""
    account.check_references(values)
    shown: Object = {"customer": _owner(account, values)}
    if "subscription" in values:
        shown["parent"] = _about(values["subscription"])
    items = values.get("subscription_details", {}).get("items", [])
    priced = [item for item in items if "price" in item]
    for index, item in enumerate(priced):
        _recurring(account, item, f"subscription_details[items][{index}]")
    if priced:
        total, shown["currency"] = total_of(account, priced)
        shown |= _amounts(total, paid=False)
    invoice = account.made("invoice", shown)
    return invoice | {"id": f"upcoming_{invoice['id']}"}


def _owner(account: Account, values: Object) -> object:
    """Find the customer of an invoice. Raises StripeError if the subscription belongs to another customer."""
    if "subscription" not in values:
        require(values, "customer")
        return values["customer"]
    owner = account.find("subscription", values["subscription"], "subscription")["customer"]
    if values.get("customer") not in {None, owner}:
        raise StripeError(400, "The subscription is not the customer's.", param="subscription")
    return owner


def update_subscription(account: Account, subscription: Object, values: Object) -> Object:
    """Change the given attributes, items by docs.stripe.com/api/subscriptions/update."""
    if subscription["status"] == "canceled" and values.keys() - {"cancellation_details", "metadata"}:
        message = "A canceled subscription can only update its cancellation_details and metadata."
        raise StripeError(400, message)
    method = values.get("default_payment_method")
    if method:
        account.check_method(method, subscription["customer"], "default_payment_method", attached=True)
    _change_items(account, subscription, values.pop("items", []))
    return subscription


def _change_items(account: Account, subscription: Object, wanted: list[Object]) -> None:
    data = subscription["items"]["data"]
    known = {item["id"]: item for item in data}
    for index, values in enumerate(wanted):
        if "id" in values and values["id"] not in known:
            raise missing_object("subscription_item", values["id"], f"items[{index}][id]")
        if "price" in values or "id" not in values:
            _recurring(account, values, f"items[{index}]")
    for values in wanted:
        if "id" not in values:
            data.append(_item(account, subscription["id"], values))
        elif values.get("deleted"):
            data.remove(known[values["id"]])
            account.remove("subscription_item", values["id"])
        else:
            _change_item(account, known[values["id"]], values)


def _change_item(account: Account, item: Object, values: Object) -> None:
    if "price" in values:
        item["price"] = account.find("price", values["price"], "price")
    item["quantity"] = values.get("quantity", item["quantity"])


def cancel_subscription(account: Account, subscription: Object, values: Object) -> Object:
    if subscription["status"] == "canceled":
        raise missing_object("subscription", subscription["id"], "id", 404)
    now, details = account.making.now(), {**_REQUESTED, **values.get("cancellation_details", {})}
    subscription |= {"status": "canceled", "canceled_at": now, "ended_at": now, "cancellation_details": details}
    return subscription
