"""The whole surface of the service as one table. What has no row here does not exist.

Paths are below SIDECAR_PREFIX. `action` is what Directus must grant on STRIPE_CUSTOMERS_COLLECTION.
`stripe` is the path of the resource at Stripe (docs.stripe.com/api: "List all PaymentIntents", "List all
customers", "Retrieve a customer", "Create a customer").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from sidecar.core.permissions import Action
from sidecar.errors import RouteNotFound


class Kind(Enum):
    """Which of the few handlers serves an operation."""

    LIST = auto()
    RETRIEVE = auto()
    CREATE_CUSTOMER = auto()


class Scoping(Enum):
    """How a caller with partial access is held to the customers in its own rows; the default refuses it."""

    REFUSED = auto()
    FILTER = auto()  # the Stripe list takes a `customer`
    IDENTITY = auto()  # the object is the customer


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    path: str
    action: Action
    kind: Kind
    stripe: str
    summary: str
    scoping: Scoping = Scoping.REFUSED

    @property
    def names_customer(self) -> bool:
        return "{customer_id}" in self.path


OPERATIONS = (
    Operation(
        name="payments.list",
        method="GET",
        path="/payments",
        action=Action.READ,
        kind=Kind.LIST,
        stripe="/v1/payment_intents",
        scoping=Scoping.FILTER,
        summary="every PaymentIntent, newest first, as a JSON array",
    ),
    Operation(
        name="payments.list_for_customer",
        method="GET",
        path="/payments/{customer_id}",
        action=Action.READ,
        kind=Kind.LIST,
        stripe="/v1/payment_intents",
        scoping=Scoping.FILTER,
        summary="that customer's PaymentIntents, newest first, as a JSON array",
    ),
    Operation(
        name="customers.list",
        method="GET",
        path="/customers",
        action=Action.READ,
        kind=Kind.LIST,
        stripe="/v1/customers",
        scoping=Scoping.IDENTITY,
        summary="every customer, newest first, as a JSON array",
    ),
    Operation(
        name="customers.retrieve",
        method="GET",
        path="/customers/{customer_id}",
        action=Action.READ,
        kind=Kind.RETRIEVE,
        stripe="/v1/customers",
        scoping=Scoping.IDENTITY,
        summary="that customer",
    ),
    Operation(
        name="customers.create",
        method="POST",
        path="/customers",
        action=Action.CREATE,
        kind=Kind.CREATE_CUSTOMER,
        stripe="/v1/customers",
        summary="the customer created from `email` and what else of it may be set",
    ),
)

_CUSTOMER_ID = re.compile(r"cus_[A-Za-z0-9]{1,250}")


def is_customer_id(value: object) -> bool:
    """Only what has this shape may become part of a URL at Stripe."""
    return isinstance(value, str) and _CUSTOMER_ID.fullmatch(value) is not None


def named_customer(operation: Operation, path_parameters: Mapping[str, str]) -> str | None:
    """Give the customer that a request's path names, None where the operation names none.

    Raises RouteNotFound for a text that is no customer ID.
    """
    if not operation.names_customer:
        return None
    value = path_parameters["customer_id"]
    if not is_customer_id(value):
        raise RouteNotFound("The path holds no Stripe customer ID; one looks like cus_ABC123.")
    return value
