"""Only Stripe's own word about the customer tells that the account does not have it."""

import pytest

from sidecar.core.flows.customer_state import CustomerState, lacks_customer, no_living_customer, state_of
from sidecar.errors import StripeRejected

CUSTOMERS, INVOICES = "/v1/customers", "/v1/invoices"
MISSING = "resource_missing"


def rejected(status: int, **facts: str) -> StripeRejected:
    return StripeRejected("no", status=status, extensions={"stripe": facts})


def test_a_customer_in_another_place() -> None:
    """A call that names its customer within a parameter is refused by that name."""
    error = rejected(400, code=MISSING, param="payload[stripe_customer_id]")

    assert lacks_customer(error, "/v1/billing/meter_events", "payload[stripe_customer_id]")
    assert not lacks_customer(error, "/v1/billing/meter_events")


@pytest.mark.parametrize(
    ("error", "path", "lacks"),
    [
        (rejected(400, code=MISSING, param="customer"), INVOICES, True),
        (rejected(404, code=MISSING, param="customer"), CUSTOMERS, True),
        (rejected(404, code=MISSING, param="id"), CUSTOMERS, True),
        (rejected(404, code=MISSING), CUSTOMERS, True),
        (rejected(404, code=MISSING, param="id"), INVOICES, False),
        (rejected(404, code=MISSING), INVOICES, False),
        (rejected(400, code=MISSING, param="id"), CUSTOMERS, False),
        (rejected(400, code=MISSING, param="invoice_settings[default_payment_method]"), CUSTOMERS, False),
        (rejected(400, code=MISSING, param="payment_method"), INVOICES, False),
        (rejected(400, code=MISSING), INVOICES, False),
        (rejected(400, code="parameter_invalid_empty", param="customer"), INVOICES, False),
        (rejected(400, param="customer"), INVOICES, False),
        (rejected(404, type="invalid_request_error"), CUSTOMERS, False),
        (StripeRejected("no", status=404, extensions={}), CUSTOMERS, False),
    ],
)
def test_which_refusals_are_about_the_customer(error: StripeRejected, path: str, *, lacks: bool) -> None:
    """A refusal about anything else leaves open whether the customer is there."""
    assert lacks_customer(error, path) is lacks


@pytest.mark.parametrize(
    ("customer", "state"),
    [
        (None, CustomerState.UNKNOWN),
        ({"id": "cus_1", "deleted": True}, CustomerState.DELETED),
        ({"id": "cus_1"}, CustomerState.ALIVE),
        ({"id": "cus_1", "deleted": False}, CustomerState.ALIVE),
    ],
)
def test_states(customer: dict[str, object] | None, state: CustomerState) -> None:
    """A customer is unknown, deleted or alive."""
    assert state_of(customer) is state


@pytest.mark.parametrize(
    ("item", "state", "told"),
    [
        (7, CustomerState.DELETED, "Item 7: its customer cus_1 was deleted at Stripe. Empty the field"),
        ("a", CustomerState.UNKNOWN, "Item a: its customer cus_1 is not in this service's Stripe account. Empty"),
        (None, None, "One of your items: its customer cus_1 is not in this service's Stripe account, or was deleted"),
    ],
)
def test_the_answer(item: int | str | None, state: CustomerState | None, told: str) -> None:
    """The conflict names the item where the caller may see its key, why, and what mends it."""
    conflict = no_living_customer("cus_1", item, state)

    assert conflict.message.startswith(told)
    assert conflict.extensions == ({} if item is None else {"item": item})
