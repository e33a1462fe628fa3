"""Lists of items in a Directus with a low QUERY_LIMIT_MAX, and behind a proxy that lets no SEARCH through."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo import servers
from deploy.demo.admin import Person
from deploy.demo.processes import free_port
from deploy.demo.stack import Stack
from tests.doubles.stripe import StripeDouble
from tests.integration.commands import PROJECT, Ended, Place, place, run, token_of
from tests.integration.conftest import Newcomer
from tests.integration.nginx import without_search
from tests.integration.portal import ID, OWN, Portal

SHOWN = ("id", ID, "name")


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=[50, 1], ids=["max-50", "max-1"])
async def limited(stack: Stack, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A second Directus on the same database, with this QUERY_LIMIT_MAX and a lower default."""
    limits = {"QUERY_LIMIT_MAX": str(request.param), "QUERY_LIMIT_DEFAULT": "1"}
    # It hears of no change in the other process, so it must remember no schema.
    settings = {**limits, "CACHE_SCHEMA": "false", "PRESSURE_LIMITER_ENABLED": "false"}
    async with servers.directus(stack.state / "directus", port=free_port(), settings=settings) as server:
        yield server.url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def narrow(limited: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The same Directus behind a proxy that lets no SEARCH through."""
    async with without_search(tmp_path_factory.mktemp("narrow"), limited) as server:
        yield server.url


@pytest.fixture(params=["limited", "narrow"])
def directus(limited: str, narrow: str, request: pytest.FixtureRequest) -> str:
    return narrow if request.param == "narrow" else limited


async def add(portal: Portal, number: int, **values: object) -> list[str]:
    customers = [str(portal.stripe.add_customer(name="Ada")["id"]) for _ in range(number)]
    rows = [{ID: customer, "name": "Ada", **values} for customer in customers]
    await portal.stack.admin.request("POST", portal.path, rows)
    return customers


@pytest.fixture
async def member(portal: Portal, newcomer: Newcomer) -> Person:
    return await newcomer(portal.names.rule("read", SHOWN, OWN))


async def test_a_member(portal: Portal, member: Person, directus: str) -> None:
    """R1, R2: a member's list is whole with any QUERY_LIMIT_MAX and without SEARCH, and one customer is found."""
    mine = await add(portal, 60, owner=member.id)
    foreign = await portal.customer()

    async with portal.other(DIRECTUS_URL=directus) as other:
        assert await other.ids(member, "/customers") == mine[::-1]
        assert (await other.ask(member, f"/customers/{mine[-1]}")).json()["id"] == mine[-1]
        assert (await other.ask(member, f"/customers/{foreign}")).status == 401


async def test_two_policies(portal: Portal, newcomer: Newcomer, directus: str) -> None:
    """R1, R6: of 402 rows that show a name, the two with a visible ID give two customers, with their names."""
    person = await newcomer(portal.names.rule("read", ("id", ID), OWN), also=[[portal.names.rule("read", ("name",))]])
    mine: list[str] = []
    for number in (200, 200):
        await add(portal, number)
        mine += await add(portal, 1, owner=person.id)

    async with portal.other(DIRECTUS_URL=directus) as other:
        answer = await other.ask(person, "/customers")

    assert [(entry["id"], entry["name"]) for entry in answer.json()] == [(one, "Ada") for one in mine[::-1]]


async def test_two_policies_without_limit(portal: Portal, newcomer: Newcomer) -> None:
    """R1: without a limit such a caller costs three questions, and a member with a few rows one."""
    person = await newcomer(portal.names.rule("read", ("id", ID), OWN), also=[[portal.names.rule("read", ("name",))]])
    member = await newcomer(portal.names.rule("read", SHOWN, OWN))
    await add(portal, 400)
    mine, members = await add(portal, 2, owner=person.id), await add(portal, 2, owner=member.id)

    seen = []
    for one in (person, member):
        portal.forget_requests()
        seen.append((await portal.ids(one, "/customers"), len(portal.row_queries)))

    assert seen == [(mine[::-1], 3), (members[::-1], 1)]


async def seeded(stack: Stack, new: Place, stripe: StripeDouble) -> None:
    """Add 60 items with their customers, two whose ID was lost, and last one whose customer is deleted."""
    customers = [str(stripe.add_customer()["id"]) for _ in range(60)]
    linked = [{new.field: customer} for customer in customers]
    items = await stack.admin.request("POST", new.items, [{}, *linked, {}])
    for item in (items[0], items[-1]):
        stripe.add_customer(metadata=new.signed(item["id"]))
    deleted = str(stripe.add_customer(deleted=True)["id"])
    await stack.admin.request("POST", new.items, {new.field: deleted})


async def commanded(stack: Stack, directus: str, stripe: StripeDouble) -> tuple[Ended, Ended, Ended]:
    """Run `provision` once more, `check` and `reconcile` with that Directus."""
    async with place(stack, prefix="listed") as new:
        token = token_of(await new.provision())
        await seeded(stack, new, stripe)
        settings = {
            **new.settings,
            "DIRECTUS_URL": directus,
            "DIRECTUS_SERVICE_TOKEN": token,
            "STRIPE_API_BASE": stripe.url,
            "STRIPE_LIVE_SECRET_KEY": stripe.key,
            "STRIPE_WRITE_BACK": "true",
            "DIRECTUS_PROJECT": PROJECT,
            "TRUSTED_PROXIES": "127.0.0.1",
            "DIRECTUS_TIMEOUT": "20",
        }
        provisioned = await run("provision", "--yes", **settings, DIRECTUS_ADMIN_TOKEN=new.admin_token)
        return provisioned, await run("check", **settings), await run("reconcile", **settings)


async def test_commands(stack: Stack, stripe: StripeDouble, directus: str, request: pytest.FixtureRequest) -> None:
    """`provision` finds all it made before, `check` names what is special, and `reconcile` sees every item."""
    provisioned, checked, reconciled = await commanded(stack, directus, stripe)

    assert provisioned.code == 0, provisioned.err
    assert {word for word, _ in provisioned.lines} == {"unchanged"}
    assert checked.code == 0, checked.out
    assert "no policy" in checked.texts("ok")
    assert "QUERY_LIMIT_MAX" in checked.texts("note")
    assert ("no SEARCH" in checked.texts("note")) is ("narrow" in request.node.name)
    assert "2 filled, 1 to decide" in reconciled.out, reconciled
