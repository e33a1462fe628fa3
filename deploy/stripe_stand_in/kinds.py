"""The table of kinds of object, each with its path, the form of its IDs, and its calls.

`parameters` begins the names of the classes that Stripe's own library has for the parameters of calls: for "list" of
"Charge", `stripe.params.ChargeListParams`. That library is generated from the description of the API version that the
service uses.
"""

from collections.abc import Callable
from dataclasses import dataclass

_SHORT = {"customer", "product", "subscription_item"}


@dataclass(frozen=True, slots=True)
class Kind:
    """`prefix` begins the IDs; an empty one means that there are none.

    `calls` are list, retrieve, create, update, delete, and further ones that Stripe has for this kind.
    """

    name: str
    path: str
    prefix: str
    parameters: str
    calls: frozenset[str]

    def new_id(self, token: Callable[[int], str]) -> str:
        """Make an ID as long as Stripe's; `token` gives the wanted number of random characters."""
        return f"{self.prefix}_{token(14 if self.name in _SHORT else 24)}"

    def takes(self, call: str) -> str:
        """Name the class of the call's parameters in `stripe.params`."""
        verb = "cancel" if (self.name, call) == ("subscription", "delete") else call
        return self.parameters + "".join(word.capitalize() for word in verb.split("_")) + "Params"


def _kind(name: str, path: str, prefix: str, parameters: str, calls: str) -> Kind:
    return Kind(name, f"/v1/{path}", prefix, parameters, frozenset(calls.split()))


KINDS = {
    kind.name: kind
    for kind in (
        _kind("customer", "customers", "cus", "Customer", "list retrieve create update delete"),
        _kind(
            "payment_intent",
            "payment_intents",
            "pi",
            "PaymentIntent",
            "list retrieve create update confirm capture cancel",
        ),
        _kind("charge", "charges", "ch", "Charge", "list retrieve"),
        _kind("refund", "refunds", "re", "Refund", "list retrieve create cancel"),
        _kind("invoice", "invoices", "in", "Invoice", "list retrieve create_preview"),
        _kind("subscription", "subscriptions", "sub", "Subscription", "list retrieve create update delete"),
        _kind("subscription_item", "subscription_items", "si", "SubscriptionItem", "retrieve"),
        _kind("payment_method", "payment_methods", "pm", "PaymentMethod", "list retrieve create update attach detach"),
        _kind("setup_intent", "setup_intents", "seti", "SetupIntent", "list retrieve create confirm cancel"),
        _kind("checkout.session", "checkout/sessions", "cs_test", "checkout.Session", "list retrieve create expire"),
        _kind("billing_portal.session", "billing_portal/sessions", "bps", "billing_portal.Session", "create"),
        _kind("ephemeral_key", "ephemeral_keys", "ephkey", "EphemeralKey", "create"),
        _kind("customer_session", "customer_sessions", "", "CustomerSession", "create"),
        _kind("product", "products", "prod", "Product", "list retrieve create"),
        _kind("price", "prices", "price", "Price", "list retrieve create"),
        _kind(
            "entitlements.active_entitlement",
            "entitlements/active_entitlements",
            "ent_test",
            "entitlements.ActiveEntitlement",
            "list",
        ),
        _kind("balance_transaction", "balance_transactions", "txn", "BalanceTransaction", "list"),
    )
}
