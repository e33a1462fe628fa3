"""Searches: whoever sees everything finds what Stripe finds, late; nobody else learns anything by one."""

from collections.abc import Mapping
from urllib.parse import quote

import pytest

from sidecar.core.operations.row import Kind
from tests.doubles.directus import Grant, Payload, User, full, grants, partial
from tests.doubles.running_app import RunningApp
from tests.doubles.stripe import CLIENT_SECRET
from tests.unit.web.table.cases import CASES, ROWS
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, TENANT

SEARCHES = [name for name, row in ROWS.items() if row.kind is Kind.SEARCH]
every_search = pytest.mark.parametrize("name", SEARCHES)


def target(name: str, query: str, more: str = "") -> str:
    return f"/stripe{ROWS[name].path}?query={quote(query, safe='')}{more}"


def someone(app: RunningApp, name: str, **collections: Mapping[str, Grant]) -> User:
    """A caller with these grants by collection and action."""
    permissions: Payload = {}
    for collection, actions in collections.items():
        permissions |= grants(collection, **actions)
    user = User(f"user-{name}", f"MARKED-{name}", permissions)
    app.directus.add_users([user])
    app.tokens.add(user.token)
    return user


async def test_pages_of_a_search(shop: RunningApp) -> None:
    """A page is Stripe's search result with the token of the next one, and says that it may be out of date."""
    first = await shop.call(MANAGER, target("charges.search", 'status:"succeeded"', "&limit=2"))
    token = first.json()["next_page"]
    second = await shop.call(MANAGER, target("charges.search", 'status:"succeeded"', f"&limit=2&page={token}"))

    assert [each["id"] for each in (*first.json()["data"], *second.json()["data"])] == [
        "ch_OWN",
        "ch_OTHER",
        "ch_FOREIGN",
    ]
    assert (first.json()["object"], first.json()["has_more"]) == ("search_result", True)
    assert (second.json()["has_more"], second.json()["next_page"]) == (False, None)
    assert first.header("X-Stripe-Consistency") == "eventual"


async def test_a_search_finds_late(shop: RunningApp) -> None:
    """What was just created is not found yet, which the answer's header tells, while a list has it."""
    shop.stripe.add("customer", id="cus_NEW", email="new@example.com")

    found = await shop.call(MANAGER, target("customers.search", 'email:"new@example.com"'))
    listed = await shop.call(MANAGER, "/stripe/customers?limit=1&email=new@example.com")

    assert found.json()["data"] == []
    assert [each["id"] for each in listed.json()["data"]] == ["cus_NEW"]


@every_search
async def test_who_sees_less_does_not_search(open_shop: OpenShop, name: str) -> None:
    """R6: partial access, a field list, and every field without the customers, are refused before Stripe is asked."""
    app = await open_shop({name: 'collection = "shop"'})
    own = someone(app, "own", customers={"read": partial("id", "stripe_customer_id")}, shop={"read": full()})
    nameless = someone(app, "nameless", customers={"read": full("name")}, shop={"read": full()})
    listed = someone(app, "listed", customers={"read": full()}, shop={"read": full("id", "name")})

    answers = [await CASES[name].call(app, user) for user in (own, nameless, listed)]

    assert [(each.status, each.extensions["reason"]) for each in answers] == [(401, "unseen")] * 3
    assert "a search takes every field" in answers[0].message
    assert app.stripe.asked == []


@every_search
async def test_the_usual_callers(shop: RunningApp, name: str) -> None:
    """On the customers collection whole access with all fields searches; a clerk and a tenant do not."""
    answers = [await CASES[name].call(shop, user) for user in (MANAGER, CLERK, TENANT)]

    assert [(each.status, each.extensions.get("reason")) for each in answers[1:]] == [
        (401, "unseen"),
        (401, "partial_access"),
    ]
    assert answers[0].status == 200
    assert len(shop.stripe.asked) == 1


async def test_fields_that_a_rule_adds_are_not_enough(shop: RunningApp) -> None:
    """Every field in some items, beside a few in all, does not let a caller search."""
    user = User(
        "user-mixed",
        "MARKED-mixed",
        grants(read={"access": "partial", "fields": ["*"]}),
        everywhere=("id", "stripe_customer_id", "name"),
    )
    shop.directus.add_users([user])
    shop.tokens.add(user.token)

    answer = await CASES["customers.search"].call(shop, user)

    assert answer.status == 401
    assert shop.stripe.asked == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "query=",
        "query=%20",
        f"query={'x' * 2001}",
        "query=a%0Ab",
        "query=a&query=b",
        "query=a&limit=0",
        "query=a&limit=101",
        "query=a&starting_after=cus_OWN",
        "query=a&created[gte]=1",
        "query=a&expand[]=data.customer",
        "query=a&page=",
    ],
)
async def test_odd_searches(shop: RunningApp, query: str) -> None:
    """V4: a missing, empty, repeated, long or unknown parameter is 400, and no upstream is asked."""
    answers = {name: await shop.call(MANAGER, f"/stripe{ROWS[name].path}?{query}") for name in SEARCHES}

    assert dict.fromkeys(SEARCHES, (400, "INVALID_QUERY")) == {name: (a.status, a.code) for name, a in answers.items()}
    assert shop.directus.requests == shop.stripe.asked == []


async def test_a_query_that_stripe_does_not_read(shop: RunningApp) -> None:
    """Stripe judges its language: what it refuses is a 400 of the caller's."""
    answer = await shop.call(MANAGER, target("customers.search", "email="))

    assert answer.status == 400
    assert [request.query["query"] for request in shop.stripe.asked] == ["email="]


async def test_a_search_that_is_off(open_shop: OpenShop) -> None:
    """Where the search is off its path is no object's either."""
    shop = await open_shop({"customers.search": "enabled = false"})

    answer = await shop.call(MANAGER, "/stripe/customers/search")

    assert (answer.status, shop.stripe.asked) == (404, [])


async def test_secrets_are_not_found(shop: RunningApp) -> None:
    """O4, R6: what is found has no client secret without the operator's consent."""
    answer = await CASES["payment_intents.search"].call(shop, MANAGER)

    assert answer.json()["data"] != []
    assert CLIENT_SECRET not in answer.body.decode()
