"""Stripe's kinds of object: the path of each, the shape of its IDs, the types of its attributes, and its owner.

One row for each kind (docs.stripe.com/api, "The … object"). An object that names no customer belongs to nobody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sidecar.core.operations.attributes import Attribute, Embedded, Entries, Structure, attributes

StripeObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object. `kind` is the value of Stripe's `object`.

    `shown`: what every caller sees that may see the object at all.
    `mapped`: what a caller sees besides if it may read a field that maps to it. Any other attribute can be mapped too;
    these are the usual ones, with their types.
    `links`: addresses of Stripe's pages, which show more than `shown`. Only the owner and the creator see them.
    `owned`: the object belongs to a customer. `customer` names it, or else an object that `via` refers to.
    `dated`: the list takes `created`.
    `free`: the account may choose the IDs itself, but none that looks like the ID of another kind.
    """

    kind: str
    path: str
    prefixes: tuple[str, ...]
    shown: tuple[Attribute, ...]
    mapped: tuple[Attribute, ...] = ()
    links: frozenset[str] = frozenset()
    owned: bool = True
    via: tuple[str, ...] = ()
    dated: bool = True
    free: bool = False

    @property
    def base(self) -> frozenset[str]:
        """Give the names of what is `shown`."""
        return frozenset(attribute.name for attribute in self.shown)

    @property
    def variable(self) -> str:
        """Give the name of the ID in paths."""
        return f"{self.kind.replace('.', '_')}_id"

    @property
    def pattern(self) -> str:
        if not self.free:
            return f"({'|'.join(self.prefixes)})_[A-Za-z0-9]{{1,250}}"
        others = "|".join(prefix for other in RESOURCES.values() if other is not self for prefix in other.prefixes)
        return rf"(?!search$|({others})_)[A-Za-z0-9_-]{{1,250}}"  # Stripe has a route `search` beside the IDs

    def is_id(self, value: object) -> bool:
        """Say whether a value has the shape of an ID of this kind. Nothing else may become part of a URL at Stripe."""
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None

    @property
    def example(self) -> str:
        return f"{self.prefixes[0]}_ABC123"


def _shown(*others: Attribute, text: str = "", timestamp: str = "", **plain: str) -> tuple[Attribute, ...]:
    """Declare the attributes that every kind has, and these."""
    return attributes(*others, text=f"id object {text}", timestamp=f"created {timestamp}", **plain)


_ADDRESS = Structure(attributes(text="line1 line2 city state postal_code country"))
_RECURRING = Structure(attributes(text="interval usage_type", integer="interval_count"))

CUSTOMER = Resource(
    "customer",
    "/v1/customers",
    ("cus",),
    _shown(boolean="livemode deleted"),
    mapped=attributes(Attribute("address", _ADDRESS), text="name email phone description", texts="preferred_locales"),
)
PAYMENT_INTENT = Resource(
    "payment_intent",
    "/v1/payment_intents",
    ("pi",),
    _shown(integer="amount amount_received", text="currency status", boolean="livemode", reference="customer"),
    mapped=attributes(text="description receipt_email"),
)
CHARGE = Resource(
    "charge",
    "/v1/charges",
    ("ch", "py"),
    _shown(
        integer="amount amount_captured amount_refunded",
        text="currency status",
        boolean="livemode paid refunded",
        reference="customer payment_intent",
    ),
    mapped=attributes(text="description receipt_email"),
)
REFUND = Resource(
    "refund",
    "/v1/refunds",
    ("re", "pyr"),
    _shown(integer="amount", text="currency status reason", reference="payment_intent charge"),
    via=("payment_intent", "charge"),
)
INVOICE = Resource(
    "invoice",
    "/v1/invoices",
    ("in",),
    _shown(
        text="number status currency",
        integer="total amount_due amount_paid amount_remaining",
        timestamp="due_date period_start period_end",
        boolean="livemode",
        reference="customer",
    ),
    mapped=attributes(text="description customer_name customer_email"),
    links=frozenset({"hosted_invoice_url", "invoice_pdf"}),
)
SUBSCRIPTION = Resource(
    "subscription",
    "/v1/subscriptions",
    ("sub",),
    _shown(
        Attribute("items", Entries("subscription_item")),
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
    _shown(
        Attribute("price", Embedded("price")),
        integer="quantity",
        timestamp="current_period_start current_period_end",
    ),
    via=("subscription",),
)
PAYMENT_METHOD = Resource(
    "payment_method",
    "/v1/payment_methods",
    ("pm", "card", "src", "ba"),
    _shown(text="type", boolean="livemode", reference="customer"),
    dated=False,
)
SETUP_INTENT = Resource(
    "setup_intent",
    "/v1/setup_intents",
    ("seti",),
    _shown(text="status usage", boolean="livemode", reference="customer payment_method"),
    mapped=attributes(text="description"),
)
CHECKOUT_SESSION = Resource(
    "checkout.session",
    "/v1/checkout/sessions",
    ("cs_test", "cs_live", "cs"),
    _shown(
        text="mode status payment_status currency",
        integer="amount_total",
        timestamp="expires_at",
        boolean="livemode",
        reference="customer payment_intent subscription",
    ),
    mapped=attributes(text="customer_email"),
    links=frozenset({"url"}),
)
PORTAL_SESSION = Resource(
    "billing_portal.session",
    "/v1/billing_portal/sessions",
    ("bps",),
    _shown(text="return_url customer", boolean="livemode"),
    links=frozenset({"url"}),
)
PRODUCT = Resource(
    "product",
    "/v1/products",
    ("prod",),
    _shown(text="name description", texts="images", boolean="livemode active", reference="default_price"),
    owned=False,
    free=True,
)
PRICE = Resource(
    "price",
    "/v1/prices",
    ("price",),
    _shown(
        Attribute("recurring", _RECURRING),
        text="currency type nickname lookup_key",
        integer="unit_amount",
        boolean="livemode active",
        reference="product",
    ),
    owned=False,
    free=True,  # a price that was once a plan keeps the plan's ID
)
BALANCE_TRANSACTION = Resource(
    "balance_transaction",
    "/v1/balance_transactions",
    ("txn",),
    _shown(integer="amount fee net", text="currency type status", timestamp="available_on", reference="source"),
    owned=False,
)

RESOURCES: Mapping[str, Resource] = MappingProxyType(
    {
        resource.kind: resource
        for resource in (
            CUSTOMER,
            PAYMENT_INTENT,
            CHARGE,
            REFUND,
            INVOICE,
            SUBSCRIPTION,
            SUBSCRIPTION_ITEM,
            PAYMENT_METHOD,
            SETUP_INTENT,
            CHECKOUT_SESSION,
            PORTAL_SESSION,
            PRODUCT,
            PRICE,
            BALANCE_TRANSACTION,
        )
    }
)


def is_customer_id(value: object) -> bool:
    return CUSTOMER.is_id(value)


def customer_of(value: Mapping[str, object]) -> str | None:
    """Give the ID of the object's customer, None where the object names none. A customer is its own."""
    reference = value if value.get("object") == CUSTOMER.kind else value.get("customer")
    found = reference.get("id") if isinstance(reference, dict) else reference
    return found if isinstance(found, str) else None


def reference(value: Mapping[str, object], name: str) -> str | None:
    """Give the ID of the object that `name` refers to. Stripe writes the ID alone, or the whole object."""
    found = value.get(name)
    found = found.get("id") if isinstance(found, dict) else found
    return found if isinstance(found, str) else None
