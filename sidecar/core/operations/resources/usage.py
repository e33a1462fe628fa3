"""What a customer used, and what it may use (docs.stripe.com/api/billing/meter-event)."""

from sidecar.core.operations.attributes import attributes
from sidecar.core.operations.resource import Resource, shown

METER = Resource(
    "billing.meter",
    "/v1/billing/meters",
    ("mtr", "mtr_test"),
    shown(text="display_name event_name event_time_window status", timestamp="updated", boolean="livemode"),
    owned=False,
    customer_at=(),
    dated=False,
)

METER_EVENT = Resource(
    "billing.meter_event",
    "/v1/billing/meter_events",
    (),
    attributes(text="object event_name identifier", timestamp="created timestamp", boolean="livemode"),
    customer_at=("payload", "stripe_customer_id"),
    identity="identifier",
    dated=False,
)

ACTIVE_ENTITLEMENT = Resource(
    "entitlements.active_entitlement",
    "/v1/entitlements/active_entitlements",
    ("ent", "ent_test"),
    attributes(text="id object lookup_key", boolean="livemode", reference="feature"),
    customer_at=(),
    dated=False,
)
