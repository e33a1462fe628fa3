"""Pausing a subscription, and the schedules by which one changes later."""

from sidecar.core.operations.parameters import Flag, Group, OneOf, Parameter
from sidecar.core.operations.resources import SUBSCRIPTION, SUBSCRIPTION_SCHEDULE
from sidecar.core.operations.row import CustomerParameter, Done, Scoping
from sidecar.core.operations.subscription_parameters import (
    CHANGED_ANCHOR,
    INVOICE_NOW,
    PRORATE,
    PRORATION_BEHAVIOR,
)
from sidecar.core.operations.table.rows import changed, listed, retrieved

_ONE = "/subscription_schedules/{subscription_schedule_id}"
_USAGE_THROUGH = Group((Parameter("type", OneOf(("none", "now")), required=True),))
_UNUSED_FROM = Group((Parameter("type", OneOf(("item_current_period_start", "none", "now")), required=True),))
_BILL_FOR = Group((Parameter("outstanding_usage_through", _USAGE_THROUGH), Parameter("unused_time_from", _UNUSED_FROM)))

SCHEDULES = (
    changed(
        "subscriptions.pause",
        "/subscriptions/{subscription_id}/pause",
        SUBSCRIPTION,
        "that subscription, paused",
        verb="/pause",
        parameters=(
            Parameter("type", OneOf(("subscription",))),
            Parameter("invoicing_behavior", OneOf(("invoice", "pending_invoice_item"))),
            Parameter("bill_for", _BILL_FOR, amount=True),
        ),
        done=Done("status", "paused"),
    ),
    changed(
        "subscriptions.resume",
        "/subscriptions/{subscription_id}/resume",
        SUBSCRIPTION,
        "that subscription, no longer paused",
        verb="/resume",
        parameters=(
            Parameter("payment_behavior", OneOf(("resume_on_payment_attempt", "resume_on_payment_success"))),
            CHANGED_ANCHOR,
            PRORATION_BEHAVIOR,
        ),
        done=Done("status", "active"),
    ),
    listed(
        "subscription_schedules.list",
        "/subscription_schedules",
        SUBSCRIPTION_SCHEDULE,
        "every schedule of a subscription, newest first",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.OPTIONAL,
        parameters=(Parameter("scheduled", Flag()),),
    ),
    retrieved("subscription_schedules.retrieve", _ONE, SUBSCRIPTION_SCHEDULE, "that schedule"),
    changed(
        "subscription_schedules.cancel",
        f"{_ONE}/cancel",
        SUBSCRIPTION_SCHEDULE,
        "that schedule, canceled with its subscription",
        verb="/cancel",
        parameters=(INVOICE_NOW, PRORATE),
        done=Done("status", "canceled"),
    ),
    changed(
        "subscription_schedules.release",
        f"{_ONE}/release",
        SUBSCRIPTION_SCHEDULE,
        "that schedule, ended; its subscription stays as it is now",
        on_customers=False,  # a change of the price that was agreed on may never come
        verb="/release",
        parameters=(Parameter("preserve_cancel_date", Flag()),),
        done=Done("status", "released"),
    ),
)
