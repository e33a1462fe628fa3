"""What is made for one visit: pages at Stripe, and what Stripe's SDKs show a customer its saved cards with.

The sources are docs.stripe.com/api: checkout/sessions, customer_portal, customer_sessions, ephemeral_keys.
"""

from sidecar.core.operations.attributes import attributes
from sidecar.core.operations.resource import Resource, shown

CHECKOUT_SESSION = Resource(
    "checkout.session",
    "/v1/checkout/sessions",
    ("cs_test", "cs_live", "cs"),
    shown(
        text="mode status payment_status currency",
        integer="amount_total",
        timestamp="expires_at",
        boolean="livemode",
        reference="customer payment_intent setup_intent subscription",
    ),
    mapped=attributes(text="customer_email"),
    links=frozenset({"url"}),
    secrets=attributes(text="client_secret"),
)

PORTAL_SESSION = Resource(
    "billing_portal.session",
    "/v1/billing_portal/sessions",
    ("bps",),
    shown(text="return_url customer", boolean="livemode"),
    links=frozenset({"url"}),
)

EPHEMERAL_KEY = Resource(
    "ephemeral_key",
    "/v1/ephemeral_keys",
    ("ephkey",),
    shown(timestamp="expires", boolean="livemode"),
    secrets=attributes(text="secret"),
)

CUSTOMER_SESSION = Resource(
    "customer_session",
    "/v1/customer_sessions",
    (),
    attributes(text="object", timestamp="created expires_at", boolean="livemode", reference="customer"),
    secrets=attributes(text="client_secret"),
    identity="",
)
