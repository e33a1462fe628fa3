"""Subscriptions."""

from sidecar.core.operations.parameters import (
    Flag,
    OneOf,
    Parameter,
    Reference,
    Text,
)
from sidecar.core.operations.resources import (
    PRICE,
    SUBSCRIPTION,
)
from sidecar.core.operations.row import CustomerParameter, Done, Scoping
from sidecar.core.operations.shared_parameters import (
    CHANGED_ITEMS,
    DEFAULT_PAYMENT_METHOD,
    LINE_ITEMS,
    PAYMENT_BEHAVIOR,
    PAYMENT_SETTINGS,
)
from sidecar.core.operations.subscription_parameters import (
    CANCEL_AT,
    CANCELLATION_DETAILS,
    CHANGED_ANCHOR,
    FIRST_ANCHOR,
    INVOICE_NOW,
    PAUSE_COLLECTION,
    PRORATE,
    PRORATION_BEHAVIOR,
    TRIAL_END,
)
from sidecar.core.operations.table.rows import changed, created, listed, retrieved

# What a page confirms a first payment with, or a trial's payment method (docs.stripe.com/billing/subscriptions/
# build-subscriptions); Stripe writes out neither unless asked.
_TO_CONFIRM = ("latest_invoice.confirmation_secret", "pending_setup_intent")
# What may be said of a subscription when it begins and later.
_TERMS = (
    DEFAULT_PAYMENT_METHOD,
    PAYMENT_BEHAVIOR,
    PAYMENT_SETTINGS,
    Parameter("cancel_at_period_end", Flag()),
    Parameter("description", Text(500)),
    CANCEL_AT,
    PRORATION_BEHAVIOR,
    TRIAL_END,
)

BILLING = (
    listed(
        "subscriptions.list",
        "/subscriptions",
        SUBSCRIPTION,
        "every subscription that is not canceled, or those of a status, newest first",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.OPTIONAL,
        parameters=(
            Parameter(
                "status",
                OneOf(
                    (
                        *("active", "past_due", "unpaid", "canceled", "incomplete", "incomplete_expired"),
                        *("trialing", "paused", "ended", "all"),
                    )
                ),
            ),
            Parameter("price", Reference(PRICE)),
        ),
    ),
    retrieved(
        "subscriptions.retrieve",
        "/subscriptions/{subscription_id}",
        SUBSCRIPTION,
        "that subscription",
        expanded=_TO_CONFIRM,
    ),
    created(
        "subscriptions.create",
        "/subscriptions",
        SUBSCRIPTION,
        "the subscription to some prices",
        customer=CustomerParameter.REQUIRED,
        expanded=_TO_CONFIRM,
        parameters=(
            Parameter("items", LINE_ITEMS, required=True),
            *_TERMS,
            FIRST_ANCHOR,
        ),
    ),
    changed(
        "subscriptions.update",
        "/subscriptions/{subscription_id}",
        SUBSCRIPTION,
        "that subscription, changed",
        expanded=_TO_CONFIRM,
        parameters=(
            Parameter("items", CHANGED_ITEMS),
            *_TERMS,
            CANCELLATION_DETAILS,
            CHANGED_ANCHOR,
            PAUSE_COLLECTION,
        ),
    ),
    changed(
        "subscriptions.cancel",
        "/subscriptions/{subscription_id}",
        SUBSCRIPTION,
        "that subscription, canceled at once",
        method="DELETE",
        parameters=(CANCELLATION_DETAILS, INVOICE_NOW, PRORATE),
        done=Done("status", "canceled"),
    ),
)
