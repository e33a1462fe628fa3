"""Whether a customer that an item names lives at Stripe, and the answer to callers where it does not.

An ID can be one of test mode under a live key, of another account, or of a database that was restored. Nothing here
guesses: only Stripe's own word that it has no such customer counts, and any other failure is raised.
"""

from enum import StrEnum
from http import HTTPStatus

from sidecar.core.interfaces import PrimaryKey, StripeObjects
from sidecar.core.operations.resources import CUSTOMER, StripeObject
from sidecar.errors import ItemConflict, StripeRejected

_MEND = "Empty the field of its ID, or have an administrator do so; then create the item's next customer."


class CustomerState(StrEnum):
    """The state at Stripe of a customer that an item is linked to."""

    ALIVE = "alive"
    DELETED = "deleted"
    UNKNOWN = "unknown"


_WHY = {
    CustomerState.DELETED: "was deleted at Stripe",
    CustomerState.UNKNOWN: "is not in this service's Stripe account",
}
_EITHER = "is not in this service's Stripe account, or was deleted there"


async def find_customer(stripe: StripeObjects, customer_id: str) -> StripeObject | None:
    """Give the customer, None where the account has none of this ID; test data can be deleted without a trace.

    Raises StripeFailure.
    """
    try:
        return await stripe.retrieve(CUSTOMER.path, customer_id)
    except StripeRejected as rejected:
        if not lacks_customer(rejected, CUSTOMER.path):
            raise
        return None


def state_of(customer: StripeObject | None) -> CustomerState:
    """Give the state of what `find_customer` found."""
    if customer is None:
        return CustomerState.UNKNOWN
    return CustomerState.DELETED if customer.get("deleted") is True else CustomerState.ALIVE


async def is_alive(stripe: StripeObjects, customer_id: str) -> bool:
    """Raises StripeFailure."""
    return state_of(await find_customer(stripe, customer_id)) is CustomerState.ALIVE


def lacks_customer(rejected: StripeRejected, path: str, parameter: str = "customer") -> bool:
    """Say whether Stripe refused because the account does not have the customer that the request names.

    Stripe answers 404 about a customer in the path, where `path` is that of customers, and 400 about the `parameter`
    of a list or a change that names it.
    """
    itself = path == CUSTOMER.path and rejected.status == HTTPStatus.NOT_FOUND
    return rejected.is_missing("customer", parameter) or (itself and rejected.is_missing("id", None))


def no_living_customer(customer_id: str, item: PrimaryKey | None, state: CustomerState | None = None) -> ItemConflict:
    """Make the answer for an item whose customer does not live; `item` is None where the caller may not see its key.

    Without a `state` it is not known which of the two it is: Stripe refuses changes in both.
    """
    whose, why = "One of your items" if item is None else f"Item {item}", _EITHER if state is None else _WHY[state]
    return ItemConflict(
        f"{whose}: its customer {customer_id} {why}. {_MEND}", extensions={} if item is None else {"item": item}
    )
