"""The lists of the table: their filters and their three forms, for callers with full and with scoped access."""

import json

import pytest

from sidecar.core.operations.row import CustomerParameter, Kind, Scoping
from tests.doubles.running_app import RunningApp
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES, JSON, ROWS
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER, TENANT

LISTS = [name for name, row in ROWS.items() if row.kind is Kind.LIST]
FILTERED = [
    name
    for name in LISTS
    if ROWS[name].scoping is Scoping.FILTER and ROWS[name].customer is not CustomerParameter.NOT_TAKEN
]
TOLD = [name for name in FILTERED if ROWS[name].resource.customer_at]
DATED = [name for name in LISTS if ROWS[name].resource.dated]
NDJSON = ("Accept", "application/x-ndjson")


def ids(answer: Answer) -> list[str]:
    assert answer.whole
    found = answer.json()
    return [entry["id"] for entry in (found["data"] if isinstance(found, dict) else found)]


def needed(name: str) -> str:
    """Give the parameters that a list cannot do without, as the start of a query."""
    row = ROWS[name]
    customer = "customer=cus_OWN&" if row.customer is CustomerParameter.REQUIRED else ""
    return customer + "".join(f"{each.name}=HELLO&" for each in row.parameters if each.required)


def bare(name: str) -> str:
    return f"/stripe{ROWS[name].path.replace('{customer_id}', 'cus_OWN')}"


@pytest.mark.parametrize("name", TOLD)
async def test_all_of_ones_own(shop: RunningApp, name: str) -> None:
    """A scoped caller without a filter gets the objects of all its customers, and asks Stripe for no others."""
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OTHER", name="Bob", email="bob@example.com")
    prefix = ROWS[name].resource.prefixes[0]

    answer = await shop.call(TENANT, bare(name))

    assert [f"{prefix}_OWN", f"{prefix}_OTHER"] == ids(answer)
    assert {"cus_OWN", "cus_OTHER"} == {request.query["customer"] for request in shop.stripe.asked}


@pytest.mark.parametrize("name", FILTERED)
async def test_one_of_ones_own(shop: RunningApp, name: str) -> None:
    """A scoped caller with two customers may ask for one of them."""
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OTHER", name="Bob", email="bob@example.com")

    answer = await shop.call(TENANT, f"{bare(name)}?customer=cus_OTHER")

    assert [f"{ROWS[name].resource.prefixes[0]}_OTHER"] == ids(answer)
    assert {"cus_OTHER"} == {request.query["customer"] for request in shop.stripe.asked}


@pytest.mark.parametrize("name", FILTERED)
async def test_filters_of_a_scoped_caller(shop: RunningApp, name: str) -> None:
    """Other filters go to Stripe together with the caller's own customer, and Stripe says if there are more objects."""
    query = dict(part.split("=") for part in CASES[name].asked.partition("?")[2].split("&"))

    answer = await CASES[name].call(shop, TENANT)

    assert [f"{ROWS[name].resource.prefixes[0]}_OWN"] == ids(answer)
    assert query == shop.stripe.asked[-1].query


@pytest.mark.parametrize(
    "query", ["customer=cus_1&customer=cus_2", "customer=", "customer[]=cus_1", "limit=1&limit=2", "created=1"]
)
async def test_odd_filters(shop: RunningApp, query: str) -> None:
    """V4: a filter that is repeated, empty or misspelled is 400, and no upstream is asked."""
    answers = {name: await shop.call(MANAGER, f"{bare(name)}?{query}") for name in LISTS}

    assert dict.fromkeys(LISTS, (400, "INVALID_QUERY")) == {name: (a.status, a.code) for name, a in answers.items()}
    assert shop.directus.requests == []
    assert shop.stripe.asked == []


async def test_time(shop: RunningApp) -> None:
    """`created` filters if Stripe's list takes it, and is 400 if not, as for payment methods and quotes."""
    targets = {name: f"{bare(name)}?{needed(name)}limit=5&created[gte]=4000000000" for name in LISTS}

    answers = {name: await shop.call(MANAGER, target) for name, target in targets.items()}
    asked = [request.query["created[gte]"] for request in shop.stripe.asked]

    assert {name: 200 if name in DATED else 400 for name in LISTS} == {name: a.status for name, a in answers.items()}
    assert {name: [] for name in DATED} == {name: ids(answers[name]) for name in DATED}
    assert ["4000000000"] * len(DATED) == asked


async def test_payment_methods_need_a_customer(shop: RunningApp) -> None:
    """Stripe lists payment methods of one customer: a full caller must name it, a scoped caller gets its own."""
    unsaid, own = (
        await shop.call(MANAGER, bare("payment_methods.list")),
        await shop.call(TENANT, bare("payment_methods.list")),
    )

    assert (unsaid.status, unsaid.code, unsaid.message) == (400, "INVALID_QUERY", "customer: is required.")
    assert ids(own) == ["pm_OWN"]


@pytest.mark.parametrize(
    ("query", "status", "found"),
    [
        ("", 400, None),
        ("?limit=5", 400, None),
        ("?payment_intent=pi_OWN", 200, ["re_OWN"]),
        ("?charge=ch_OWN", 200, ["re_OWN"]),
        ("?charge=ch_OWN&payment_intent=pi_OWN&limit=1", 200, ["re_OWN"]),
        ("?payment_intent=pi_FOREIGN", 401, None),
        ("?charge=ch_FOREIGN", 401, None),
        ("?charge=ch_OWN&payment_intent=pi_FOREIGN", 401, None),
        ("?charge=ch_FOREIGN&payment_intent=pi_OWN", 401, None),
        ("?charge=ch_ABSENT", 401, None),
        ("?payment_intent=cus_OWN", 400, None),
        ("?customer=cus_OWN", 400, None),
    ],
)
async def test_refunds_of_a_scoped_caller(shop: RunningApp, query: str, status: int, found: list[str] | None) -> None:
    """Refunds name no customer, so a scoped caller must name a payment or charge, and one of its own."""
    answer = await shop.call(TENANT, f"/stripe/refunds{query}")

    assert status == answer.status
    assert found == (ids(answer) if status == 200 else None)
    listed = [request for request in shop.stripe.asked if request.path == "/v1/refunds"]
    assert bool(listed) is (status == 200)


@pytest.mark.parametrize("user", [MANAGER, TENANT], ids=["manager", "tenant"])
async def test_long_lists(shop: RunningApp, user: object) -> None:
    """A list of a new kind is whole, newest first and without duplicates, as an array, in lines and page by page."""
    new = [str(shop.stripe.add("charge", customer="cus_OWN")["id"]) for _ in range(250)]
    expected = [*reversed(new), "ch_OWN"]
    shop.stripe.add("charge", customer="cus_FOREIGN")
    who = MANAGER if user is MANAGER else TENANT
    target = "/stripe/charges?customer=cus_OWN"

    array = ids(await shop.call(who, target))
    *lines, last = (await shop.call(who, target, headers=[NDJSON])).body.splitlines()
    pages, more = list[str](), True
    while more:
        after = f"&starting_after={pages[-1]}" if pages else ""
        page = await shop.call(who, f"{target}&limit=100{after}")
        pages, more = pages + ids(page), page.json()["has_more"]

    assert expected == array
    assert expected == [json.loads(line)["id"] for line in lines]
    assert json.loads(last) == {"complete": True, "count": 251}
    assert expected == pages


@pytest.mark.parametrize("name", ["charges.list", "invoices.list", "subscriptions.list", "payment_methods.list"])
@pytest.mark.parametrize("cursor", ["starting_after", "ending_before"])
async def test_cursors_of_others(shop: RunningApp, name: str, cursor: str) -> None:
    """R3: a cursor that is a foreign object, or no object at all, is 400 in the same words."""
    prefix = ROWS[name].resource.prefixes[0]

    answers = [
        await shop.call(TENANT, f"{bare(name)}?limit=5&{cursor}={prefix}_{word}") for word in ("FOREIGN", "ABSENT")
    ]

    assert [(each.status, each.code) for each in answers] == [(400, "INVALID_QUERY")] * 2
    assert answers[0].body == answers[1].body


async def test_how_many_there_are_of_others(shop: RunningApp) -> None:
    """R3: objects of others affect neither `has_more` nor the number of pages."""
    for _ in range(20):
        shop.stripe.add("charge", customer="cus_FOREIGN")

    page = (await shop.call(TENANT, "/stripe/charges?limit=1")).json()

    assert ([each["id"] for each in page["data"]], page["has_more"]) == (["ch_OWN"], False)


async def test_a_list_takes_no_body(shop: RunningApp) -> None:
    """The body of a GET filters nothing."""
    body = json.dumps({"customer": "cus_FOREIGN"}).encode()

    for name in LISTS:
        target = f"/stripe{CASES[name].target}"
        with_it, without = [await shop.call(TENANT, target, headers=[JSON], body=sent) for sent in (body, None)]

        assert (without.status, without.body) == (with_it.status, with_it.body)


async def test_too_many_customers(open_shop: OpenShop) -> None:
    """A caller with more customers than the operator's bound is told so by every list of all its objects."""
    shop = await open_shop(SCOPE_MAX_CUSTOMERS="1")
    shop.directus.add_row(owner=TENANT.name, stripe_customer_id="cus_OTHER", name="Bob", email="bob@example.com")

    answers = [await shop.call(TENANT, bare(name)) for name in TOLD]

    assert [(422, "TOO_MANY_CUSTOMERS")] * len(TOLD) == [(each.status, each.code) for each in answers]
    assert shop.stripe.asked == []
