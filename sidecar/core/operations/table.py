"""The whole surface of the service as one table. What has no row here does not exist.

Only the basic ones are on by themselves; STRIPE_OPERATIONS turns on the others. Paths, parameters and their meaning
are Stripe's (docs.stripe.com/api, the page of each resource) unless a row says `ours`.
"""

from functools import partial

from sidecar.core.access.permissions import Action
from sidecar.core.operations.parameters import (
    MOST_QUANTITY,
    Email,
    Flag,
    Group,
    Number,
    OneOf,
    Parameter,
    Pattern,
    Reference,
    Text,
)
from sidecar.core.operations.parameters import ReturnUrl as Url
from sidecar.core.operations.resources import (
    BALANCE_TRANSACTION,
    CHARGE,
    CHECKOUT_SESSION,
    CUSTOMER,
    INVOICE,
    PAYMENT_INTENT,
    PAYMENT_METHOD,
    PORTAL_SESSION,
    PRICE,
    PRODUCT,
    REFUND,
    SETUP_INTENT,
    SUBSCRIPTION,
)
from sidecar.core.operations.row import CustomerParameter, Kind, Operation, Scoping
from sidecar.core.operations.shared_parameters import (
    AMOUNT,
    CHANGED_ITEMS,
    CURRENCY,
    DEFAULT_PAYMENT_METHOD,
    LINE_ITEMS,
    LOCALE,
    RETURN_URL,
    USAGE,
    customer_attributes,
)
from sidecar.core.urgency import Urgency

_list = partial(Operation, method="GET", kind=Kind.LIST, action=Action.READ)
_retrieve = partial(Operation, method="GET", kind=Kind.RETRIEVE, action=Action.READ, scoping=Scoping.OWNED)
_create = partial(Operation, method="POST", kind=Kind.CREATE, action=Action.UPDATE, scoping=Scoping.FILLED)
_act = partial(Operation, method="POST", kind=Kind.ACT, action=Action.UPDATE, scoping=Scoping.OWNED)
_catalogue = partial(Operation, method="GET", action=Action.READ, on_customers=False)  # no customer owns it

OPERATIONS = (
    _list(
        "payments.list",
        "/payments",
        PAYMENT_INTENT,
        "every PaymentIntent, newest first, as a JSON array",
        scoping=Scoping.FILTER,
        basic=True,
    ),
    _list(
        "payments.list_for_customer",
        "/payments/{customer_id}",
        PAYMENT_INTENT,
        "that customer's PaymentIntents, newest first, as a JSON array",
        scoping=Scoping.FILTER,
        basic=True,
    ),
    _list(
        "customers.list",
        "/customers",
        CUSTOMER,
        "every customer, newest first, as a JSON array",
        scoping=Scoping.IDENTITY,
        basic=True,
    ),
    Operation(
        "customers.create",
        "/customers",
        CUSTOMER,
        "the customer, created from `email` and its other attributes that may be set",
        method="POST",
        kind=Kind.CREATE_CUSTOMER,
        action=Action.CREATE,
        parameters=customer_attributes(email_required=True),
        basic=True,
    ),
    _retrieve("customers.retrieve", "/customers/{customer_id}", CUSTOMER, "that customer", scoping=Scoping.IDENTITY),
    _act(
        "customers.update",
        "/customers/{customer_id}",
        CUSTOMER,
        "that customer, changed",
        scoping=Scoping.IDENTITY,
        parameters=(
            *customer_attributes(email_required=False),
            Parameter("invoice_settings", Group((DEFAULT_PAYMENT_METHOD,))),
        ),
    ),
    _retrieve("payment_intents.retrieve", "/payment_intents/{payment_intent_id}", PAYMENT_INTENT, "that PaymentIntent"),
    _create(
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
    _act(
        "payment_intents.cancel",
        "/payment_intents/{payment_intent_id}/cancel",
        PAYMENT_INTENT,
        "that PaymentIntent, canceled",
        verb="/cancel",
        parameters=(
            Parameter("cancellation_reason", OneOf(("duplicate", "fraudulent", "requested_by_customer", "abandoned"))),
        ),
    ),
    _list(
        "charges.list",
        "/charges",
        CHARGE,
        "every charge, newest first",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.OPTIONAL,
        parameters=(Parameter("payment_intent", Reference(PAYMENT_INTENT)),),
    ),
    _list(
        "refunds.list",
        "/refunds",
        REFUND,
        "every refund, newest first; with partial access those of one payment",
        scoping=Scoping.REFERRED,
        parameters=(Parameter("payment_intent", Reference(PAYMENT_INTENT)), Parameter("charge", Reference(CHARGE))),
    ),
    _create(
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
    _list(
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
    _retrieve(name="invoices.retrieve", path="/invoices/{invoice_id}", resource=INVOICE, summary="that invoice"),
    _act(
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
    _list(
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
    _retrieve("subscriptions.retrieve", "/subscriptions/{subscription_id}", SUBSCRIPTION, "that subscription"),
    _create(
        "subscriptions.create",
        "/subscriptions",
        SUBSCRIPTION,
        "the subscription to some prices",
        customer=CustomerParameter.REQUIRED,
        parameters=(
            Parameter("items", LINE_ITEMS, required=True),
            DEFAULT_PAYMENT_METHOD,
            Parameter("payment_behavior", OneOf(("default_incomplete", "error_if_incomplete", "allow_incomplete"))),
            Parameter("cancel_at_period_end", Flag()),
            Parameter("description", Text(500)),
        ),
    ),
    _act(
        "subscriptions.update",
        "/subscriptions/{subscription_id}",
        SUBSCRIPTION,
        "that subscription, changed",
        parameters=(
            Parameter("items", CHANGED_ITEMS),
            DEFAULT_PAYMENT_METHOD,
            Parameter("cancel_at_period_end", Flag()),
            Parameter("description", Text(500)),
        ),
    ),
    _act(
        "subscriptions.cancel",
        "/subscriptions/{subscription_id}",
        SUBSCRIPTION,
        "that subscription, canceled at once",
        method="DELETE",
    ),
    _list(
        "payment_methods.list",
        "/payment_methods",
        PAYMENT_METHOD,
        "a customer's payment methods",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.REQUIRED,
        parameters=(Parameter("type", Pattern("[a-z_]{2,40}", "a type of payment method, such as card")),),
    ),
    _act(
        "payment_methods.detach",
        "/payment_methods/{payment_method_id}/detach",
        PAYMENT_METHOD,
        "that payment method, no longer the customer's",
        verb="/detach",
    ),
    _create(
        "setup_intents.create",
        "/setup_intents",
        SETUP_INTENT,
        "the SetupIntent by which a payment method is saved",
        customer=CustomerParameter.OPTIONAL,
        parameters=(
            Parameter("payment_method", Reference(PAYMENT_METHOD)),
            Parameter("usage", USAGE),
            Parameter("description", Text(1000)),
        ),
    ),
    _create(
        "checkout_sessions.create",
        "/checkout/sessions",
        CHECKOUT_SESSION,
        "the session; its `url` is the page to pay on",
        customer=CustomerParameter.OPTIONAL,
        for_guests=True,
        parameters=(
            Parameter("mode", OneOf(("payment", "subscription", "setup")), required=True),
            Parameter("line_items", LINE_ITEMS),
            Parameter("success_url", Url()),
            Parameter("cancel_url", Url()),
            Parameter("currency", CURRENCY),
            Parameter("allow_promotion_codes", Flag()),
            Parameter("customer_email", Email()),
            LOCALE,
        ),
    ),
    _retrieve(
        "checkout_sessions.retrieve", "/checkout/sessions/{checkout_session_id}", CHECKOUT_SESSION, "that session"
    ),
    _create(
        "billing_portal_sessions.create",
        "/billing_portal/sessions",
        PORTAL_SESSION,
        "the session; its `url` is the customer's portal at Stripe",
        customer=CustomerParameter.REQUIRED,
        parameters=(RETURN_URL, LOCALE),
    ),
    _catalogue(
        "products.list",
        "/products",
        PRODUCT,
        "every product, newest first",
        kind=Kind.LIST,
        for_guests=True,
        parameters=(Parameter("active", Flag()),),
    ),
    _catalogue(
        "products.retrieve", "/products/{product_id}", PRODUCT, "that product", kind=Kind.RETRIEVE, for_guests=True
    ),
    _catalogue(
        "prices.list",
        "/prices",
        PRICE,
        "every price, newest first",
        kind=Kind.LIST,
        for_guests=True,
        parameters=(
            Parameter("active", Flag()),
            Parameter("product", Reference(PRODUCT)),
            Parameter("currency", CURRENCY),
            Parameter("type", OneOf(("one_time", "recurring"))),
        ),
    ),
    _catalogue("prices.retrieve", "/prices/{price_id}", PRICE, "that price", kind=Kind.RETRIEVE, for_guests=True),
    _catalogue(
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
