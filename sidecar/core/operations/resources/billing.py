"""Subscriptions, their schedules and their invoices (docs.stripe.com/api/subscriptions)."""

from sidecar.core.operations.attributes import Attribute, Embedded, Entries, Expandable, attributes, closed
from sidecar.core.operations.resource import Resource, shown

INVOICE = Resource(
    "invoice",
    "/v1/invoices",
    ("in",),
    shown(
        text="number status currency",
        integer="total amount_due amount_paid amount_remaining",
        timestamp="due_date period_start period_end",
        boolean="livemode",
        reference="customer",
    ),
    mapped=attributes(text="description customer_name customer_email"),
    links=frozenset({"hosted_invoice_url", "invoice_pdf"}),
    secrets=(Attribute("confirmation_secret", closed(text="client_secret type")),),
)

SUBSCRIPTION = Resource(
    "subscription",
    "/v1/subscriptions",
    ("sub",),
    shown(
        Attribute("items", Entries("subscription_item")),
        Attribute("latest_invoice", Expandable("invoice")),
        Attribute("pending_setup_intent", Expandable("setup_intent")),
        Attribute("pause_collection", closed(text="behavior", timestamp="resumes_at")),
        text="status currency",
        timestamp="cancel_at canceled_at ended_at start_date trial_end",
        boolean="livemode cancel_at_period_end",
        reference="customer",
    ),
    mapped=attributes(text="description"),
)

SUBSCRIPTION_ITEM = Resource(
    "subscription_item",
    "/v1/subscription_items",
    ("si",),
    shown(
        Attribute("price", Embedded("price")),
        integer="quantity",
        timestamp="current_period_start current_period_end",
    ),
    via=("subscription",),
)

SUBSCRIPTION_SCHEDULE = Resource(
    "subscription_schedule",
    "/v1/subscription_schedules",
    ("sub_sched",),
    shown(
        Attribute("current_phase", closed(timestamp="start_date end_date")),
        text="status end_behavior",
        timestamp="canceled_at completed_at released_at",
        boolean="livemode",
        reference="customer subscription",
    ),
)
