"""Who has whole access although Directus says "partial": what each permission gives on a real Directus.

A permission without an item rule gives its fields in every row, one with a rule gives its fields in its rows. Every
person here is partial for Directus, since one of its policies has a rule.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from deploy.demo.admin import Person, Rule, login
from tests.integration.asking import ask, verdict
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, OWN, Item, Portal
from tests.integration.reference import BASE

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


def without_item(portal: Portal) -> str:
    """Create a customer at Stripe that no item names, so that only whole access shows it; give its ID."""
    return str(portal.stripe.add_customer(name="Nobody's", email="nobody@example.com")["id"])


@asynccontextmanager
async def held_by(portal: Portal, rules: Sequence[Rule], user: str | None = None) -> AsyncIterator[None]:
    """Give a policy of these rules to a user, or with None to everybody without a role."""
    admin = portal.stack.admin
    policy = await admin.policy("held", rules)
    await admin.request("POST", "/access", {"policy": policy, "user": user, "role": None})
    try:
        yield
    finally:
        await admin.request("DELETE", f"/policies/{policy}")


async def rows(portal: Portal, count: int) -> None:
    """Create items of nobody with customers that Stripe does not know."""
    items = [{"name": f"n{number}", "email": "x@example.com", ID: f"cus_filler{number}"} for number in range(count)]
    await portal.stack.admin.request("POST", portal.path, items)


async def test_clerk_below_members(portal: Portal, newcomer: Newcomer, below: Below) -> None:
    """O2: Who may read, create and update every item has whole access, although its role inherits an own-row rule."""
    rule = portal.names.rule
    clerk = await newcomer(rule("read"), rule("create"), rule("update"))
    await below(clerk, [rule("read", SHOWN, OWN), rule("update", ("name",), OWN)])
    customers = [await portal.customer(), without_item(portal)]

    assert set(await portal.ids(clerk, "/customers")) == set(customers)
    assert len(await portal.ids(clerk, "/payments")) == 1
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
    other = without_item(portal)

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
    seen = await portal.customer()
    without_item(portal)

    async with portal.other(DIRECTUS_SERVICE_TOKEN="") as without:
        assert await without.ids(person, "/customers") == [seen]
        answer = await without.ask(clerk, "/payments")

    assert (answer.status, answer.extensions["reason"]) == (401, "id_field_writable")


async def test_rule_put_on_it(portal: Portal, newcomer: Newcomer) -> None:
    """O2: Whole access ends with the next question to Directus once a rule is put on its permission."""
    rule = portal.names.rule
    person = await newcomer(rule("read", SHOWN), also=[[rule("read", SHOWN, OWN)]])
    customer = without_item(portal)
    assert await portal.ids(person, "/customers") == [customer]

    policies = {"filter": {"role": {"_eq": person.role}}, "fields": ["policy"]}
    held = [row["policy"] for row in await portal.stack.admin.request("SEARCH", "/access", {"query": policies})]
    unruled = {"filter": {"policy": {"_in": held}, "permissions": {"_null": True}}}
    change = {"query": unruled, "data": {"permissions": OWN}}
    assert len(await portal.stack.admin.request("PATCH", "/permissions", change)) >= 1

    assert await portal.ids(person, "/customers") == []
    assert verdict(await portal.ask(person, f"/payments/{customer}")) == (401, "FORBIDDEN")


async def test_session_of_a_role_three_deep(portal: Portal, newcomer: Newcomer, below: Below) -> None:
    """O2: A session has whole access through its role's grandparent; its token names the role alone."""
    person = await newcomer(portal.names.rule("read", SHOWN, OWN))
    middle = await newcomer()
    await below(middle, [portal.names.rule("read")])
    await portal.stack.admin.request("PATCH", f"/roles/{person.role}", {"parent": middle.role})
    customer = without_item(portal)

    session = await login(portal.stack.directus.url, person)
    portal.tokens.add(session)
    answer = await ask(portal.url, "/stripe/customers", session)

    assert [entry["id"] for entry in answer.json()] == [customer]
    await portal.stack.admin.request("PATCH", f"/roles/{person.role}", {"parent": None})


@pytest.mark.parametrize("rule", [{}, []])
async def test_an_empty_rule(portal: Portal, newcomer: Newcomer, rule: Item) -> None:
    """O2: A rule without any condition is none, and the same policy may have another one for the same action."""
    read = portal.names.rule
    person = await newcomer(read("read", SHOWN, rule), read("read", ("name",), OWN))
    customer = without_item(portal)

    assert await portal.ids(person, "/customers") == [customer]


async def test_policy_of_the_user_itself(portal: Portal, newcomer: Newcomer) -> None:
    """O2: A policy that is given to one user counts for that user alone."""
    lucky, other = [await newcomer(portal.names.rule("read", SHOWN, OWN)) for _ in range(2)]
    customer = without_item(portal)
    async with held_by(portal, [portal.names.rule("read")], user=lucky.id):
        assert await portal.ids(lucky, "/customers") == [customer]
        assert await portal.ids(other, "/customers") == []
    assert await portal.ids(lucky, "/customers") == []


async def test_the_public_policy(portal: Portal, newcomer: Newcomer) -> None:
    """O2: The public policy counts for a session without a role, as in Directus, and for nobody with one."""
    person, without = [await newcomer(portal.names.rule("read", SHOWN, OWN)) for _ in range(2)]
    customer = without_item(portal)
    admin, own = portal.stack.admin, portal.names.rule("read", SHOWN, OWN)
    await admin.request("PATCH", f"/users/{without.id}", {"role": None})
    async with held_by(portal, [own], user=without.id), held_by(portal, [portal.names.rule("read", SHOWN)]):
        session = await login(portal.stack.directus.url, without)
        portal.tokens.add(session)

        assert [entry["id"] for entry in (await ask(portal.url, "/stripe/customers", session)).json()] == [customer]
        assert await portal.ids(person, "/customers") == []
        assert await portal.ids(without, "/customers") == []  # with its static token it may have a role that it hides


@pytest.mark.parametrize(
    ("network", "whole"),
    [
        ("127.0.0.0/8", True),
        ("192.0.2.0/24", False),
        ("::/0", True),
        ("::ffff:127.0.0.0/104", True),
        ("::1-ffff::", False),
    ],
)
async def test_policy_for_some_addresses(portal: Portal, newcomer: Newcomer, network: str, whole: bool) -> None:  # noqa: FBT001 - the expectation
    """O2: A policy with `ip_access` gives whole access at its addresses only."""
    rule = portal.names.rule
    person = await newcomer(rule("read", SHOWN), ip_access=[network], also=[[rule("read", SHOWN, OWN)]])
    mine, other = await portal.customer(owner=person.id), without_item(portal)

    assert set(await portal.ids(person, "/customers")) == ({mine, other} if whole else {mine})
    assert (await portal.ask(person, f"/payments/{other}")).status == (200 if whole else 401)


async def test_fields_of_another_collection(portal: Portal, newcomer: Newcomer, tmp_path: Path) -> None:
    """O2, R6: Where another collection decides, fields that a rule gives in some of its rows are shown nowhere."""
    orders = portal.names.organizations
    rules = tmp_path / "operations.toml"
    rules.write_text(f'[payments.list]\ncollection = "{orders}"\n')
    ruled = [Rule(orders, "read", ALL_FIELDS, {"manager": {"_eq": "$CURRENT_USER"}})]
    member = await newcomer(portal.names.rule("read", SHOWN, OWN), Rule(orders, "read", ("id",)), also=[ruled])
    await portal.customer(owner=member.id)

    async with portal.other(STRIPE_OPERATIONS=str(rules)) as shop:
        [payment] = (await shop.ask(member, "/payments")).json()

    assert payment.keys() == BASE["payment_intent"]
