"""Payments, and what moves money after them."""

from sidecar.core.access.permissions import Action
from sidecar.core.operations.parameters import (
    MOST_QUANTITY,
    Email,
    Number,
    OneOf,
    Parameter,
    Pattern,
    Reference,
    Text,
)
from sidecar.core.operations.resources import (
    BALANCE_TRANSACTION,
    CHARGE,
    PAYMENT_INTENT,
    PAYMENT_METHOD,
    PRICE,
    REFUND,
)
from sidecar.core.operations.row import CustomerParameter, Done, Kind, Scoping
from sidecar.core.operations.shared_parameters import (
    AMOUNT,
    CURRENCY,
    USAGE,
)
from sidecar.core.operations.table.rows import changed, created, listed, offered, retrieved

PAYMENTS = (
    listed(
        "payments.list",
        "/payments",
        PAYMENT_INTENT,
        "every PaymentIntent, newest first, as a JSON array",
        scoping=Scoping.FILTER,
        basic=True,
    ),
    listed(
        "payments.list_for_customer",
        "/payments/{customer_id}",
        PAYMENT_INTENT,
        "that customer's PaymentIntents, newest first, as a JSON array",
        scoping=Scoping.FILTER,
        basic=True,
    ),
    retrieved("payment_intents.retrieve", "/payment_intents/{payment_intent_id}", PAYMENT_INTENT, "that PaymentIntent"),
    created(
        "payment_intents.create",
        "/payment_intents",
        PAYMENT_INTENT,
        "the PaymentIntent over a price times a quantity",
        customer=CustomerParameter.OPTIONAL,
        one_of=("price", "amount"),
        parameters=(
            Parameter("price", Reference(PRICE), ours=True),
            Parameter("quantity", Number(1, MOST_QUANTITY), ours=True),
            AMOUNT,
            Parameter("currency", CURRENCY, amount=True),
            Parameter("payment_method", Reference(PAYMENT_METHOD)),
            Parameter("description", Text(1000)),
            Parameter("receipt_email", Email()),
            Parameter("setup_future_usage", USAGE),
        ),
    ),
    changed(
        "payment_intents.cancel",
        "/payment_intents/{payment_intent_id}/cancel",
        PAYMENT_INTENT,
        "that PaymentIntent, canceled",
        verb="/cancel",
        done=Done("status", "canceled"),
        parameters=(
            Parameter("cancellation_reason", OneOf(("duplicate", "fraudulent", "requested_by_customer", "abandoned"))),
        ),
    ),
    listed(
        "charges.list",
        "/charges",
        CHARGE,
        "every charge, newest first",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.OPTIONAL,
        parameters=(Parameter("payment_intent", Reference(PAYMENT_INTENT)),),
    ),
    listed(
        "refunds.list",
        "/refunds",
        REFUND,
        "every refund, newest first; with partial access those of one payment",
        scoping=Scoping.REFERRED,
        parameters=(Parameter("payment_intent", Reference(PAYMENT_INTENT)), Parameter("charge", Reference(CHARGE))),
    ),
    created(
        "refunds.create",
        "/refunds",
        REFUND,
        "the refund of a payment",
        action=Action.CREATE,
        scoping=Scoping.REFERRED,
        on_customers=False,
        one_of=("payment_intent", "charge"),
        parameters=(
            Parameter("payment_intent", Reference(PAYMENT_INTENT)),
            Parameter("charge", Reference(CHARGE)),
            AMOUNT,
            Parameter("reason", OneOf(("duplicate", "fraudulent", "requested_by_customer"))),
        ),
    ),
    offered(
        "balance_transactions.list",
        "/balance_transactions",
        BALANCE_TRANSACTION,
        "every movement of the account's balance, newest first",
        kind=Kind.LIST,
        parameters=(
            Parameter("currency", CURRENCY),
            Parameter("type", Pattern("[a-z_]{2,60}", "a type of balance transaction, such as charge")),
        ),
    ),
)
