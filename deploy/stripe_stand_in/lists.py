"""Lists, by docs.stripe.com/api/pagination and the page "List all …" of each resource."""

import operator
from collections.abc import Sequence
from typing import Any

from deploy.stripe_stand_in.errors import Object, StripeError, missing_object

_BOUNDS = {"gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt}
_PAGE = {"limit", "starting_after", "ending_before"}
_OVER = {"canceled", "incomplete_expired"}
_MOST = 100
# What objects of a kind do not show, though their lists are made by it (docs.stripe.com/api/entitlements).
_UNSHOWN = {"entitlements.active_entitlement": {"created", "customer"}}


def page(objects: Sequence[Object], query: Object, url: str) -> Object:
    """Give one page of `objects`, newest first; those of the same second keep their order. Raises StripeError."""
    filters = {name: wanted for name, wanted in query.items() if name not in _PAGE}
    found = [entry for entry in objects if not entry.get("deleted") and is_listed(entry, filters)]
    found.sort(key=lambda entry: int(entry.get("created", 0)), reverse=True)  # some kinds have no date
    limit = query.get("limit", 10)
    if not 1 <= limit <= _MOST:
        raise StripeError(400, "Invalid integer", code="parameter_invalid_integer", param="limit")
    if "ending_before" in query:
        end = _place(found, query["ending_before"], "ending_before")
        start = max(0, end - limit)
        more = start > 0
    else:
        start = _place(found, query["starting_after"], "starting_after") + 1 if "starting_after" in query else 0
        end, more = start + limit, start + limit < len(found)
    return {"object": "list", "url": url, "has_more": more, "data": [_seen(entry) for entry in found[start:end]]}


def _seen(entry: Object) -> Object:
    hidden = _UNSHOWN.get(entry["object"], set())
    return {name: value for name, value in entry.items() if name not in hidden} if hidden else entry


def _place(found: Sequence[Object], cursor: object, parameter: str) -> int:
    for index, entry in enumerate(found):
        if entry["id"] == cursor:
            return index
    raise missing_object("object", cursor, parameter)


def is_listed(entry: Object, filters: Object) -> bool:
    """Say whether an object matches all filters."""
    if entry["object"] == "subscription":
        return _has_status(entry["status"], filters.get("status")) and _matches_all(entry, filters)
    return _matches_all(entry, filters)


def _has_status(status: object, wanted: object) -> bool:
    """Filter subscriptions by docs.stripe.com/api/subscriptions/list: without `status`, all but canceled ones match."""
    match wanted:
        case None:
            return status != "canceled"
        case "all":
            return True
        case "ended":
            return status in _OVER
    return status == wanted


def _matches_all(entry: Object, filters: Object) -> bool:
    return all(_matches(entry, name, wanted) for name, wanted in filters.items())


def _matches(entry: Any, name: str, wanted: object) -> bool:  # noqa: ANN401, PLR0911 - an object of any kind, and one case for each filter
    match entry.get("object"), name:
        case "subscription", "status":
            return True
        case "subscription", "price":
            return wanted in [item["price"]["id"] for item in entry["items"]["data"]]
        case "invoice", "subscription":
            details = (entry["parent"] or {}).get("subscription_details") or {}
            return wanted in {entry["subscription"], details.get("subscription")}
        case "promotion_code", "coupon":
            return _is(entry["promotion"]["coupon"], wanted)
        case "subscription_schedule", "scheduled":
            return (entry["status"] == "not_started") is wanted
        case "product", "ids":
            return _is(entry["id"], wanted)
        case "price", "lookup_keys":
            return _is(entry["lookup_key"], wanted)
    return _is(entry.get(name), wanted)


def _is(value: Any, wanted: Any) -> bool:  # noqa: ANN401 - an attribute of any kind
    """Compare a value with another, with a list of them, with bounds of a number, or with an object's members."""
    if isinstance(wanted, list):
        return value in wanted
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    if isinstance(value, int):
        return all(_BOUNDS[bound](value, limit) for bound, limit in wanted.items())
    return isinstance(value, dict) and all(_is(value.get(name), inner) for name, inner in wanted.items())
