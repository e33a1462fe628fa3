"""Rows and rules that change between requests. Rows are never cached; a permission is, for its lifetime."""

from collections.abc import AsyncIterator

import pytest

from deploy.demo.admin import Person
from tests.integration.asking import unmarked, verdict
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, ORGANIZATIONS, OWN, Portal

SHOWN = ("id", ID, "name")


@pytest.fixture
async def remembering(portal: Portal) -> AsyncIterator[Portal]:
    """The same portal with a sidecar that caches permissions for an hour."""
    async with portal.other(PERMISSIONS_CACHE_TTL="3600", PERMISSIONS_DENIED_TTL="3600") as other:
        yield other


@pytest.fixture
async def member(portal: Portal, newcomer: Newcomer) -> Person:
    return await newcomer(portal.names.rule("read", SHOWN, OWN))


async def change_rule(portal: Portal, person: Person, **values: object) -> None:
    """Change the one permission of a person on the portal's collection."""
    query = f"filter[collection][_eq]={portal.names.customers}&filter[policy][roles][role][_eq]={person.role}"
    [permission] = await portal.stack.admin.request("GET", f"/permissions?{query}")
    await portal.stack.admin.request("PATCH", f"/permissions/{permission['id']}", values)


async def test_row_taken_away(remembering: Portal, member: Person) -> None:
    """R1: the customer of a row with a new owner is gone at the next request, and is then like any foreign one."""
    customer = await remembering.customer(owner=member.id)
    before = await remembering.ids(member, "/customers")
    await remembering.change(customer, owner=None)

    assert before == [customer]
    assert await remembering.ids(member, "/customers") == []
    assert await remembering.ids(member, "/payments") == []
    taken, unknown = [await remembering.ask(member, f"/payments/{one}") for one in (customer, "cus_None")]
    assert unmarked(taken) == unmarked(unknown)


async def test_row_given(remembering: Portal, member: Person) -> None:
    """A refusal of one customer is not cached: a newly assigned row counts at the next request."""
    customer = await remembering.customer()
    before = await remembering.ask(member, f"/payments/{customer}")
    await remembering.change(customer, owner=member.id)

    assert verdict(before) == (401, "FORBIDDEN")
    assert len(await remembering.ids(member, f"/payments/{customer}")) == 1


async def test_id_of_a_row_changes(remembering: Portal, member: Person) -> None:
    """When a row's ID changes the new customer counts, and the old one does not."""
    old, new = await remembering.customer(owner=member.id), str(remembering.stripe.add_customer()["id"])
    await remembering.change(old, **{ID: new})

    assert await remembering.ids(member, "/customers") == [new]
    assert (await remembering.ask(member, f"/customers/{old}")).status == 401


async def test_rule_changes(remembering: Portal, member: Person) -> None:
    """A changed item rule counts at the next request, even if the permission is cached."""
    mine = await remembering.customer(owner=member.id)
    managed = await remembering.customer(organization=await remembering.organization(member))
    before = await remembering.ids(member, "/customers")
    await change_rule(remembering, member, permissions=ORGANIZATIONS)

    assert before == [mine]
    assert await remembering.ids(member, "/customers") == [managed]
    assert (await remembering.ask(member, f"/customers/{mine}")).status == 401


async def test_permission_taken_away(remembering: Portal, member: Person) -> None:
    """A partial caller whose permission is removed gets nothing at the next request: Directus refuses its rows."""
    customer = await remembering.customer(owner=member.id)
    before = await remembering.ids(member, "/customers")
    await change_rule(remembering, member, action="share")
    remembering.stripe.requests.clear()

    answers = [await remembering.ask(member, target) for target in ("/customers", f"/payments/{customer}")]

    assert before == [customer]
    assert {verdict(answer) for answer in answers} == {(403, "FORBIDDEN")}
    assert remembering.stripe.asked == []


async def test_rule_lifted_and_set(portal: Portal, member: Person) -> None:
    """Partial access that becomes full and partial again takes effect both times when the permission is read again."""
    mine, foreign = await portal.customer(owner=member.id), await portal.customer()
    seen = [await portal.ids(member, "/customers")]
    for rule in (None, OWN):
        await change_rule(portal, member, permissions=rule)
        seen.append(await portal.ids(member, "/customers"))

    assert seen == [[mine], [foreign, mine], [mine]]


async def test_fields_change(portal: Portal, member: Person) -> None:
    """A field that is added to or removed from the list appears or disappears when the permission is read again."""
    await portal.customer(owner=member.id, email="ada@example.com")
    seen = []
    for fields in ([ID], [ID, "email"], ["*"], ["name", "email"]):
        await change_rule(portal, member, fields=fields)
        seen.append(await portal.ask(member, "/customers"))

    assert [answer.status for answer in seen] == [200, 200, 200, 401]
    assert [answer.json()[0].get("email") for answer in seen[:3]] == [None, "ada@example.com", "ada@example.com"]
    assert seen[3].extensions["reason"] == "no_id_field"
