"""The input of every row: the row's own parameters, and nothing that reaches beyond them."""

import re

import pytest

from sidecar.core.operations.parameters import MOST_QUANTITY, Flag, Number, Reference, Text, found
from sidecar.core.operations.resources import PRICE, RESOURCES
from sidecar.core.operations.row import Kind
from tests.doubles.running_app import RunningApp
from tests.doubles.samples import RETURN_URL
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES, Case
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER, TENANT

BODIES = {name: case for name, case in CASES.items() if case.row.method != "GET"}
BEYOND = ("expand", "expand[]", "on_behalf_of", "stripe_account", "metadata", "transfer_data", "nonce", "Customer")
PATHS = {name: case for name, case in CASES.items() if case.row.path_resource is not None}
NO_IDS = (
    "..%2f..%2faccounts",
    "%2e%2e",
    "{0}%3Fexpand=x",
    "{0}%00",
    "{0}%0d%0aX:y",
    "{0};x",
    "{0}/x",
    "{0}%20",
    "{0}é",
)


def with_query(case: Case, more: str) -> str:
    return f"/stripe{case.target}{'&' if '?' in case.target else '?'}{more}"


@pytest.mark.parametrize("name", BEYOND)
async def test_parameters_beyond_the_rows_own(shop: RunningApp, name: str) -> None:
    """R4: a parameter that the row does not name is 400, in a query and in a body, and Stripe is not asked."""
    queries = {
        case.name: await shop.call(MANAGER, with_query(case, f"{name}=x"), method=case.row.method)
        for case in CASES.values()
    }
    bodies = {case.name: await case.having(**{name: "x"}).call(shop, MANAGER) for case in BODIES.values()}

    assert dict.fromkeys(CASES, (400, "INVALID_QUERY")) == {each: (a.status, a.code) for each, a in queries.items()}
    assert dict.fromkeys(BODIES, (400, "INVALID_PAYLOAD")) == {each: (a.status, a.code) for each, a in bodies.items()}
    assert shop.stripe.asked == []


@pytest.mark.parametrize("value", [["x"], {"a": 1}, 7.5, True, "\u2028", "x&y=1"], ids=repr)
async def test_values_of_no_type(shop: RunningApp, value: object) -> None:
    """V1: a malformed value is 400 in every place, and Stripe is not asked."""
    answers = {
        f"{case.name} {each.name}": await case.having(**{each.name: value}).call(shop, MANAGER)
        for case in BODIES.values()
        for each in case.row.taken
        if not (value is True and isinstance(each.type, Flag))
        and not (value == "x&y=1" and isinstance(each.type, Text))
    }

    assert {
        name: each.body for name, each in answers.items() if (each.status, each.code) != (400, "INVALID_PAYLOAD")
    } == {}
    assert shop.stripe.asked == []


async def test_numbers_out_of_bounds(shop: RunningApp) -> None:
    """V4: a quantity or an amount of less than the least or more than the most is 400 at every depth."""
    wrong: dict[tuple[str, int], Answer] = {}
    for case in BODIES.values():
        for each in case.row.parameters:
            if isinstance(each.type, Number):
                values = (each.type.least - 1, -1, each.type.most + 1, 10**30)
                wrong |= {
                    (case.name, value): await case.having(**{each.name: value}).call(shop, MANAGER) for value in values
                }
    for name in ("subscriptions.create", "subscriptions.update"):
        for value in (-1, MOST_QUANTITY + 1):
            items = [{"price": "price_ONE", "quantity": value}]
            wrong[name, value] = await CASES[name].having(items=items).call(shop, MANAGER)

    assert len(wrong) >= 12
    assert {400} == {each.status for each in wrong.values()}
    assert shop.stripe.asked == []


def misnamed(case: Case) -> list[str]:
    """Give its path with invalid IDs, and with the IDs of all other kinds."""
    resource = case.row.path_resource
    assert resource is not None
    own = next(part for part in case.target.split("?")[0].split("/") if resource.is_id(part))
    others = [other.example for other in RESOURCES.values() if other is not resource]
    no_ids = [*others, *(each.format(own) for each in NO_IDS), own + "A" * 251]
    no_ids += ["search"] if resource.free else [own.upper(), own.partition("_")[0]]
    return [case.target.replace(own, each) for each in no_ids]


async def test_ids_in_a_path(shop: RunningApp) -> None:
    """P1: an ID that is not of the row's kind is 404, or 400 if it is not HTTP, before any upstream is asked."""
    targets = [(case.row.method, target) for case in PATHS.values() for target in misnamed(case)]

    statuses = {each: (await shop.call(MANAGER, f"/stripe{each[1]}", method=each[0])).status for each in targets}

    assert len(targets) >= 200
    assert {each: status for each, status in statuses.items() if status not in {400, 404, 405}} == {}
    assert shop.directus.requests == []
    assert shop.stripe.asked == []


@pytest.mark.parametrize("value", ["x", 3, [{"city": "x"}]])
async def test_no_object(shop: RunningApp, value: object) -> None:
    """V1: A value in the place of an object is told so in words that a client's developer knows."""
    answer = await CASES["customers.update"].bare({"address": value}).call(shop, MANAGER)

    assert (answer.status, answer.message) == (400, "address: must be an object.")
    assert shop.stripe.asked == []


@pytest.mark.parametrize("name", ["payment_intents.create", "refunds.create"])
async def test_amounts_need_the_operators_consent(open_shop: OpenShop, name: str) -> None:
    """An amount is 400 without the operator's consent, even from a caller with full access, and accepted with it."""
    amount = {"amount": 100} if name == "refunds.create" else {"amount": 100, "currency": "eur"}
    body = {"payment_intent": "pi_OWN"} if name == "refunds.create" else {"customer": "cus_OWN"}
    case = Case(name, CASES[name].target, CASES[name].asked, "{}").having(**body, **amount)
    without = await open_shop()
    refused = [await case.call(without, user) for user in (MANAGER, TENANT)]
    asked = [*without.stripe.asked]
    own = "" if name == "payment_intents.create" else 'collection = "shop"\n'

    answer = await case.call(await open_shop({name: f"{own}amounts = true"}), TENANT)

    assert ([each.status for each in refused], asked) == ([400, 400], [])
    assert (answer.status, answer.json()["amount"]) == (201, 100)


async def test_a_price_or_an_amount(open_shop: OpenShop) -> None:
    """Exactly one of price and amount is accepted, and parameters of the one are refused with the other."""
    shop = await open_shop({"payment_intents.create": "amounts = true"})
    case = Case("payment_intents.create", "/payment_intents", "", '{"customer": "cus_OWN"}')
    bodies: list[dict[str, object]] = [
        {},
        {"price": "price_ONE", "amount": 5},
        {"price": "price_ONE", "currency": "eur"},
        {"amount": 5, "currency": "eur", "quantity": 2},
        {"price": None, "amount": None},
    ]

    answers = [await case.having(**body).call(shop, MANAGER) for body in bodies]

    assert [(each.status, each.code) for each in answers] == [(400, "INVALID_PAYLOAD")] * 5
    assert shop.stripe.asked == []


PRICED = [
    name
    for name, case in BODIES.items()
    if any(kind.resource is PRICE for _, kind, _ in found(case.row.parameters, case.json, Reference))
]


@pytest.mark.parametrize("name", PRICED)
async def test_only_the_prices_that_the_operator_lists(open_shop: OpenShop, name: str) -> None:
    """If the operator lists prices no other price is accepted, at any depth and for any caller."""
    shop = await open_shop({name: 'prices = ["price_ONE", "price_MONTH", "price_THREE"]'})
    case = CASES[name]
    other = Case(name, case.target, "", re.sub("price_(ONE|MONTH)", "price_TWO", case.body or ""))

    refused = [await other.call(shop, user) for user in (MANAGER, TENANT)]
    asked = [*shop.stripe.asked]
    listed = await case.call(shop, MANAGER)

    assert ([(each.status, each.code) for each in refused], asked) == ([(400, "INVALID_PAYLOAD")] * 2, [])
    assert "price: this price is not allowed here" in refused[0].message
    assert case.status == listed.status


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_listed_price_hides_no_other(open_shop: OpenShop, place: str) -> None:
    """One listed price among several does not admit the others."""
    shop = await open_shop({"subscriptions.create": 'prices = ["price_ONE"]'})
    items = [{"price": "price_TWO"}, {"price": "price_ONE"}][:: 1 if place == "before" else -1]

    answer = await CASES["subscriptions.create"].having(items=items).call(shop, MANAGER)

    assert (answer.status, shop.stripe.asked) == (400, [])


@pytest.mark.parametrize("name", ["subscriptions.update", "invoices.create_preview"])
async def test_listed_prices_bind_earlier_items(open_shop: OpenShop, name: str) -> None:
    """If the operator lists prices, the quantity of an item at another price cannot be changed either."""
    shop = await open_shop({name: 'prices = ["price_MONTH"]'})
    more: dict[str, object] = {"id": "si_OWN", "quantity": 10_000}
    listed = {**more, "price": "price_MONTH"}

    refused = [await changing(name, more).call(shop, user) for user in (MANAGER, TENANT)]
    asked = [*shop.stripe.asked]
    answers = [await changing(name, items).call(shop, TENANT) for items in (listed, {"id": "si_OWN", "deleted": True})]

    assert ([(each.status, each.code) for each in refused], asked) == ([(400, "INVALID_PAYLOAD")] * 2, [])
    assert "items[0].quantity: send the price with it" in refused[0].message
    assert {each.status for each in answers} == {200}


@pytest.mark.parametrize("name", ["subscriptions.create", "subscriptions.update", "checkout_sessions.create"])
async def test_a_listed_price_is_paid(open_shop: OpenShop, name: str) -> None:
    """If the operator lists prices, none of one is 400: Stripe would give it for nothing."""
    shop = await open_shop({name: 'prices = ["price_MONTH"]'})
    none = [{"price": "price_MONTH", "quantity": 0}]
    place = "line_items" if name.startswith("checkout") else "items"

    answers = [await CASES[name].having(**{place: none}).call(shop, user) for user in (MANAGER, TENANT)]

    assert [(each.status, each.code) for each in answers] == [(400, "INVALID_PAYLOAD")] * 2
    assert f"{place}[0].quantity: must be at least 1" in answers[0].message
    assert shop.stripe.asked == []


@pytest.mark.parametrize("name", ["subscriptions.update", "invoices.create_preview"])
async def test_an_item_that_is_none(shop: RunningApp, name: str) -> None:
    """V1: an item that names neither an item of the subscription nor a price is 400."""
    answer = await changing(name, {"quantity": 2}).call(shop, MANAGER)

    assert (answer.status, shop.stripe.asked) == (400, [])
    assert "items[0]: needs id or price" in answer.message


def changing(name: str, item: dict[str, object]) -> Case:
    if name == "subscriptions.update":
        return CASES[name].having(items=[item])
    return CASES[name].having(subscription_details={"items": [item]})


ELSEWHERE = [
    "https://evil.example/account",
    "https://app.example.com",
    "https://app.example.com/accounting",
    "https://app.example.com@evil.example/account",
    f"{RETURN_URL}/../admin",
    f"{RETURN_URL}/..;/admin",
    f"{RETURN_URL}/%252e%252e/admin",
    "http://app.example.com/account",
    "javascript:alert(1)",
    f"{RETURN_URL}\\x",
]


@pytest.mark.parametrize(
    ("name", "attribute", "more"),
    [
        ("billing_portal_sessions.create", "return_url", {}),
        ("checkout_sessions.create", "success_url", {}),
        ("checkout_sessions.create", "cancel_url", {}),
        ("checkout_sessions.create", "return_url", {"ui_mode": "embedded_page", "success_url": None}),
        ("payment_intents.create", "return_url", {"confirm": True}),
        ("payment_intents.confirm", "return_url", {"off_session": False}),
        ("setup_intents.confirm", "return_url", {}),
    ],
)
async def test_return_addresses(shop: RunningApp, name: str, attribute: str, more: dict[str, object]) -> None:
    """Browsers are sent back below an allowed address and nowhere else, for every caller."""
    case = CASES[name].having(**more)
    wrong = [await case.having(**{attribute: url}).call(shop, user) for url in ELSEWHERE for user in (MANAGER, TENANT)]
    asked = [*shop.stripe.asked]
    right = await case.having(**{attribute: f"{RETURN_URL}/done?id={{CHECKOUT_SESSION_ID}}"}).call(shop, TENANT)

    assert ([(400, "INVALID_PAYLOAD")] * len(wrong), []) == ([(each.status, each.code) for each in wrong], asked)
    assert attribute in wrong[0].message
    assert (case.status, f"{RETURN_URL}/done?id={{CHECKOUT_SESSION_ID}}") == (
        right.status,
        dict(shop.stripe.asked[-1].form)[attribute],
    )


def test_every_row_that_changes_something_has_a_body_here() -> None:
    """A creation or change accepts a JSON body, or no body at all."""
    assert {case.row.kind for case in BODIES.values()} == {Kind.CREATE, Kind.ACT, Kind.CREATE_CUSTOMER}
