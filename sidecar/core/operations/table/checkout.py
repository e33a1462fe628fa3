"""Pages to pay on: at Stripe, or within the shop's own page."""

from sidecar.core.operations.parameters import (
    Email,
    Flag,
    OneOf,
    Parameter,
)
from sidecar.core.operations.parameters import ReturnUrl as Url
from sidecar.core.operations.resources import (
    CHECKOUT_SESSION,
)
from sidecar.core.operations.row import CustomerParameter, Done
from sidecar.core.operations.shared_parameters import (
    CURRENCY,
    LINE_ITEMS,
    LOCALE,
    RETURN_URL,
)
from sidecar.core.operations.table.rows import changed, created, retrieved

CHECKOUT = (
    created(
        "checkout_sessions.create",
        "/checkout/sessions",
        CHECKOUT_SESSION,
        "the session; its `url` is the page to pay on, or its `client_secret` is for the one within yours",
        customer=CustomerParameter.OPTIONAL,
        at_most_one=("allow_promotion_codes", "discounts"),
        without_customer=("customer_creation", "customer_email"),
        with_customer=("customer_update",),
        for_guests=True,
        parameters=(
            Parameter("mode", OneOf(("payment", "subscription", "setup")), required=True),
            Parameter("ui_mode", OneOf(("hosted_page", "embedded_page", "elements", "form"))),
            Parameter("line_items", LINE_ITEMS),
            Parameter("success_url", Url()),
            Parameter("cancel_url", Url()),
            RETURN_URL,
            Parameter("redirect_on_completion", OneOf(("always", "if_required", "never"))),
            Parameter("currency", CURRENCY),
            Parameter("allow_promotion_codes", Flag()),
            Parameter("customer_email", Email()),
            LOCALE,
        ),
    ),
    retrieved(
        "checkout_sessions.retrieve", "/checkout/sessions/{checkout_session_id}", CHECKOUT_SESSION, "that session"
    ),
    changed(
        "checkout_sessions.expire",
        "/checkout/sessions/{checkout_session_id}/expire",
        CHECKOUT_SESSION,
        "that session, on which nobody can pay any more",
        verb="/expire",
        done=Done("status", "expired"),
    ),
)
