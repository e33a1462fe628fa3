"""The whole surface of the service as one table. What has no row here does not exist.

Paths are below SIDECAR_PREFIX. `action` is what Directus must grant on STRIPE_CUSTOMERS_COLLECTION.
`stripe` is the path at Stripe; `filters` says which path parameter narrows the list under which name
(docs.stripe.com/api: "List all PaymentIntents", "List all customers", "Create a customer").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType

from sidecar.core.permissions import Action
from sidecar.errors import RouteNotFound


class Kind(Enum):
    """Which of the few handlers serves an operation."""

    LIST = auto()
    CREATE_CUSTOMER = auto()


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    path: str
    action: Action
    kind: Kind
    stripe: str
    summary: str
    filters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


OPERATIONS = (
    Operation(
        name="payments.list",
        method="GET",
        path="/payments",
        action=Action.READ,
        kind=Kind.LIST,
        stripe="/v1/payment_intents",
        summary="every PaymentIntent, newest first, as a JSON array",
    ),
    Operation(
        name="payments.list_for_customer",
        method="GET",
        path="/payments/{customer_id}",
        action=Action.READ,
        kind=Kind.LIST,
        stripe="/v1/payment_intents",
        summary="that customer's PaymentIntents, newest first, as a JSON array",
        filters=MappingProxyType({"customer_id": "customer"}),
    ),
    Operation(
        name="customers.list",
        method="GET",
        path="/customers",
        action=Action.READ,
        kind=Kind.LIST,
        stripe="/v1/customers",
        summary="every customer, newest first, as a JSON array",
    ),
    Operation(
        name="customers.create",
        method="POST",
        path="/customers",
        action=Action.CREATE,
        kind=Kind.CREATE_CUSTOMER,
        stripe="/v1/customers",
        summary="the customer created from `email` and, if given, `name`",
    ),
)

_ID_SHAPES = {"customer_id": re.compile(r"cus_[A-Za-z0-9]{1,250}")}


def stripe_filters(operation: Operation, path_parameters: Mapping[str, str]) -> dict[str, str]:
    """Turn the IDs in a request's path into filters of the Stripe list.

    Raises RouteNotFound for one that has not the shape of its kind, so that no other text ever reaches a URL.
    """
    for name, value in path_parameters.items():
        if not _ID_SHAPES[name].fullmatch(value):
            raise RouteNotFound("The path holds no Stripe customer ID; one looks like cus_ABC123.")
    return {operation.filters[name]: value for name, value in path_parameters.items()}
