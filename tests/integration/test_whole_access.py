"""Who has whole access although Directus says "partial": what each permission gives on a real Directus.

A permission without an item rule gives its fields in every row, one with a rule gives its fields in its rows. Every
person here is partial for Directus, since one of its policies has a rule.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import pytest

from deploy.demo.admin import Person, Rule
from tests.integration.asking import verdict
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, OWN, Portal

ALL_FIELDS = ("*",)
SHOWN = ("id", ID)
Below = Callable[[Person, Sequence[Rule]], Awaitable[None]]


@pytest.fixture
async def below(portal: Portal) -> AsyncIterator[Below]:
    """`await below(person, rules)` puts the person's role below a new one with a policy of these rules."""
    async with AsyncExitStack() as exits:

        async def put(person: Person, rules: Sequence[Rule]) -> None:
            admin = portal.stack.admin
            policy = await admin.policy("parent", rules)
            exits.push_async_callback(admin.request, "DELETE", f"/policies/{policy}")
            parent = (await admin.request("POST", "/roles", {"name": "parent"}))["id"]
            exits.push_async_callback(admin.request, "DELETE", f"/roles/{parent}")
            await admin.request("POST", "/access", {"role": parent, "policy": policy})
            await admin.request("PATCH", f"/roles/{person.role}", {"parent": parent})
            exits.push_async_callback(admin.request, "PATCH", f"/roles/{person.role}", {"parent": None})

        yield put


async def rows(portal: Portal, count: int) -> None:
    """Create items of nobody with customers that Stripe does not know."""
    items = [{"name": f"n{number}", "email": "x@example.com", ID: f"cus_filler{number}"} for number in range(count)]
    await portal.stack.admin.request("POST", portal.path, items)


async def test_clerk_below_members(portal: Portal, newcomer: Newcomer, below: Below) -> None:
    """O2: Who may read, create and update every item has whole access, although its role inherits an own-row rule."""
    rule = portal.names.rule
    clerk = await newcomer(rule("read"), rule("create"), rule("update"))
    await below(clerk, [rule("read", SHOWN, OWN), rule("update", ("name",), OWN)])
    customers = [await portal.customer() for _ in range(2)]

    assert set(await portal.ids(clerk, "/customers")) == set(customers)
    assert len(await portal.ids(clerk, "/payments")) == 2
    [payment] = (await portal.ask(clerk, f"/payments/{customers[0]}")).json()
    assert "metadata" in payment


async def test_clerk_with_many_rows(portal: Portal, newcomer: Newcomer, below: Below) -> None:
    """O2: The number of rows does not matter for whole access."""
    clerk = await newcomer(portal.names.rule("read"))
    await below(clerk, [portal.names.rule("read", SHOWN, OWN)])
    mine = await portal.customer()
    await rows(portal, 520)

    assert await portal.ids(clerk, "/customers") == [mine]
    assert len(await portal.ids(clerk, "/payments")) == 1


async def test_names_of_all_items(portal: Portal, newcomer: Newcomer) -> None:
    """O2: Who sees the ID field in its own rows, and the names of all, has its own customers, with their names."""
    rule = portal.names.rule
    person = await newcomer(rule("read", SHOWN, OWN), also=[[rule("read", ("name",))]])
    mine = [await portal.customer(owner=person.id, name=f"mine {number}") for number in range(2)]
    await portal.customer()
    await rows(portal, 400)

    listed = (await portal.ask(person, "/customers")).json()

    assert sorted(entry["id"] for entry in listed) == sorted(mine)
    assert sorted(entry["name"] for entry in listed) == ["mine 0", "mine 1"]
    assert "email" not in listed[0]


@pytest.mark.parametrize("query", ["", "?limit=10"])
async def test_more_in_own_rows(portal: Portal, newcomer: Newcomer, query: str) -> None:
    """O2: Whole access gives its permission's fields everywhere; a rule adds fields in its rows only."""
    rule = portal.names.rule
    person = await newcomer(rule("read", (*SHOWN, "name")), also=[[rule("read", ("email",), OWN)]])
    mine = await portal.customer(owner=person.id)
    other = await portal.customer()

    answered = (await portal.ask(person, f"/customers{query}")).json()
    listed = {entry["id"]: entry for entry in (answered["data"] if query else answered)}

    assert listed.keys() == {mine, other}
    assert all("name" in entry for entry in listed.values())
    assert {customer for customer, entry in listed.items() if "email" in entry} == {mine}


async def test_own_rows_alone(portal: Portal, newcomer: Newcomer) -> None:
    """R1: One policy with own rows gives own rows, with or without a service token."""
    person = await newcomer(portal.names.rule("read", SHOWN, OWN))
    mine = await portal.customer(owner=person.id)
    await portal.customer()

    assert await portal.ids(person, "/customers") == [mine]
    async with portal.other(DIRECTUS_SERVICE_TOKEN="") as without:
        assert await without.ids(person, "/customers") == [mine]


async def test_without_a_service_token(portal: Portal, newcomer: Newcomer) -> None:
    """O2: Without a service token nobody's access is wider than Directus's word "partial"."""
    rule = portal.names.rule
    person = await newcomer(rule("read", SHOWN), also=[[rule("read", SHOWN, OWN)]])
    clerk = await newcomer(rule("read"), rule("create"), also=[[rule("read", SHOWN, OWN)]])
    await portal.customer()

    async with portal.other(DIRECTUS_SERVICE_TOKEN="") as without:
        assert len(await without.ids(person, "/customers")) == 1
        answer = await without.ask(clerk, "/payments")

    assert (answer.status, answer.extensions["reason"]) == (401, "id_field_writable")


async def test_rule_put_on_it(portal: Portal, newcomer: Newcomer) -> None:
    """O2: Whole access ends with the next question to Directus once a rule is put on its permission."""
    rule = portal.names.rule
    person = await newcomer(rule("read", SHOWN), also=[[rule("read", SHOWN, OWN)]])
    customer = await portal.customer()
    assert await portal.ids(person, f"/payments/{customer}")

    policies = {"filter": {"role": {"_eq": person.role}}, "fields": ["policy"]}
    held = [row["policy"] for row in await portal.stack.admin.request("SEARCH", "/access", {"query": policies})]
    unruled = {"filter": {"policy": {"_in": held}, "permissions": {"_null": True}}}
    change = {"query": unruled, "data": {"permissions": OWN}}
    assert len(await portal.stack.admin.request("PATCH", "/permissions", change)) >= 1

    assert await portal.ids(person, "/customers") == []
    assert verdict(await portal.ask(person, f"/payments/{customer}")) == (401, "FORBIDDEN")
