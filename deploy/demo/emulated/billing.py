"""Prices, subscriptions to them, and what an invoice would be.

localstripe knows plans, not prices. A recurring price is a plan of the same ID here, as it is at Stripe
(docs.stripe.com/api/plans); subscriptions have one item.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from localstripe.errors import UserError
from localstripe.resources import (
    Customer,
    Invoice,
    PaymentIntent,
    PaymentMethod,
    Plan,
    Product,
    StripeObject,
    Subscription,
    SubscriptionItem,
    store,
)

from deploy.demo.emulated.endpoint import Form, Thing, Value, call, endpoint, keep, missing, referred, refused, take

_SHOWN = "default_payment_method description"
_CHANGED = f"items metadata cancel_at_period_end trial_end proration_behavior payment_behavior {_SHOWN}"


class Price(StripeObject):  # type: ignore[misc]  # localstripe has no types
    object = "price"
    _id_prefix = "price_"

    def __init__(self, *, product: str, currency: str, unit_amount: str, **values: Value) -> None:
        if not unit_amount.isdecimal():
            raise refused("Invalid integer", code="parameter_invalid_integer", param="unit_amount")
        recurring = values.get("recurring")
        repeated = int(recurring.get("interval_count", "1")) if recurring else 1
        super().__init__()
        self.active = values.get("active", "true") == "true"
        self.billing_scheme = "per_unit"
        self.currency = currency
        self.lookup_key = values.get("lookup_key")
        self.metadata = values.get("metadata") or {}
        self.nickname = values.get("nickname")
        self.product = product
        self.recurring = {"usage_type": "licensed", **recurring, "interval_count": repeated} if recurring else None
        self.type = "recurring" if recurring else "one_time"
        self.unit_amount = int(unit_amount)
        self.unit_amount_decimal = unit_amount


def _create_price(**values: Value) -> Thing:
    for name in ("product", "currency", "unit_amount"):
        if name not in values:
            raise missing(name)
    referred(Product, values["product"], "product")
    price = Price(**values)
    if price.recurring is not None:
        Plan(
            id=price.id,
            amount=price.unit_amount,
            currency=price.currency,
            product=price.product,
            interval=price.recurring["interval"],
            interval_count=price.recurring["interval_count"],
        )
    return price


def _create_subscription(
    items: list[Form] | None = None, payment_behavior: str = "allow_incomplete", **values: Value
) -> Thing:
    if "customer" not in values or not items:
        raise missing("items" if "customer" in values else "customer")
    customer, shown = referred(Customer, values["customer"], "customer"), take(values, f"cancel_at_period_end {_SHOWN}")
    with _paying(customer, shown["default_payment_method"], payment_behavior):
        return keep(call(Subscription, "create", items=[_planned(item) for item in _sole(items)], **values), shown)


def _sole(items: list[Form]) -> list[Form]:
    if len(items) != 1 or items[0].get("deleted") == "true":
        raise refused("Subscriptions have one item here.", param="items")
    return items


def _planned(item: Form) -> Form:
    if "price" not in item:
        raise missing("items[0][price]")
    if unknown := item.keys() - {"id", "price", "quantity", "deleted"}:
        raise refused("Received unknown parameter", code="parameter_unknown", param=f"items[0][{min(unknown)}]")
    plan = referred(Plan, item["price"], "items[0][price]")
    return {"plan": plan.id, "quantity": item.get("quantity")} if "quantity" in item else {"plan": plan.id}


@contextmanager
def _paying(customer: Thing, method: str | None, behavior: str) -> Iterator[None]:
    """Let the first invoice be paid by this method, or the customer's own; `default_incomplete` leaves it open."""
    settings = customer.invoice_settings
    usual = settings["default_payment_method"]
    if method is not None and referred(PaymentMethod, method, "default_payment_method").customer != customer.id:
        raise refused("The payment method is not the customer's.", param="default_payment_method")
    if behavior != "default_incomplete" and (method or usual) is None:
        raise refused("This customer has no attached payment source or default payment method.")
    settings["default_payment_method"] = None if behavior == "default_incomplete" else method or usual
    try:
        yield
    finally:
        settings["default_payment_method"] = usual


def _update_subscription(object_id: str, **values: Value) -> Thing:
    subscription = call(Subscription, "retrieve", id=object_id)
    shown = {name: value for name, value in take(values, _SHOWN).items() if value is not None}
    for name in ("proration_behavior", "payment_behavior"):
        values.pop(name, None)
    subscription.metadata.update(values.pop("metadata", {}))
    if "items" in values:
        values["items"] = [_changed(item, subscription) for item in _sole(values["items"])]
    [before] = subscription.items._list  # noqa: SLF001 - it has no other way in
    keep(call(Subscription, "update", id=object_id, **values), shown)
    [after] = subscription.items._list  # noqa: SLF001 - the same
    if after is not before:  # a changed item stays the same item at Stripe
        del store[f"subscription_item:{after.id}"]
        after.id = before.id
        store[f"subscription_item:{after.id}"] = after
    return subscription


def _changed(item: Form, subscription: Thing) -> Form:
    """Fill in from a subscription's item what its change leaves as it is."""
    [now] = subscription.items._list  # noqa: SLF001 - it has no other way in
    if item.get("id") != now.id:
        raise refused("Subscriptions have one item here: name it.", code="resource_missing", param="items[0][id]")
    return _planned({"price": now.plan.id, "quantity": str(now.quantity), **item})


def _cancel_subscription(object_id: str, cancellation_details: Value = None, **_: object) -> Thing:
    if call(Subscription, "retrieve", id=object_id).status == "canceled":
        raise UserError(404, f"No such subscription: '{object_id}'", {"code": "resource_missing", "param": "id"})
    subscription = call(Subscription, "delete", id=object_id)
    return keep(subscription, {"canceled_at": subscription.ended_at, "cancellation_details": cancellation_details})


def _preview(customer: str | None = None, subscription: str | None = None, subscription_details: Value = None) -> Thing:
    details = dict(subscription_details or {})
    current = None if subscription is None else referred(Subscription, subscription, "subscription")
    owner = customer if current is None else current.customer
    if owner is None:
        raise missing("customer")
    if customer not in {None, owner}:
        raise refused("The subscription is not the customer's.", param="subscription")
    referred(Customer, owner, "customer")
    if "items" in details:
        items = _sole(details["items"])
        details["items"] = [_planned(item) if current is None else _changed(item, current) for item in items]
    return call(
        Invoice, "create_preview_invoice", customer=owner, subscription=subscription, subscription_details=details
    )


def _pay_if_possible(object_id: str) -> Thing:
    """Leave a subscription's first invoice open where nothing pays it, instead of failing half-way."""
    invoice = call(Invoice, "retrieve", id=object_id)
    customer = call(Customer, "retrieve", id=invoice.customer)
    if customer.invoice_settings["default_payment_method"] or invoice.total <= 0:
        return _pay(object_id)
    payment = PaymentIntent(amount=invoice.total, currency=invoice.currency, customer=invoice.customer)
    payment.invoice, invoice.payment_intent = object_id, payment.id
    return invoice


_pay = Invoice._api_pay_invoice  # noqa: SLF001 - it has no other way in
Invoice._api_pay_invoice = _pay_if_possible  # noqa: SLF001 - it has no other way in
Invoice.amount_remaining = property(lambda invoice: invoice.amount_due - invoice.amount_paid)
Invoice.number = property(lambda invoice: None if invoice.status == "draft" else f"DEMO-{invoice.id[-4:].upper()}")
Invoice.hosted_invoice_url = property(
    lambda invoice: None if invoice.status == "draft" else f"https://invoice.stripe.com/i/acct_test/{invoice.id}"
)
SubscriptionItem.price = property(lambda item: store.get(f"price:{item.plan.id}"))
SubscriptionItem.subscription = property(lambda item: item._subscription)  # noqa: SLF001 - it has no other way in
SubscriptionItem.current_period_start = property(lambda item: item._current_period()["start"])  # noqa: SLF001 - the same
SubscriptionItem.current_period_end = property(lambda item: item._current_period()["end"])  # noqa: SLF001 - the same

_ONE_SUBSCRIPTION = "/v1/subscriptions/{object_id}"
ENDPOINTS = (
    endpoint(
        "POST",
        "/v1/prices",
        _create_price,
        "product currency unit_amount recurring nickname lookup_key active metadata",
    ),
    endpoint(
        "POST", "/v1/subscriptions", _create_subscription, f"customer trial_period_days billing_cycle_anchor {_CHANGED}"
    ),
    endpoint("POST", _ONE_SUBSCRIPTION, _update_subscription, f"cancel_at proration_date {_CHANGED}"),
    endpoint("DELETE", _ONE_SUBSCRIPTION, _cancel_subscription, "cancellation_details invoice_now prorate"),
    endpoint("POST", "/v1/invoices/create_preview", _preview, "customer subscription subscription_details"),
)
