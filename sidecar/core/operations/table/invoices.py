"""Invoices, and what corrects them or comes before them: credit notes and quotes."""

from sidecar.core.access.permissions import Action
from sidecar.core.operations.parameters import Flag, Group, OneOf, Parameter, Reference
from sidecar.core.operations.resources import CREDIT_NOTE, INVOICE, PAYMENT_METHOD, QUOTE, SUBSCRIPTION
from sidecar.core.operations.row import CustomerParameter, Done, Scoping
from sidecar.core.operations.shared_parameters import CHANGED_ITEMS
from sidecar.core.operations.table.rows import changed, listed, retrieved
from sidecar.core.urgency import Urgency

INVOICES = (
    listed(
        "invoices.list",
        "/invoices",
        INVOICE,
        "every invoice, newest first",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.OPTIONAL,
        parameters=(
            Parameter("status", OneOf(("draft", "open", "paid", "uncollectible", "void"))),
            Parameter("subscription", Reference(SUBSCRIPTION)),
        ),
    ),
    retrieved(
        "invoices.retrieve", "/invoices/{invoice_id}", INVOICE, "that invoice", expanded=("confirmation_secret",)
    ),
    changed(
        "invoices.create_preview",
        "/invoice_previews",
        INVOICE,
        "the upcoming invoice, or what it would be after a change; nothing is changed",
        action=Action.READ,
        scoping=Scoping.FILLED,
        customer=CustomerParameter.OPTIONAL,
        verb="/create_preview",
        urgency=Urgency.PAGE,
        parameters=(
            Parameter("subscription", Reference(SUBSCRIPTION)),
            Parameter("subscription_details", Group((Parameter("items", CHANGED_ITEMS),))),
        ),
    ),
    changed(
        "invoices.pay",
        "/invoices/{invoice_id}/pay",
        INVOICE,
        "that invoice, paid with a saved payment method",
        verb="/pay",
        parameters=(Parameter("payment_method", Reference(PAYMENT_METHOD)), Parameter("off_session", Flag())),
        done=Done("status", "paid"),
    ),
    changed(
        "invoices.finalize",
        "/invoices/{invoice_id}/finalize",
        INVOICE,
        "that draft, now open to be paid",
        on_customers=False,
        verb="/finalize",
        parameters=(Parameter("auto_advance", Flag()),),
        done=Done("status", "open"),
    ),
    changed(
        "invoices.void",
        "/invoices/{invoice_id}/void",
        INVOICE,
        "that invoice, void",
        on_customers=False,  # nobody will pay it
        verb="/void",
        done=Done("status", "void"),
    ),
    listed(
        "credit_notes.list",
        "/credit_notes",
        CREDIT_NOTE,
        "every credit note, newest first",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.OPTIONAL,
        parameters=(Parameter("invoice", Reference(INVOICE)),),
    ),
    retrieved("credit_notes.retrieve", "/credit_notes/{credit_note_id}", CREDIT_NOTE, "that credit note"),
    listed(
        "quotes.list",
        "/quotes",
        QUOTE,
        "every quote, newest first",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.OPTIONAL,
        parameters=(Parameter("status", OneOf(("draft", "open", "accepted", "canceled"))),),
    ),
    retrieved("quotes.retrieve", "/quotes/{quote_id}", QUOTE, "that quote"),
    changed(
        "quotes.accept",
        "/quotes/{quote_id}/accept",
        QUOTE,
        "that quote, accepted",
        verb="/accept",
        done=Done("status", "accepted"),
    ),
    changed(
        "quotes.cancel",
        "/quotes/{quote_id}/cancel",
        QUOTE,
        "that quote, canceled",
        verb="/cancel",
        done=Done("status", "canceled"),
    ),
)
