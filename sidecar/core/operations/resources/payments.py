"""Payments, and what moves money after them (docs.stripe.com/api/payment_intents)."""

from sidecar.core.operations.attributes import Attribute, Structure, attributes
from sidecar.core.operations.resource import Resource, shown
from sidecar.core.operations.resources.means import CHARGED

# What Stripe.js, or a page, does next for the customer: `use_stripe_sdk`, or the address of a bank's page.
NEXT_ACTION = Attribute("next_action", Structure(attributes(text="type")))

PAYMENT_INTENT = Resource(
    "payment_intent",
    "/v1/payment_intents",
    ("pi",),
    shown(integer="amount amount_received", text="currency status", boolean="livemode", reference="customer"),
    mapped=attributes(text="description receipt_email"),
    secrets=attributes(NEXT_ACTION, text="client_secret"),
)

CHARGE = Resource(
    "charge",
    "/v1/charges",
    ("ch", "py"),
    shown(
        CHARGED,
        integer="amount amount_captured amount_refunded",
        text="currency status receipt_url",
        boolean="livemode paid refunded",
        reference="customer payment_intent",
    ),
    mapped=attributes(text="description receipt_email"),
)

REFUND = Resource(
    "refund",
    "/v1/refunds",
    ("re", "pyr"),
    shown(integer="amount", text="currency status reason", reference="payment_intent charge"),
    via=("payment_intent", "charge"),
)

DISPUTE = Resource(
    "dispute",
    "/v1/disputes",
    ("dp", "du"),
    shown(
        integer="amount",
        text="currency status reason",
        boolean="livemode is_charge_refundable",
        reference="payment_intent charge",
    ),
    via=("payment_intent", "charge"),
)

BALANCE_TRANSACTION = Resource(
    "balance_transaction",
    "/v1/balance_transactions",
    ("txn",),
    shown(integer="amount fee net", text="currency type status", timestamp="available_on", reference="source"),
    owned=False,
    customer_at=(),
)
