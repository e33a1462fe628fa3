"""The demo's stand-in for Stripe answers every call that the service can make, as Stripe's documentation describes."""

import aiohttp
import pytest

from tests.doubles.shop import RETURN, Account, Shop

OWNED = (
    *("payment_intents", "charges", "invoices", "subscriptions"),
    *("payment_methods", "setup_intents", "checkout/sessions"),
)
# The call, its parameters, and the kind of object in the answer.
CALLS = [
    ("GET customers", "email=ada@example.com", "list"),
    ("GET customers/{customer}", "", "customer"),
    ("POST customers", "email=ada@example.com&address[line1]=1 Road&metadata[item]=7", "customer"),
    (
        "POST customers/{customer}",
        "name=Ada&preferred_locales[0]=en&invoice_settings[default_payment_method]={payment_method}",
        "customer",
    ),
    ("GET payment_intents", "customer={customer}", "list"),
    ("GET payment_intents/{payment_intent}", "", "payment_intent"),
    (
        "POST payment_intents",
        (
            "amount=500&currency=eur&customer={customer}&payment_method={payment_method}&description=Tea"
            "&receipt_email=ada@example.com&setup_future_usage=off_session&metadata[price]={once}&metadata[quantity]=1"
        ),
        "payment_intent",
    ),
    ("POST payment_intents", "amount=500&currency=eur&automatic_payment_methods[enabled]=true", "payment_intent"),
    ("GET charges", "customer={customer}&payment_intent={payment_intent}", "list"),
    ("GET charges/{charge}", "", "charge"),
    ("GET refunds", "payment_intent={payment_intent}", "list"),
    ("GET refunds", "charge={charge}", "list"),
    ("POST refunds", "payment_intent={payment_intent}&amount=1&reason=duplicate", "refund"),
    ("POST refunds", "charge={charge}", "refund"),
    ("GET invoices", "customer={customer}&status=paid&subscription={subscription}", "list"),
    ("GET invoices/{invoice}", "", "invoice"),
    ("POST invoices/create_preview", "customer={customer}", "invoice"),
    (
        "POST invoices/create_preview",
        (
            "customer={customer}&subscription={subscription}&subscription_details[items][0][id]={item}"
            "&subscription_details[items][0][price]={yearly}&subscription_details[items][0][quantity]=2"
        ),
        "invoice",
    ),
    ("GET subscriptions", "customer={customer}&status=all&price={monthly}", "list"),
    ("GET subscriptions/{subscription}", "", "subscription"),
    (
        "POST subscriptions",
        (
            "customer={customer}&items[0][price]={monthly}&items[0][quantity]=2&default_payment_method={payment_method}"
            "&payment_behavior=default_incomplete&description=Tea&cancel_at_period_end=true"
        ),
        "subscription",
    ),
    (
        "POST subscriptions/{subscription}",
        (
            "items[0][id]={item}&items[0][price]={yearly}&items[0][quantity]=3&default_payment_method={payment_method}"
            "&cancel_at_period_end=true&description=More tea"
        ),
        "subscription",
    ),
    ("DELETE subscriptions/{subscription}", "", "subscription"),
    ("GET subscription_items/{item}", "", "subscription_item"),
    ("GET payment_methods", "customer={customer}&type=card", "list"),
    ("GET payment_methods/{payment_method}", "", "payment_method"),
    ("POST payment_methods/{payment_method}/detach", "", "payment_method"),
    (
        "POST setup_intents",
        "customer={customer}&payment_method={payment_method}&usage=on_session&description=A card to keep",
        "setup_intent",
    ),
    (
        "POST checkout/sessions",
        (
            f"customer={{customer}}&mode=payment&success_url={RETURN}&cancel_url={RETURN}&line_items[0][price]={{once}}"
            "&line_items[0][quantity]=2&currency=eur&allow_promotion_codes=true&locale=en"
        ),
        "checkout.session",
    ),
    ("GET checkout/sessions/{session}", "", "checkout.session"),
    ("POST billing_portal/sessions", f"customer={{customer}}&return_url={RETURN}&locale=de", "billing_portal.session"),
    ("GET products", "active=true", "list"),
    ("GET products/{product}", "", "product"),
    ("GET prices", "active=true&product={product}&currency=eur&type=recurring", "list"),
    ("GET prices/{monthly}", "", "price"),
    ("GET prices", "product={product}&expand[0]=data.product", "list"),
    ("GET balance_transactions", "currency=eur&type=charge", "list"),
    ("GET coupons", "", "list"),
    ("GET coupons/{coupon}", "", "coupon"),
    ("GET promotion_codes", "code={code}&coupon={coupon}&active=true", "list"),
    ("GET promotion_codes/{promotion_code}", "", "promotion_code"),
    ("GET payment_links", "active=true", "list"),
    ("GET payment_links/{link}", "", "payment_link"),
    ("GET billing/meters", "status=active", "list"),
    (
        "POST billing/meter_events",
        "event_name={event}&payload[stripe_customer_id]={customer}&payload[value]=25&identifier={once}",
        "billing.meter_event",
    ),
    ("POST subscriptions/{subscription}/pause", "type=subscription&invoicing_behavior=invoice", "subscription"),
    ("POST customers/{customer}/tax_ids", "type=eu_vat&value=DE123456789", "tax_id"),
]
call = pytest.mark.parametrize(("asked", "parameters", "kind"), CALLS, ids=[row[0] for row in CALLS])


@call
async def test_every_call_is_answered(shop: Shop, asked: str, parameters: str, kind: str) -> None:
    """Each call is answered with its kind of object, of the right customer, and a list is not empty."""
    method, path = shop.filled(asked).split()

    status, answer = await shop.account.ask(method, path, shop.filled(parameters))

    assert (status, answer.get("object")) == (200, kind), answer
    assert answer.get("data") != []
    if "customer={customer}" in parameters and kind != "list":
        assert answer["customer"] == shop["customer"]


@call
async def test_an_unknown_parameter_is_refused(shop: Shop, asked: str, parameters: str, kind: str) -> None:
    """An unknown parameter is never ignored."""
    method, path = shop.filled(asked).split()
    given = [shop.filled(parameters)] if parameters else []

    status, answer = await shop.account.ask(method, path, "&".join([*given, "nonsense=1"]))

    assert (status, answer["error"]["type"]) == (400, "invalid_request_error"), kind


@pytest.mark.parametrize("path", OWNED)
async def test_lists_keep_customers_apart(shop: Shop, path: str) -> None:
    """The list of one customer contains its own objects and no others."""
    other = (await shop.customer())["customer"]

    mine, theirs = [set(await shop.account.ids(path, f"customer={name}")) for name in (shop["customer"], other)]

    assert mine
    assert theirs
    assert not mine & theirs


async def test_refunds_are_of_one_payment(shop: Shop) -> None:
    """The list of the refunds of a payment, or of its charge, contains no others."""
    other = await shop.customer()

    by_payment = await shop.account.ids("refunds", f"payment_intent={other['payment_intent']}")
    by_charge = await shop.account.ids("refunds", f"charge={shop['charge']}")

    assert ([other["refund"]], [shop["refund"]]) == (by_payment, by_charge)


async def test_pages_join_to_the_list(account: Account) -> None:
    """Pages of two, forward and backward, give the whole list, newest first."""
    made = [(await account.post("customers", "email=pages@example.com"))["id"] for _ in range(5)][::-1]
    two = "email=pages@example.com&limit=2"

    first = await account.get("customers", two)
    second = await account.ids("customers", f"{two}&starting_after={made[1]}")
    before = await account.get("customers", f"{two}&ending_before={made[4]}")

    assert (made[:2], True) == ([entry["id"] for entry in first["data"]], first["has_more"])
    assert made[2:4] == second
    assert (made[2:4], True) == ([entry["id"] for entry in before["data"]], before["has_more"])


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "starting_after=cus_none", "created[gte]=x", "created[near]=1"],
)
async def test_bad_pages_are_refused(shop: Shop, query: str) -> None:
    """An impossible page is an error, never the first page."""
    status, _ = await shop.account.ask("GET", "customers", query)

    assert status == 400


@pytest.mark.parametrize(("bound", "listed"), [("gte", 1), ("gt", 0), ("lte", 1), ("lt", 0)])
async def test_lists_by_time(shop: Shop, bound: str, listed: int) -> None:
    """`created` bounds a list, with or without its own second."""
    created = (await shop.account.get(f"refunds/{shop['refund']}"))["created"]

    found = await shop.account.ids("refunds", f"charge={shop['charge']}&created[{bound}]={created}")

    assert listed == len(found)


async def test_payment_methods_have_no_dates(account: Account) -> None:
    """The list of payment methods takes no `created`, as at Stripe."""
    status, _ = await account.ask("GET", "payment_methods", "created[gte]=1")

    assert status == 400


@pytest.mark.parametrize("path", [*OWNED, "customers", "refunds", "products", "prices"])
async def test_absent_is_not_found(account: Account, path: str) -> None:
    """An unknown object is a 404."""
    status, _ = await account.ask("GET", f"{path}/none")

    assert status == 404


@pytest.mark.parametrize("path", ["prices", "customers", "checkout/sessions/none"])
async def test_requests_without_a_key_are_refused(account: Account, path: str) -> None:
    """No request without a key gets a result."""
    async with aiohttp.ClientSession() as session, session.get(f"{account.url}/v1/{path}") as answer:
        assert answer.status == 401
