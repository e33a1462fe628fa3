"""Schemas of what is answered: Stripe's objects as far as everybody sees them, and errors in Directus's shape.

Whatever else a caller sees of an object stands beside what is described here, and what it may not see is missing: so
nothing but the kind can be relied on.
"""

from collections.abc import Iterable
from typing import Any

from sidecar.core.operations.resources import RESOURCES, SUBSCRIPTION_ITEM, Resource

Schema = dict[str, Any]

_INTEGERS = frozenset(
    {
        *("amount", "amount_captured", "amount_due", "amount_paid", "amount_received", "amount_refunded"),
        *("amount_remaining", "amount_total", "available_on", "cancel_at", "canceled_at", "created"),
        *("current_period_end", "current_period_start", "due_date", "ended_at", "expires_at", "fee", "net"),
        *("period_end", "period_start", "quantity", "start_date", "total", "trial_end", "unit_amount"),
    }
)
_BOOLEANS = frozenset({"active", "cancel_at_period_end", "deleted", "livemode", "paid", "refunded"})
_OBJECTS: dict[str, Schema] = {
    "recurring": {"type": ["object", "null"]},
    "images": {"type": ["array", "null"], "items": {"type": "string"}},
}

ERROR: Schema = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["message", "extensions"],
                "properties": {
                    "message": {"type": "string"},
                    "extensions": {
                        "type": "object",
                        "required": ["code"],
                        "properties": {"code": {"type": "string"}, "reason": {"type": "string"}},
                    },
                },
            },
        }
    },
}


def schemas(resources: Iterable[Resource]) -> dict[str, Schema]:
    """Describe these kinds of object, and the kinds that stand within them."""
    wanted = set(resources)
    if any("items" in resource.base for resource in wanted):
        wanted |= {SUBSCRIPTION_ITEM, RESOURCES["price"]}
    return {resource.kind: _schema(resource) for resource in sorted(wanted, key=lambda resource: resource.kind)}


def reference(resource: Resource) -> Schema:
    return {"$ref": f"#/components/schemas/{resource.kind}"}


def _schema(resource: Resource) -> Schema:
    properties = {name: attribute(resource, name) for name in sorted(resource.base - {"object"})}
    return {
        "type": "object",
        "required": ["object"],
        "properties": {"object": {"const": resource.kind}, **properties},
        "additionalProperties": True,
    }


def attribute(resource: Resource, name: str) -> Schema:
    """Describe one attribute; any may be null where Stripe has no value for it."""
    if name in _INTEGERS:
        return {"type": ["integer", "null"]}
    if name in _BOOLEANS:
        return {"type": ["boolean", "null"]}
    if name in _OBJECTS:
        return _OBJECTS[name]
    if name == "items":
        entries = {"type": "array", "items": reference(SUBSCRIPTION_ITEM)}
        return {"type": "object", "properties": {"object": {"const": "list"}, "data": entries}}
    if name == "price" and resource is SUBSCRIPTION_ITEM:
        return reference(RESOURCES["price"])
    return {"type": ["string", "null"]}
