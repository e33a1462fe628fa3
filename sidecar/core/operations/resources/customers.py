"""Customers, and what is saved with them to pay (docs.stripe.com/api/customers)."""

from sidecar.core.operations.attributes import Attribute, Structure, attributes
from sidecar.core.operations.resource import Resource, shown
from sidecar.core.operations.resources.means import MEANS
from sidecar.core.operations.resources.payments import NEXT_ACTION

_ADDRESS = Structure(attributes(text="line1 line2 city state postal_code country"))

CUSTOMER = Resource(
    "customer",
    "/v1/customers",
    ("cus",),
    shown(boolean="livemode deleted"),
    mapped=attributes(Attribute("address", _ADDRESS), text="name email phone description", texts="preferred_locales"),
    customer_at=("id",),
)

PAYMENT_METHOD = Resource(
    "payment_method",
    "/v1/payment_methods",
    ("pm", "card", "src", "ba"),
    shown(*MEANS, text="type", boolean="livemode", reference="customer"),
    dated=False,
)

SETUP_INTENT = Resource(
    "setup_intent",
    "/v1/setup_intents",
    ("seti",),
    shown(text="status usage", boolean="livemode", reference="customer payment_method"),
    mapped=attributes(text="description"),
    secrets=attributes(NEXT_ACTION, text="client_secret"),
)
