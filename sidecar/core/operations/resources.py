"""The kinds of object at Stripe that operations are about: where they are, what their IDs look like, whose they are.

One row for each (docs.stripe.com/api, "The … object"). An object whose customer cannot be told belongs to nobody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

StripeObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Resource:
    """`kind` is Stripe's `object`; `base` is what everybody sees who sees one at all, its ID and kind included.

    `links` lead to pages that show more than that: they are for whose the object is, and for who just made it.
    `owned`: it belongs to a customer, named in its `customer` or, for lack of one, by an object it refers to (`via`).
    `dated`: its list takes `created`. `free`: its IDs may be of the account's own choosing,
    as long as they do not look like those of another kind.
    """

    kind: str
    path: str
    prefixes: tuple[str, ...]
    base: frozenset[str]
    links: frozenset[str] = frozenset()
    owned: bool = True
    via: tuple[str, ...] = ()
    dated: bool = True
    free: bool = False

    @property
    def variable(self) -> str:
        """What its ID is called in paths."""
        return f"{self.kind.replace('.', '_')}_id"

    @property
    def pattern(self) -> str:
        if not self.free:
            return f"({'|'.join(self.prefixes)})_[A-Za-z0-9]{{1,250}}"
        others = "|".join(prefix for other in RESOURCES.values() if other is not self for prefix in other.prefixes)
        return rf"(?!search$|({others})_)[A-Za-z0-9_-]{{1,250}}"  # `search` is a route beside the objects

    def is_id(self, value: object) -> bool:
        """Say whether a value has the shape of such an object's ID; only that may become part of a URL at Stripe."""
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None

    @property
    def example(self) -> str:
        return f"{self.prefixes[0]}_ABC123"


def _base(names: str) -> frozenset[str]:
    return frozenset({"id", "object", "created", "livemode", *names.split()})


CUSTOMER = Resource("customer", "/v1/customers", ("cus",), _base("deleted"))
PAYMENT_INTENT = Resource(
    "payment_intent",
    "/v1/payment_intents",
    ("pi",),
    _base("amount amount_received currency status customer"),
)
CHARGE = Resource(
    "charge",
    "/v1/charges",
    ("ch", "py"),
    _base("amount amount_captured amount_refunded currency status paid refunded customer payment_intent"),
)
REFUND = Resource(
    "refund",
    "/v1/refunds",
    ("re", "pyr"),
    frozenset({"id", "object", "created", "amount", "currency", "status", "reason", "payment_intent", "charge"}),
    via=("payment_intent", "charge"),
)
INVOICE = Resource(
    "invoice",
    "/v1/invoices",
    ("in",),
    _base("number status currency total amount_due amount_paid amount_remaining due_date period_start period_end")
    | {"customer"},
    links=frozenset({"hosted_invoice_url", "invoice_pdf"}),
)
SUBSCRIPTION = Resource(
    "subscription",
    "/v1/subscriptions",
    ("sub",),
    _base("status currency cancel_at cancel_at_period_end canceled_at ended_at start_date trial_end customer items"),
)
SUBSCRIPTION_ITEM = Resource(
    "subscription_item",
    "/v1/subscription_items",
    ("si",),
    _base("price quantity current_period_start current_period_end"),
    via=("subscription",),
)
PAYMENT_METHOD = Resource(
    "payment_method",
    "/v1/payment_methods",
    ("pm", "card", "src", "ba"),
    _base("type customer"),
    dated=False,
)
SETUP_INTENT = Resource("setup_intent", "/v1/setup_intents", ("seti",), _base("status usage customer payment_method"))
CHECKOUT_SESSION = Resource(
    "checkout.session",
    "/v1/checkout/sessions",
    ("cs_test", "cs_live", "cs"),
    _base("mode status payment_status amount_total currency expires_at customer payment_intent subscription"),
    links=frozenset({"url"}),
)
PORTAL_SESSION = Resource(
    "billing_portal.session",
    "/v1/billing_portal/sessions",
    ("bps",),
    _base("return_url customer"),
    links=frozenset({"url"}),
)
PRODUCT = Resource(
    "product",
    "/v1/products",
    ("prod",),
    _base("name description active images default_price"),
    owned=False,
    free=True,
)
PRICE = Resource(
    "price",
    "/v1/prices",
    ("price",),
    _base("active currency unit_amount type recurring product nickname lookup_key"),
    owned=False,
    free=True,  # what was once a plan kept its ID
)
BALANCE_TRANSACTION = Resource(
    "balance_transaction",
    "/v1/balance_transactions",
    ("txn",),
    frozenset(
        {"id", "object", "created", "amount", "fee", "net", "currency", "type", "status", "available_on", "source"}
    ),
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
    """Find whose an object is; a reference stands as an ID, or as the object itself. None where it does not say."""
    reference = value if value.get("object") == CUSTOMER.kind else value.get("customer")
    found = reference.get("id") if isinstance(reference, dict) else reference
    return found if isinstance(found, str) else None


def reference(value: Mapping[str, object], name: str) -> str | None:
    """Read the ID that stands under `name`, as itself or within the object."""
    found = value.get(name)
    found = found.get("id") if isinstance(found, dict) else found
    return found if isinstance(found, str) else None
