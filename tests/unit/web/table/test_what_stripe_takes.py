"""Values that Stripe takes and judges itself: they pass, and arrive as they were sent."""

from urllib.parse import quote

import pytest

from tests.doubles.directus import User
from tests.unit.web.table.cases import CASES
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import FIXED, MANAGER, TENANT

LINE = {"price": "pro.monthly", "quantity": 1}
SESSION = {"mode": "payment", "success_url": "https://app.example.com/account"}


@pytest.mark.parametrize(
    ("name", "attributes", "form"),
    [
        ("refunds.create", {"amount": 150_000_000}, ("amount", "150000000")),
        ("refunds.create", {"amount": 999_999_999_999}, ("amount", "999999999999")),
        ("checkout_sessions.create", {"locale": "auto"}, ("locale", "auto")),
        ("checkout_sessions.create", {"locale": "es-419"}, ("locale", "es-419")),
        ("checkout_sessions.create", {"line_items": [LINE] * 100}, ("line_items[99][price]", "pro.monthly")),
        ("billing_portal_sessions.create", {"locale": "auto"}, ("locale", "auto")),
        ("subscriptions.update", {"items": [{"id": "si_OWN", "quantity": 0}]}, ("items[0][quantity]", "0")),
        ("subscriptions.update", {"items": [{"id": "si_OWN", "quantity": 25_000}]}, ("items[0][quantity]", "25000")),
        ("subscriptions.update", {"default_payment_method": None}, ("default_payment_method", "")),
        ("customers.update", {"email": None}, ("email", "")),
        ("customers.update", {"email": ""}, ("email", "")),
        ("customers.update", {"address": None}, ("address", "")),
        ("customers.update", {"address": {"line2": None, "country": ""}}, ("address[country]", "")),
        ("customers.update", {"address": ""}, ("address", "")),
        ("customers.update", {"address": {"line1": "", "line2": "b"}}, ("address[line1]", "")),
        ("customers.update", {"preferred_locales": []}, ("preferred_locales", "")),
        ("customers.update", {"preferred_locales": ""}, ("preferred_locales", "")),
        ("customers.update", {"preferred_locales": None}, ("preferred_locales", "")),
        ("customers.update", {"phone": "", "name": None}, ("phone", "")),
        ("subscriptions.update", {"default_payment_method": ""}, ("default_payment_method", "")),
        (
            "customers.update",
            {"invoice_settings": {"default_payment_method": None}},
            ("invoice_settings[default_payment_method]", ""),
        ),
    ],
)
async def test_what_is_sent_arrives(
    open_shop: OpenShop, name: str, attributes: dict[str, object], form: tuple[str, str]
) -> None:
    """Large amounts, `auto`, many lines, any quantity, empty values and IDs of the account's own choosing arrive."""
    rule = 'collection = "shop"\namounts = true' if name == "refunds.create" else ""
    shop = await open_shop({name: rule})

    answer = await CASES[name].having(**attributes).call(shop, MANAGER)

    assert answer.code != "INVALID_PAYLOAD"
    assert form in shop.stripe.requests[-1].form


@pytest.mark.parametrize(
    "chosen", ["pro.monthly", "gold-2024", "meet_in_person", "Pro plan $699", "gold+tax", "a:b,c(d)"]
)
async def test_ids_of_the_accounts_own_choosing(open_shop: OpenShop, chosen: str) -> None:
    """A price with an ID that the account chose is read and bought by that ID, and the operator may list it."""
    rules = {"prices.retrieve": 'collection = "shop"', "payment_intents.create": f"prices = ['{chosen}']"}
    shop = await open_shop(rules)
    shop.stripe.add("price", id=chosen, product="prod_ONE", **FIXED)

    read = await shop.call(MANAGER, f"/stripe/prices/{quote(chosen)}")
    bought = await CASES["payment_intents.create"].bare({"price": chosen}).call(shop, MANAGER)

    assert (read.status, read.json()["id"], bought.status) == (200, chosen, 201)
    assert ("metadata[price]", chosen) in shop.stripe.asked[-1].form
    assert {each.path for each in shop.stripe.asked if each.method == "GET"} == {f"/v1/prices/{quote(chosen, safe='')}"}


@pytest.mark.parametrize(("user", "customer"), [(TENANT, {}), (MANAGER, {"customer": "cus_OWN"})])
async def test_a_customer_excludes_an_email(open_shop: OpenShop, user: User, customer: dict[str, str]) -> None:
    """What Stripe takes only without a customer is refused by its name, and Stripe is not asked."""
    shop = await open_shop({"checkout_sessions.create": ""})
    case = CASES["checkout_sessions.create"].bare({**SESSION, "customer_email": "ada@example.com", **customer})

    answer = await case.call(shop, user)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert answer.json()["errors"][0]["message"].startswith("customer_email: leave it out")
    assert shop.stripe.asked == []
