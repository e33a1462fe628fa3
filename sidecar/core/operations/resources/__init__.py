"""Stripe's kinds of object: the path of each, the shape of its IDs, the types of its attributes, and its owner.

One row for each kind (docs.stripe.com/api, "The … object"). An object that names no customer belongs to nobody.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sidecar.core.operations.resource import Resource, StripeObject, address, reference
from sidecar.core.operations.resources.billing import INVOICE, SUBSCRIPTION, SUBSCRIPTION_ITEM
from sidecar.core.operations.resources.catalogue import PRICE, PRODUCT
from sidecar.core.operations.resources.customers import CUSTOMER, PAYMENT_METHOD, SETUP_INTENT
from sidecar.core.operations.resources.payments import BALANCE_TRANSACTION, CHARGE, PAYMENT_INTENT, REFUND
from sidecar.core.operations.resources.sessions import CHECKOUT_SESSION, PORTAL_SESSION

__all__ = [
    "BALANCE_TRANSACTION",
    "CHARGE",
    "CHECKOUT_SESSION",
    "CUSTOMER",
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
    "address",
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
    reference = value if value.get("object") == CUSTOMER.kind else value.get("customer")
    found = reference.get("id") if isinstance(reference, dict) else reference
    return found if isinstance(found, str) else None
