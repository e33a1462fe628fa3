"""Directus's item rules apply to Stripe: a caller with partial access sees its rows' customers, and no other."""

from pathlib import Path
from typing import Literal

import pytest

from deploy.demo.admin import Person, Rule
from sidecar.core.operations.row import Scoping
from tests.doubles.fresh import asked_for
from tests.doubles.samples import RETURN_URL
from tests.integration.asking import ask, unmarked, verdict
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, ORGANIZATIONS, OWN, Item, Portal
from tests.unit.web.table.cases import CASES
from tests.unit.web.table.people import furnish

SHOWN = ("id", ID, "name")
LISTS = ("/customers", "/payments")
OF_ONE = ("/customers/{}", "/payments/{}")


@pytest.fixture
def reads(portal: Portal) -> Rule:
    return portal.names.rule("read", SHOWN, OWN)


@pytest.fixture
async def member(newcomer: Newcomer, reads: Rule) -> Person:
    """A person who may read its own rows, and some fields of them."""
    return await newcomer(reads)


async def seen(portal: Portal, person: Person) -> tuple[list[object], list[object]]:
    """Give the IDs in a person's lists of customers and of payments."""
    return await portal.ids(person, "/customers"), await portal.ids(person, "/payments")


def expected(portal: Portal, *customers: str) -> tuple[list[object], list[object]]:
    """Give the same from Stripe's own objects: newest first."""
    listed: list[object] = [customer["id"] for customer in portal.stripe.customers if customer["id"] in customers]
    return listed, [payment["id"] for payment in portal.payments_of(*customers)]


async def test_own_rows(portal: Portal, member: Person) -> None:
    """R1: a member's lists contain its own customers and their payments, newest first, and so do its routes for one."""
    mine = [await portal.customer(owner=member.id, payments=2) for _ in range(2)]
    await portal.customer()

    assert await seen(portal, member) == expected(portal, *mine)
    for customer in mine:
        assert (await portal.ask(member, f"/customers/{customer}")).json()["id"] == customer
        assert await portal.ids(member, f"/payments/{customer}") == expected(portal, customer)[1]


@pytest.mark.parametrize("path", OF_ONE)
async def test_foreign_and_unknown(portal: Portal, member: Person, path: str) -> None:
    """R1: a foreign customer and one that does not exist get the same answer byte for byte, 0 Stripe."""
    await portal.customer(owner=member.id)
    foreign, unowned = await portal.customer(), str(portal.stripe.add_customer()["id"])
    portal.forget_requests()

    answers = [await portal.ask(member, path.format(customer)) for customer in (foreign, unowned, "cus_None")]

    assert verdict(answers[0]) == (401, "FORBIDDEN")
    assert unmarked(answers[0]) == unmarked(answers[1]) == unmarked(answers[2])
    assert portal.stripe.asked == []
    assert len(portal.asked_by(member)) == 2 * len(answers)


async def test_organizations_rows(portal: Portal, newcomer: Newcomer) -> None:
    """A rule over a relation applies: a manager sees the customers of its organization, and no other's."""
    manager = await newcomer(portal.names.rule("read", SHOWN, ORGANIZATIONS))
    mine, others = await portal.organization(manager), await portal.organization()
    customers = [await portal.customer(organization=mine) for _ in range(2)]
    foreign = await portal.customer(organization=others)

    assert await seen(portal, manager) == expected(portal, *customers)
    assert (await portal.ask(manager, f"/payments/{foreign}")).status == 401


async def test_two_rules(portal: Portal, newcomer: Newcomer, reads: Rule) -> None:
    """Rows that two policies show are united, and a row of both counts once."""
    person = await newcomer(reads, also=[[portal.names.rule("read", SHOWN, ORGANIZATIONS)]])
    organization = await portal.organization(person)
    customers = [
        await portal.customer(owner=person.id),
        await portal.customer(organization=organization),
        await portal.customer(owner=person.id, organization=organization),
    ]
    await portal.customer()

    assert await seen(portal, person) == expected(portal, *customers)


async def test_full_and_filtered(portal: Portal, newcomer: Newcomer, reads: Rule) -> None:
    """O2: a policy for all rows beside one for some gives every customer, also one that no row names."""
    person = await newcomer(reads, also=[[portal.names.rule("read", SHOWN)]])
    rowless = str(portal.stripe.add_customer()["id"])
    customers = [await portal.customer(owner=person.id), await portal.customer(), rowless]

    assert await seen(portal, person) == expected(portal, *customers)
    assert (await portal.ask(person, f"/customers/{rowless}")).json()["id"] == rowless


async def test_rows_shown_without_their_id(portal: Portal, newcomer: Newcomer, reads: Rule) -> None:
    """R1: a row that is visible without its ID does not count, in lists and by name."""
    person = await newcomer(reads, also=[[portal.names.rule("read", ("id", "name"))]])
    mine, foreign = await portal.customer(owner=person.id), await portal.customer()

    answers = [await portal.ask(person, f"/customers/{customer}") for customer in (foreign, "cus_None")]

    assert await seen(portal, person) == expected(portal, mine)
    assert unmarked(answers[0]) == unmarked(answers[1])
    assert answers[0].status == 401


@pytest.mark.parametrize("item", [None, OWN], ids=["all-rows", "own-rows"])
@pytest.mark.parametrize("fields", [None, ()], ids=["null", "empty"])
async def test_no_fields(portal: Portal, newcomer: Newcomer, fields: tuple[()] | None, item: Item | None) -> None:
    """A right to read no field is no right to read: every route refuses, though Directus counts the rows; 0 Stripe."""
    person = await newcomer(portal.names.rule("read", fields, item))
    customer = await portal.customer(owner=person.id)

    answers = [await portal.ask(person, target) for target in (*LISTS, *(path.format(customer) for path in OF_ONE))]

    assert {verdict(answer) for answer in answers} == {(401, "FORBIDDEN")}
    assert portal.stripe.asked == []


async def test_no_rows(portal: Portal, member: Person) -> None:
    """A member without rows has empty lists, and Stripe is not asked for them."""
    await portal.customer()

    assert await seen(portal, member) == ([], [])
    assert portal.stripe.asked == []


async def test_no_rows_in_any_operation(portal: Portal, newcomer: Newcomer, reads: Rule, tmp_path: Path) -> None:
    """F3: a member without rows is refused or gets an empty list by every operation, whatever it names; 0 Stripe."""
    changes = [portal.names.rule("update", ("name", "email"), OWN), portal.names.rule("create", ("name", "email"))]
    person = await newcomer(reads, *changes)
    furnish(portal.stripe)
    await portal.item(**{ID: "cus_FOREIGN"})
    await portal.item(owner=person.id)
    cases = [case for case in CASES.values() if case.row.scoping is not Scoping.REFUSED]
    file = tmp_path / "operations.toml"
    file.write_text("".join(f'[{case.name}]\ncollection = "{portal.names.customers}"\n' for case in cases))
    portal.forget_requests()

    answers = {}
    portal.tokens.add(person.token)
    async with portal.other(STRIPE_OPERATIONS=str(file), ALLOWED_RETURN_URLS=RETURN_URL) as everything:
        for case in (each.about("FOREIGN") for each in cases):
            body = case.json if case.row.method == "POST" else None
            answers[case.name] = await ask(
                everything.url, f"/stripe{case.target}", person.token, new=body, method=case.row.method
            )

    lists = {"customers.list", "payments.list"}
    # What names a customer is refused as a foreign one; otherwise it is the caller that has none.
    refused = {name: verdict(answer) for name, answer in answers.items() if name not in lists}
    assert set(refused.values()) == {(401, "FORBIDDEN"), (409, "NO_CUSTOMER_YET")}
    assert {refused[name] for name in refused if "customer" in CASES[name].row.path} == {(401, "FORBIDDEN")}
    assert [answers[name].json()["data"] for name in lists] == [[], []]
    assert portal.stripe.asked == []


async def test_odd_ids(portal: Portal, member: Person) -> None:
    """Rows with an empty or malformed ID, or the ID of a deleted or unknown customer, are left out of the lists."""
    good = await portal.customer(owner=member.id)
    deleted = str(portal.stripe.add_customer(deleted=True)["id"])
    for value in (None, "", "cus_", "cus_a/../b", "pi_1", " cus_x", "cus_x?expand=y", "cus_Unknown", deleted):
        await portal.item(owner=member.id, **{ID: value})
    portal.forget_requests()

    assert await seen(portal, member) == expected(portal, good)
    assert not [request for request in portal.stripe.asked if ".." in request.target or "expand" in request.target]


async def test_many_rows(portal: Portal, member: Person) -> None:
    """Rows on a second page of Directus's items are included."""
    customers = [str(portal.stripe.add_customer()["id"]) for _ in range(130)]
    rows = [{ID: customer, "owner": member.id} for customer in customers]
    await portal.stack.admin.request("POST", portal.path, rows)

    assert await portal.ids(member, "/customers") == customers[::-1]


async def test_cap(portal: Portal, member: Person) -> None:
    """Up to SCOPE_MAX_CUSTOMERS lists are answered; beyond that they are 422, 0 Stripe, and one customer works."""
    customers = [await portal.customer(owner=member.id) for _ in range(2)]
    async with portal.other(SCOPE_MAX_CUSTOMERS="2") as capped:
        within = await seen(capped, member)
        customers.append(await portal.customer(owner=member.id))
        portal.forget_requests()
        beyond = [await capped.ask(member, target) for target in LISTS]
        asked = list(portal.stripe.asked)
        one = await capped.ask(member, f"/customers/{customers[0]}")

    assert within == expected(portal, *customers[:2])
    assert {verdict(answer) for answer in beyond} == {(422, "TOO_MANY_CUSTOMERS")}
    assert asked == []
    assert one.status == 200


async def test_full_access_asks_no_rows(portal: Portal, newcomer: Newcomer) -> None:
    """A caller that may read all rows causes one request to Directus, for the permissions."""
    clerk = await newcomer(portal.names.rule("read"))
    customer = await portal.customer()
    portal.forget_requests()

    answers = [await portal.ask(clerk, target) for target in (*LISTS, *(path.format(customer) for path in OF_ONE))]

    assert {answer.status for answer in answers} == {200}
    assert [asked_for(request.target) for request in portal.directus.requests] == ["/permissions/me"] * len(answers)


async def test_requests_to_the_upstreams(portal: Portal, member: Person) -> None:
    """Rows are read with the member's own token, and Stripe is asked only for the member's customers."""
    mine = await portal.customer(owner=member.id)
    for _ in range(20):
        await portal.customer()
    portal.forget_requests()

    await seen(portal, member)
    await portal.ask(member, f"/payments/{mine}")

    assert len(portal.row_queries) == 3
    assert {tuple(request.values("Authorization")) for request in portal.row_queries} == {(f"Bearer {member.token}",)}
    assert {request.query.get("customer", request.path) for request in portal.stripe.asked} == {
        mine,
        f"/v1/customers/{mine}",
    }


@pytest.mark.parametrize(
    "query",
    [
        "customer={}",
        "id={}",
        "customer[]={}",
        "filter[stripe_customer_id][_eq]={}",
        "created[customer]={}",
        "metadata[customer]={}",
        "expand[]=data.customer",
        "expand=data.customer",
        "on_behalf_of=acct_1",
        "stripe_account=acct_1",
        "fields=*",
        "limit=1&limit=2",
    ],
)
async def test_parameters_name_nobody(portal: Portal, member: Person, query: str) -> None:
    """R2, R4: only a list's own parameters are accepted, and never one that names a customer; 0 Stripe."""
    mine, foreign = await portal.customer(owner=member.id), await portal.customer()
    portal.forget_requests()

    answers = [
        await portal.ask(member, f"{target}?{query.format(foreign)}")
        for target in (*LISTS, f"/payments/{mine}", f"/customers/{mine}")
    ]

    assert {verdict(answer) for answer in answers} == {(400, "INVALID_QUERY")}
    assert portal.stripe.asked == []


async def test_bodies_name_nobody(portal: Portal, newcomer: Newcomer) -> None:
    """R2: a body that names a customer, an account or metadata is refused by that name, 0 Stripe."""
    person = await newcomer(portal.names.rule("create"))
    foreign = await portal.customer()
    portal.forget_requests()

    for name in ("id", "customer", "metadata", "stripe_customer_id", "on_behalf_of", "expand", "source"):
        answer = await portal.create(person, **{name: foreign})
        assert verdict(answer) == (400, "INVALID_PAYLOAD")
        assert name in answer.message
    assert portal.stripe.asked == []


@pytest.mark.parametrize("cursor", ["starting_after", "ending_before"])
@pytest.mark.parametrize("of_one", [False, True], ids=["all-mine", "one-of-mine"])
async def test_foreign_cursors(*, portal: Portal, member: Person, cursor: str, of_one: bool) -> None:
    """R3: a foreign and an unknown cursor are the same 400; one of the member's own pages on."""
    mine, foreign = await portal.customer(owner=member.id, payments=3), await portal.customer()
    target = f"/payments/{mine}" if of_one else "/payments"
    own = [payment["id"] for payment in portal.payments_of(mine)]
    cursors = [portal.payments_of(foreign)[0]["id"], "pi_None"]

    answers = [await portal.ask(member, f"{target}?limit=1&{cursor}={one}") for one in cursors]
    page = (await portal.ask(member, f"{target}?limit=1&{cursor}={own[1]}")).json()

    assert verdict(answers[0]) == (400, "INVALID_QUERY")
    assert unmarked(answers[0]) == unmarked(answers[1])
    assert [entry["id"] for entry in page["data"]] == [own[2] if cursor == "starting_after" else own[0]]


async def test_pages_tell_nothing_of_others(portal: Portal, member: Person) -> None:
    """R3: `has_more` and the number of objects are those of the member's own list, whatever other objects exist."""
    mine = await portal.customer(owner=member.id, payments=2)
    await portal.customer(payments=5)

    page = (await portal.ask(member, "/payments?limit=2")).json()
    shorter = (await portal.ask(member, "/payments?limit=1")).json()

    assert ([entry["id"] for entry in page["data"]], page["has_more"]) == (expected(portal, mine)[1], False)
    assert (len(shorter["data"]), shorter["has_more"]) == (1, True)


@pytest.mark.parametrize("action", ["create", "update"])
@pytest.mark.parametrize("fields", [("*",), ("name", ID)], ids=["all-fields", "id-field"])
@pytest.mark.parametrize("item", [None, OWN], ids=["all-rows", "own-rows"])
async def test_writable_id(
    *,
    portal: Portal,
    newcomer: Newcomer,
    reads: Rule,
    action: Literal["create", "update"],
    fields: tuple[str, ...],
    item: Item | None,
) -> None:
    """R5: partial read with the right to write the ID is refused by every route, with the field's name, 0 Stripe."""
    person = await newcomer(reads, portal.names.rule(action, fields, item))
    mine = await portal.customer(owner=person.id)
    portal.forget_requests()

    answers = [await portal.ask(person, target) for target in (*LISTS, *(path.format(mine) for path in OF_ONE))]

    assert {(verdict(answer), answer.extensions["reason"]) for answer in answers} == {
        ((401, "FORBIDDEN"), "id_field_writable")
    }
    assert all(f'"{ID}"' in answer.message for answer in answers)
    assert portal.stripe.asked == []
    assert portal.row_queries == []


async def test_mended_policy(portal: Portal, newcomer: Newcomer, reads: Rule) -> None:
    """R5: the policy without the right to write the ID works, as the refusal said."""
    person = await newcomer(reads)
    [access] = await portal.stack.admin.request("GET", f"/access?filter[role][_eq]={person.role}")
    loophole = await portal.stack.admin.permission(access["policy"], portal.names.rule("update", ("*",), OWN))
    mine = await portal.customer(owner=person.id)
    before = await portal.ask(person, "/customers")
    await portal.stack.admin.request("PATCH", f"/permissions/{loophole}", {"fields": ["name", "email"]})

    assert before.extensions["reason"] == "id_field_writable"
    assert await seen(portal, person) == expected(portal, mine)


async def test_loophole_in_another_policy(portal: Portal, newcomer: Newcomer, reads: Rule) -> None:
    """R5: it does not matter which of a caller's policies grants writing."""
    person = await newcomer(reads, also=[[portal.names.rule("update", (ID,), ORGANIZATIONS)]])

    answer = await portal.ask(person, "/customers")

    assert answer.extensions["reason"] == "id_field_writable"
