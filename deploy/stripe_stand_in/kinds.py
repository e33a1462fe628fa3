"""The table of kinds of object, each with its path, the form of its IDs, and its calls.

`parameters` begins the names of the classes that Stripe's own library has for the parameters of calls: for "list" of
"Charge", `stripe.params.ChargeListParams`. That library is generated from the description of the API version that the
service uses.
"""

from collections.abc import Callable
from dataclasses import dataclass

_SHORT = {"customer", "product", "subscription_item"}
_VERBS = {  # as Stripe's library calls what is another word in the path
    ("subscription", "delete"): "cancel",
    ("invoice", "finalize"): "finalize_invoice",
    ("invoice", "void"): "void_invoice",
    ("quote", "finalize"): "finalize_quote",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """`calls` are list, retrieve, create, update, delete, and further ones that Stripe has for this kind.

    `below`: it is listed and created there, below its customer. `prefix` is empty where IDs have none.
    """

    name: str
    path: str
    prefix: str
    parameters: str
    calls: frozenset[str]
    below: str = ""

    def new_id(self, token: Callable[[int], str]) -> str:
        """Make an ID as long as Stripe's; `token` gives the wanted number of random characters."""
        return f"{self.prefix}_{token(14 if self.name in _SHORT else 24)}" if self.prefix else token(8)

    def takes(self, call: str) -> str:
        """Name the class of the call's parameters in `stripe.params`."""
        verb = _VERBS.get((self.name, call), call)
        return self.parameters + "".join(word.capitalize() for word in verb.split("_")) + "Params"


def _kind(name: str, path: str, prefix: str, parameters: str, calls: str) -> Kind:
    return Kind(name, f"/v1/{path}", prefix, parameters, frozenset(calls.split()))


def _below_customer(name: str, path: str, prefix: str, parameters: str, calls: str) -> Kind:
    below = f"/v1/customers/{{customer}}/{path}"
    return Kind(name, f"/v1/{path}", prefix, parameters, frozenset(calls.split()), below)


_PAID = "list search retrieve create"
_CHANGED = "list search retrieve create update delete"
_INVOICED = "list search retrieve create create_preview"
_SCHEDULED = "list retrieve create cancel release"
_BALANCE = "customer_balance_transaction"
_ENTITLED = "entitlements.active_entitlement"

KINDS = {
    kind.name: kind
    for kind in (
        _kind("customer", "customers", "cus", "Customer", _CHANGED),
        _kind("payment_intent", "payment_intents", "pi", "PaymentIntent", f"{_PAID} update confirm capture cancel"),
        _kind("charge", "charges", "ch", "Charge", "list search retrieve"),
        _kind("dispute", "disputes", "dp", "Dispute", "list retrieve"),
        _kind("refund", "refunds", "re", "Refund", "list retrieve create cancel"),
        _kind("invoice", "invoices", "in", "Invoice", f"{_INVOICED} pay finalize void"),
        _kind("credit_note", "credit_notes", "cn", "CreditNote", "list retrieve create"),
        _kind("quote", "quotes", "qt", "Quote", "list retrieve create finalize accept cancel"),
        _kind("subscription", "subscriptions", "sub", "Subscription", f"{_CHANGED} pause resume"),
        _kind("subscription_schedule", "subscription_schedules", "sub_sched", "SubscriptionSchedule", _SCHEDULED),
        _kind("subscription_item", "subscription_items", "si", "SubscriptionItem", "retrieve"),
        _kind("payment_method", "payment_methods", "pm", "PaymentMethod", "list retrieve create update attach detach"),
        _kind("setup_intent", "setup_intents", "seti", "SetupIntent", "list retrieve create confirm cancel"),
        _kind("checkout.session", "checkout/sessions", "cs_test", "checkout.Session", "list retrieve create expire"),
        _kind("billing_portal.session", "billing_portal/sessions", "bps", "billing_portal.Session", "create"),
        _kind("ephemeral_key", "ephemeral_keys", "ephkey", "EphemeralKey", "create"),
        _kind("customer_session", "customer_sessions", "", "CustomerSession", "create"),
        _below_customer("tax_id", "tax_ids", "txi", "TaxId", "list retrieve create delete"),
        _below_customer(_BALANCE, "balance_transactions", "cbtxn", "CustomerBalanceTransaction", "list create"),
        _kind("billing.meter", "billing/meters", "mtr_test", "billing.Meter", "list create"),
        _kind("billing.meter_event", "billing/meter_events", "", "billing.MeterEvent", "create"),
        _kind(_ENTITLED, "entitlements/active_entitlements", "ent_test", "entitlements.ActiveEntitlement", "list"),
        _kind("coupon", "coupons", "", "Coupon", "list retrieve create"),
        _kind("promotion_code", "promotion_codes", "promo", "PromotionCode", "list retrieve create"),
        _kind("payment_link", "payment_links", "plink", "PaymentLink", "list retrieve create"),
        _kind("product", "products", "prod", "Product", "list retrieve create"),
        _kind("price", "prices", "price", "Price", "list retrieve create"),
        _kind("balance_transaction", "balance_transactions", "txn", "BalanceTransaction", "list"),
    )
}
