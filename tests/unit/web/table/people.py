"""The callers, Stripe's objects, and the operator's file."""

from collections.abc import Mapping, Sequence

from sidecar.core.operations.table import OPERATIONS
from tests.doubles.directus import User, full, grants, partial
from tests.doubles.stripe import CLIENT_SECRET, StripeDouble

ALL = {action: full() for action in ("create", "read", "update", "delete", "share")}
MANAGER = User("user-manager", "MARKED-manager/+token~", grants("customers", **ALL) | grants("shop", **ALL))
TENANT = User(
    "user-tenant",
    "MARKED-tenant/+token~",
    grants(
        read=partial("id", "stripe_customer_id", "name", "email"),
        update=partial("name", "email"),
    )
    | grants("shop", create=full(), read=full(), update=full()),
)
CLERK = User(  # sees every customer, and of customers and payments only the attributes of a few fields
    "user-clerk",
    "MARKED-clerk2/+token~",
    grants(read=full("id", "stripe_customer_id", "name"), update=full("name"), create=full("name", "email"))
    | grants("shop", read=full("id"), create=full("id"), update=full("id")),
)
OUTSIDER = User("user-outsider", "MARKED-outsider/+token~", grants("elsewhere", **ALL))
PEOPLE = (MANAGER, TENANT, CLERK, OUTSIDER)

FIXED = {"active": True, "unit_amount": 250, "currency": "eur", "type": "one_time", "billing_scheme": "per_unit"}
FIXED["transform_quantity"] = None
ONE = {"id": "price_ONE", "object": "price", **FIXED}
_SECRET = {"type": "payment_intent", "client_secret": f"pi_DEEP{CLIENT_SECRET}"}  # where newer objects have one


def furnish(stripe: StripeDouble, words: Sequence[str] = ("FOREIGN", "OTHER", "OWN")) -> None:
    """Give the customer of each word one object of every kind, and the account a product with two prices."""
    stripe.add("product", id="prod_ONE", name="Bread")
    stripe.add("price", id="price_ONE", product="prod_ONE", **FIXED)
    stripe.add("price", id="price_TWO", product="prod_ONE", **FIXED)
    stripe.add("price", id="price_MONTH", product="prod_TWO", **{**FIXED, "type": "recurring"})
    stripe.add("balance_transaction", id="txn_ONE", type="charge", amount=250, currency="eur")
    stripe.add("coupon", id="SPRING", percent_off=25.5)
    stripe.add("promotion_code", id="promo_ONE", code="HELLO", promotion={"type": "coupon", "coupon": "SPRING"})
    stripe.add("payment_link", id="plink_ONE")
    stripe.add("billing.meter", id="mtr_ONE", event_name="calls")
    for word in words:
        customer = f"cus_{word}"
        paid = {"payment_intent": f"pi_{word}", "charge": f"ch_{word}"}
        stripe.add("customer", id=customer, name=f"name-{word}", email=f"{word.lower()}@example.com")
        stripe.add("payment_method", id=f"pm_{word}", customer=customer, type="card")
        price = {"amount": 250, "currency": "eur"}
        stripe.add("payment_intent", id=f"pi_{word}", customer=customer, latest_charge=f"ch_{word}", **price)
        stripe.add("setup_intent", id=f"seti_{word}", customer=customer)
        stripe.add("charge", id=paid["charge"], customer=customer, payment_intent=paid["payment_intent"])
        stripe.add("refund", id=f"re_{word}", status="requires_action", **paid)
        item = {**stripe.add("subscription_item", id=f"si_{word}", subscription=f"sub_{word}"), "price": ONE}
        items = {"object": "list", "data": [item], "has_more": False}
        stripe.add("subscription", id=f"sub_{word}", customer=customer, status="active", items=items)
        about = {"subscription": f"sub_{word}", "confirmation_secret": _SECRET}
        stripe.add("invoice", id=f"in_{word}", customer=customer, status="open", **about)
        stripe.add("dispute", id=f"dp_{word}", **paid)
        stripe.add("credit_note", id=f"cn_{word}", customer=customer, invoice=f"in_{word}")
        stripe.add("quote", id=f"qt_{word}", customer=customer, status="open")
        stripe.add("subscription_schedule", id=f"sub_sched_{word}", customer=customer, subscription=f"sub_{word}")
        stripe.add("tax_id", id=f"txi_{word}", customer=customer, value=f"value-{word}")
        stripe.add("customer_balance_transaction", id=f"cbtxn_{word}", customer=customer, invoice=f"in_{word}")
        stripe.add("entitlements.active_entitlement", id=f"ent_{word}", customer=customer)
        stripe.add("checkout.session", id=f"cs_test_{word}", customer=customer, url=f"https://pay.example/{word}")
    _age(stripe)


def _age(stripe: StripeDouble) -> None:
    """Make everything old enough for a search to find it."""
    for each in (each for objects in stripe.objects.values() for each in objects if "created" in each):
        each["created"] -= 3600


def rules(tables: Mapping[str, str | None], *, exposing: bool = False) -> str:
    """Write a file that turns every row on; rows that need a collection of their own get `shop`.

    Rows that are of use for their secret alone are on where the operator is `exposing` secrets.
    """
    lines = []
    for row in OPERATIONS:
        usual = None if row.for_secret and not exposing else "" if row.on_customers else 'collection = "shop"'
        own = tables.get(row.name, usual)
        if own is not None:
            lines.append(f"[{row.name}]\n{own}\n")
    return "\n".join(lines)
