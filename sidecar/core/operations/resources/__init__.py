"""Stripe's kinds of object: the path of each, the shape of its IDs, the types of its attributes, and its owner.

One row for each kind (docs.stripe.com/api, "The … object"). An object that names no customer belongs to nobody.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sidecar.core.operations.resource import Resource, StripeObject, address, found_at, reference
from sidecar.core.operations.resources.billing import INVOICE, SUBSCRIPTION, SUBSCRIPTION_ITEM, SUBSCRIPTION_SCHEDULE
from sidecar.core.operations.resources.catalogue import PRICE, PRODUCT
from sidecar.core.operations.resources.customers import CUSTOMER, PAYMENT_METHOD, SETUP_INTENT
from sidecar.core.operations.resources.documents import CREDIT_NOTE, QUOTE
from sidecar.core.operations.resources.offers import COUPON, PAYMENT_LINK, PROMOTION_CODE
from sidecar.core.operations.resources.payments import BALANCE_TRANSACTION, CHARGE, DISPUTE, PAYMENT_INTENT, REFUND
from sidecar.core.operations.resources.records import CUSTOMER_BALANCE_TRANSACTION, TAX_ID
from sidecar.core.operations.resources.sessions import (
    CHECKOUT_SESSION,
    CUSTOMER_SESSION,
    EPHEMERAL_KEY,
    PORTAL_SESSION,
)
from sidecar.core.operations.resources.usage import ACTIVE_ENTITLEMENT, METER, METER_EVENT

__all__ = [
    "ACTIVE_ENTITLEMENT",
    "BALANCE_TRANSACTION",
    "CHARGE",
    "CHECKOUT_SESSION",
    "COUPON",
    "CREDIT_NOTE",
    "CUSTOMER",
    "CUSTOMER_BALANCE_TRANSACTION",
    "CUSTOMER_SESSION",
    "DISPUTE",
    "EPHEMERAL_KEY",
    "INVOICE",
    "METER",
    "METER_EVENT",
    "PAYMENT_INTENT",
    "PAYMENT_LINK",
    "PAYMENT_METHOD",
    "PORTAL_SESSION",
    "PRICE",
    "PRODUCT",
    "PROMOTION_CODE",
    "QUOTE",
    "REFUND",
    "RESOURCES",
    "SETUP_INTENT",
    "SUBSCRIPTION",
    "SUBSCRIPTION_ITEM",
    "SUBSCRIPTION_SCHEDULE",
    "TAX_ID",
    "Resource",
    "StripeObject",
    "address",
    "customer_of",
    "identity_of",
    "is_customer_id",
    "reference",
]

_USUALLY = ("customer",)
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
            TAX_ID,
            CUSTOMER_BALANCE_TRANSACTION,
            DISPUTE,
            CREDIT_NOTE,
            QUOTE,
            SUBSCRIPTION_SCHEDULE,
            METER,
            METER_EVENT,
            ACTIVE_ENTITLEMENT,
            PRODUCT,
            PRICE,
            COUPON,
            PROMOTION_CODE,
            PAYMENT_LINK,
            BALANCE_TRANSACTION,
        )
    }
)


def is_customer_id(value: object) -> bool:
    return CUSTOMER.is_id(value)


def customer_of(value: Mapping[str, object]) -> str | None:
    """Give the ID of the object's customer, None where the object names none. A customer is its own."""
    resource = RESOURCES.get(str(value.get("object")))
    place = _USUALLY if resource is None else resource.customer_at
    found = found_at(_associated(value) if resource is EPHEMERAL_KEY else value, place) if place else None
    found = found.get("id") if isinstance(found, dict) else found
    return found if isinstance(found, str) else None


def _associated(value: Mapping[str, object]) -> Mapping[str, object]:
    """Give what an ephemeral key is for, by kind (docs.stripe.com/api/ephemeral_keys/object, associated_objects)."""
    listed = value.get("associated_objects")
    named = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {str(each.get("type")): each for each in named}


def identity_of(value: Mapping[str, object]) -> str | None:
    """Give what names the object, which is its ID where it has one; None where nothing does."""
    resource = RESOURCES.get(str(value.get("object")))
    found = value.get("id" if resource is None else resource.identity)
    return found if isinstance(found, str) else None
