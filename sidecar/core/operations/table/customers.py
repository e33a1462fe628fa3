"""Customers, and what is saved with them."""

from sidecar.core.access.permissions import Action
from sidecar.core.operations.parameters import (
    Email,
    Group,
    Number,
    OneOf,
    Parameter,
    Pattern,
    Reference,
    Text,
)
from sidecar.core.operations.resources import (
    CUSTOMER,
    PAYMENT_METHOD,
    PORTAL_SESSION,
    SETUP_INTENT,
)
from sidecar.core.operations.row import CustomerParameter, Done, Kind, Operation, Scoping
from sidecar.core.operations.shared_parameters import (
    ADDRESS,
    AUTOMATIC_PAYMENT_METHODS,
    DEFAULT_PAYMENT_METHOD,
    LOCALE,
    RETURN_URL,
    USAGE,
    customer_attributes,
)
from sidecar.core.operations.table.rows import changed, created, listed, retrieved

_BILLING_DETAILS = Group(
    (
        Parameter("name", Text(256)),
        Parameter("email", Email(), clearable=True),
        Parameter("phone", Text(20)),
        Parameter("address", ADDRESS, clearable=True),
    )
)
_EXPIRY = Group((Parameter("exp_month", Number(1, 12)), Parameter("exp_year", Number(2000, 2100))))

CUSTOMERS = (
    listed(
        "customers.list",
        "/customers",
        CUSTOMER,
        "every customer, newest first, as a JSON array",
        scoping=Scoping.IDENTITY,
        parameters=(Parameter("email", Email(), tells="email"),),
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
    retrieved("customers.retrieve", "/customers/{customer_id}", CUSTOMER, "that customer", scoping=Scoping.IDENTITY),
    changed(
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
    listed(
        "payment_methods.list",
        "/payment_methods",
        PAYMENT_METHOD,
        "a customer's payment methods",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.REQUIRED,
        parameters=(Parameter("type", Pattern("[a-z_]{2,40}", "a type of payment method, such as card")),),
    ),
    retrieved(
        "payment_methods.retrieve", "/payment_methods/{payment_method_id}", PAYMENT_METHOD, "that payment method"
    ),
    changed(
        "payment_methods.update",
        "/payment_methods/{payment_method_id}",
        PAYMENT_METHOD,
        "that payment method with another address or expiry",
        parameters=(
            Parameter("billing_details", _BILLING_DETAILS),
            Parameter("card", _EXPIRY),
            Parameter("allow_redisplay", OneOf(("always", "limited", "unspecified"))),
        ),
    ),
    changed(
        "payment_methods.detach",
        "/payment_methods/{payment_method_id}/detach",
        PAYMENT_METHOD,
        "that payment method, no longer the customer's",
        verb="/detach",
        done=Done("customer", None),
    ),
    created(
        "setup_intents.create",
        "/setup_intents",
        SETUP_INTENT,
        "the SetupIntent by which a payment method is saved",
        customer=CustomerParameter.OPTIONAL,
        parameters=(
            Parameter("payment_method", Reference(PAYMENT_METHOD)),
            Parameter("usage", USAGE),
            Parameter("description", Text(1000)),
            AUTOMATIC_PAYMENT_METHODS,
        ),
    ),
    created(
        "billing_portal_sessions.create",
        "/billing_portal/sessions",
        PORTAL_SESSION,
        "the session; its `url` is the customer's portal at Stripe",
        customer=CustomerParameter.REQUIRED,
        parameters=(RETURN_URL, LOCALE),
    ),
)
