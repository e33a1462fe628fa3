"""Every list and every retrieval: newest first, a page of 1 to 100, cursors both ways, and Stripe's filters.

Where: docs.stripe.com/api/pagination, and "List all …" of each resource.
"""

import operator
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from localstripe.resources import (
    BalanceTransaction,
    Charge,
    Customer,
    Invoice,
    PaymentIntent,
    PaymentMethod,
    Product,
    Refund,
    SetupIntent,
    Subscription,
    SubscriptionItem,
    store,
)

from deploy.demo.emulated.billing import Price
from deploy.demo.emulated.endpoint import Endpoint, Thing, Value, call, endpoint, exported, refused
from deploy.demo.emulated.sessions import CheckoutSession

_PAGE = ("limit", "starting_after", "ending_before")
_MOST = 100
_BOUNDS = {"gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt}
_OVER = {"canceled", "incomplete_expired"}


def _objects(kind: Thing) -> list[Thing]:
    """Give all of a kind, newest first."""
    return [thing for key, thing in store.items() if key.startswith(f"{kind.object}:")][::-1]


def listed(kind: Thing, path: str, **query: Value) -> dict[str, object]:
    page = {name: query.pop(name, None) for name in _PAGE}
    bounds = query.pop("created", {})
    found = [thing for thing in _objects(kind) if _in_time(thing.created, bounds) and _matches(thing, query)]
    part = _part([thing.id for thing in found], **page)
    more = part.start > 0 if page["ending_before"] else part.stop < len(found)
    return {"object": "list", "url": path, "has_more": more, "data": [exported(thing) for thing in found[part]]}


def _part(ids: list[str], *, limit: str | None, starting_after: str | None, ending_before: str | None) -> slice:
    size = _number(limit, "limit") if limit else 10
    if not 1 <= size <= _MOST:
        raise refused("Invalid integer", code="parameter_invalid_integer", param="limit")
    if ending_before:
        end = _place(ids, ending_before, "ending_before")
        return slice(max(0, end - size), end)
    start = _place(ids, starting_after, "starting_after") + 1 if starting_after else 0
    return slice(start, start + size)


def _place(ids: list[str], cursor: str, parameter: str) -> int:
    if cursor not in ids:
        raise refused(f"No such object: '{cursor}'", code="resource_missing", param=parameter)
    return ids.index(cursor)


def _in_time(created: int, bounds: Mapping[str, str] | str) -> bool:
    if isinstance(bounds, str):
        return created == _number(bounds, "created")
    if unknown := bounds.keys() - _BOUNDS:
        raise refused("Received unknown parameter: created", code="parameter_unknown", param=f"created[{min(unknown)}]")
    return all(_BOUNDS[bound](created, _number(value, "created")) for bound, value in bounds.items())


def _number(text: str, parameter: str) -> int:
    if not text.isdecimal():
        raise refused(f"Invalid integer: {text}", code="parameter_invalid_integer", param=parameter)
    return int(text)


def _matches(thing: Thing, filters: Mapping[str, str]) -> bool:
    if isinstance(thing, Subscription):
        filters = {"status": "", **filters}
    return all(wanted in _texts(thing, name) for name, wanted in filters.items())


def _texts(thing: Thing, name: str) -> Iterable[str]:
    """Give every value of a filter under which an object is listed."""
    if isinstance(thing, Subscription) and name == "status":
        return _statuses(thing.status)
    if isinstance(thing, Subscription) and name == "price":
        return [thing.plan.id]
    value = getattr(thing, name, None)
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _statuses(status: str) -> Iterator[str]:
    """Give each `status` that lists a subscription; "" is none at all (docs.stripe.com/api/subscriptions/list)."""
    yield from (status, "all")
    if status in _OVER:
        yield "ended"
    if status != "canceled":
        yield ""


def _retrieved(kind: Thing, object_id: str) -> Thing:
    return call(kind, "retrieve", id=object_id)


_FILTERS = {
    Customer: "customers: email",
    PaymentIntent: "payment_intents: customer",
    Charge: "charges: customer payment_intent",
    Refund: "refunds: charge payment_intent",
    Invoice: "invoices: customer status subscription collection_method",
    Subscription: "subscriptions: customer price status",
    SubscriptionItem: "subscription_items: subscription",
    PaymentMethod: "payment_methods: customer type",
    SetupIntent: "setup_intents: customer payment_method",
    CheckoutSession: "checkout/sessions: customer status payment_intent subscription",
    Product: "products: active url",
    Price: "prices: active currency product type",
    BalanceTransaction: "balance_transactions: currency source type",
}
_UNDATED = (PaymentMethod, SubscriptionItem)  # their lists take no `created`


def _endpoints() -> Iterator[Endpoint]:
    for kind, row in _FILTERS.items():
        name, filters = row.split(":")
        path, dated = f"/v1/{name}", "" if kind in _UNDATED else "created"
        yield endpoint("GET", path, partial(listed, kind, path), f"{filters} {dated} {' '.join(_PAGE)}")
        yield endpoint("GET", f"{path}/{{object_id}}", partial(_retrieved, kind))


ENDPOINTS = tuple(_endpoints())
