"""Stripe's kinds of object: the path of each, the shape of its IDs, the types of its attributes, and its owner.

One row for each kind (docs.stripe.com/api, "The … object"). An object that names no customer belongs to nobody.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sidecar.core.operations.resource import Resource, StripeObject, reference
from sidecar.core.operations.resources.billing import INVOICE, SUBSCRIPTION, SUBSCRIPTION_ITEM
from sidecar.core.operations.resources.catalogue import PRICE, PRODUCT
from sidecar.core.operations.resources.customers import CUSTOMER, PAYMENT_METHOD, SETUP_INTENT
from sidecar.core.operations.resources.payments import BALANCE_TRANSACTION, CHARGE, PAYMENT_INTENT, REFUND
from sidecar.core.operations.resources.sessions import (
    CHECKOUT_SESSION,
    CUSTOMER_SESSION,
    EPHEMERAL_KEY,
    PORTAL_SESSION,
)

__all__ = [
    "BALANCE_TRANSACTION",
    "CHARGE",
    "CHECKOUT_SESSION",
    "CUSTOMER",
    "CUSTOMER_SESSION",
    "EPHEMERAL_KEY",
    "INVOICE",
    "PAYMENT_INTENT",
    "PAYMENT_METHOD",
    "PORTAL_SESSION",
    "PRICE",
    "PRODUCT",
    "REFUND",
    "RESOURCES",
    "SETUP_INTENT",
    "SUBSCRIPTION",
    "SUBSCRIPTION_ITEM",
    "Resource",
    "StripeObject",
    "customer_of",
    "is_customer_id",
    "reference",
]

RESOURCES: Mapping[str, Resource] = MappingProxyType(
    {
        resource.kind: resource
        for resource in (
            CUSTOMER,
            PAYMENT_INTENT,
            CHARGE,
            REFUND,
            INVOICE,
            SUBSCRIPTION,
            SUBSCRIPTION_ITEM,
            PAYMENT_METHOD,
            SETUP_INTENT,
            CHECKOUT_SESSION,
            PORTAL_SESSION,
            EPHEMERAL_KEY,
            CUSTOMER_SESSION,
            PRODUCT,
            PRICE,
            BALANCE_TRANSACTION,
        )
    }
)


def is_customer_id(value: object) -> bool:
    return CUSTOMER.is_id(value)


def customer_of(value: Mapping[str, object]) -> str | None:
    """Give the ID of the object's customer, None where the object names none. A customer is its own."""
    if value.get("object") == CUSTOMER.kind:
        found = value.get("id")
        return found if isinstance(found, str) else None
    associated = _associated(value) if value.get("object") == EPHEMERAL_KEY.kind else {}
    return reference({**value, **associated}, CUSTOMER.kind)


def _associated(key: Mapping[str, object]) -> Mapping[str, object]:
    """Give what an ephemeral key is for, by kind (docs.stripe.com/api/ephemeral_keys/object, associated_objects)."""
    listed = key.get("associated_objects")
    named = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {str(each.get("type")): each for each in named}
