"""Searches, for those who see everything: whoever searches by an attribute learns it (docs.stripe.com/search).

Stripe finds what is new or changed only after a minute or more.
"""

from functools import partial

from sidecar.core.access.permissions import Action
from sidecar.core.operations.parameters import Parameter, Text
from sidecar.core.operations.resources import CHARGE, CUSTOMER, INVOICE, PAYMENT_INTENT, SUBSCRIPTION
from sidecar.core.operations.row import Kind, Operation
from sidecar.core.urgency import Urgency

_search = partial(
    Operation,
    method="GET",
    kind=Kind.SEARCH,
    action=Action.READ,
    verb="/search",
    urgency=Urgency.PAGE,
    parameters=(Parameter("query", Text(2000), required=True), Parameter("page", Text(2000))),
)

SEARCHES = (
    _search("customers.search", "/customers/search", CUSTOMER, "the customers that a query finds, late"),
    _search("payment_intents.search", "/payment_intents/search", PAYMENT_INTENT, "the PaymentIntents found, late"),
    _search("charges.search", "/charges/search", CHARGE, "the charges that a query finds, late"),
    _search("invoices.search", "/invoices/search", INVOICE, "the invoices that a query finds, late"),
    _search(
        "subscriptions.search", "/subscriptions/search", SUBSCRIPTION, "the subscriptions that a query finds, late"
    ),
)
