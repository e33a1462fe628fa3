"""Parameters of subscriptions, of their schedules, and of what ends or pauses them (docs.stripe.com/api/subscriptions).

Those that decide how much is paid, and when, pass only where the operator lets clients decide that.
"""

from sidecar.core.operations.parameters import Flag, Group, OneOf, Parameter, Text, Time

_REASONS = (
    *("customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex"),
    *("too_expensive", "unused"),
)

# A subscription that ends within a period is paid for a part of it (docs.stripe.com/billing/subscriptions/cancel).
CANCEL_AT = Parameter(
    "cancel_at", Time(("max_billed_until", "max_period_end", "min_period_end")), amount=True, clearable=True
)
CANCELLATION_DETAILS = Parameter(
    "cancellation_details",
    Group((Parameter("comment", Text()), Parameter("feedback", OneOf(_REASONS), clearable=True))),
)
FIRST_ANCHOR = Parameter("billing_cycle_anchor", Time(), amount=True)
CHANGED_ANCHOR = Parameter(
    "billing_cycle_anchor", Group((Parameter("type", OneOf(("now", "unchanged")), required=True),)), amount=True
)
INVOICE_NOW = Parameter("invoice_now", Flag(), amount=True)  # without it what was used last may never be paid
PAUSE_COLLECTION = Parameter(
    "pause_collection",
    Group(
        (
            Parameter("behavior", OneOf(("keep_as_draft", "mark_uncollectible", "void")), required=True),
            Parameter("resumes_at", Time()),
        )
    ),
    amount=True,
    clearable=True,
)
PRORATE = Parameter("prorate", Flag(), amount=True)
PRORATION_BEHAVIOR = Parameter(
    "proration_behavior", OneOf(("always_invoice", "create_prorations", "none")), amount=True
)
TRIAL_END = Parameter("trial_end", Time(("now",)), amount=True)
