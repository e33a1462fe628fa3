"""Pages at Stripe that are made for one visit (docs.stripe.com/api/checkout/sessions)."""

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
        reference="customer payment_intent subscription",
    ),
    mapped=attributes(text="customer_email"),
    links=frozenset({"url"}),
)

PORTAL_SESSION = Resource(
    "billing_portal.session",
    "/v1/billing_portal/sessions",
    ("bps",),
    shown(text="return_url customer", boolean="livemode"),
    links=frozenset({"url"}),
)
