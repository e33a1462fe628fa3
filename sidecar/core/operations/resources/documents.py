"""What is written for one customer beside its invoices (docs.stripe.com/api/quotes)."""

from sidecar.core.operations.attributes import attributes
from sidecar.core.operations.resource import Resource, shown

CREDIT_NOTE = Resource(
    "credit_note",
    "/v1/credit_notes",
    ("cn",),
    shown(
        text="number status type reason currency",
        integer="amount subtotal total",
        timestamp="effective_at voided_at",
        boolean="livemode",
        reference="customer invoice",
    ),
    mapped=attributes(text="memo"),
    links=frozenset({"pdf"}),
)

QUOTE = Resource(
    "quote",
    "/v1/quotes",
    ("qt",),
    shown(
        text="number status currency",
        integer="amount_subtotal amount_total",
        timestamp="expires_at",
        boolean="livemode",
        reference="customer invoice subscription subscription_schedule",
    ),
    mapped=attributes(text="description header footer"),
    dated=False,
)
