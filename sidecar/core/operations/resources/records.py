"""What Stripe keeps of a customer below that customer (docs.stripe.com/api/customer_tax_ids)."""

from sidecar.core.operations.attributes import Attribute, attributes, closed
from sidecar.core.operations.resource import Resource, shown

TAX_ID = Resource(
    "tax_id",
    "/v1/tax_ids",
    ("txi",),
    shown(
        Attribute("verification", closed(text="status")),
        text="type country",
        boolean="livemode deleted",
        reference="customer",
    ),
    mapped=attributes(text="value"),
    dated=False,
)

CUSTOMER_BALANCE_TRANSACTION = Resource(
    "customer_balance_transaction",
    "/v1/customers/{customer_id}/balance_transactions",
    ("cbtxn",),
    shown(
        text="type currency",
        integer="amount ending_balance",
        boolean="livemode",
        reference="customer invoice credit_note",
    ),
    mapped=attributes(text="description"),
)
