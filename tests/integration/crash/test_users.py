"""The same for a project with Stripe's IDs on its users: `directus_users` has a path of its own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from tests.doubles.ledger import StripeLedger
from tests.doubles.proxy import proxy_for
from tests.integration.commands import place_on_users, token_of
from tests.integration.conftest import Newcomer
from tests.integration.crash.rig import Rig

_RIGHTS = (Rule("directus_users", "read"), Rule("directus_users", "create"), Rule("directus_users", "update"))


@pytest.fixture
async def users(stack: Stack, newcomer: Newcomer) -> AsyncIterator[Rig]:
    """A new field on the users, and a clerk who may do everything with users."""
    async with place_on_users(stack) as place:
        token = token_of(await place.provision())
        clerk = await newcomer(*_RIGHTS)
        async with StripeLedger.running() as stripe, proxy_for(stack.directus.url) as proxy:
            yield Rig(place, token, clerk, proxy, stripe)


async def linked(rig: Rig) -> dict[object, str]:
    return {user: customer for user, customer in (await rig.customers_by_item()).items() if customer is not None}


async def test_a_user_gets_one_customer(users: Rig, newcomer: Newcomer) -> None:
    """W2, W4: A user's customer is created once, and only read from then on."""
    person = await newcomer()
    async with users.sidecar() as server:
        answers = [await users.create(server, item=person.id) for _ in range(2)]

    assert [answer.status for answer in answers] == [201, 200]
    assert await linked(users) == {person.id: answers[0].customer}


async def test_a_user_is_created_with_its_customer(users: Rig) -> None:
    """Without `item` a user with that address is created first."""
    async with users.sidecar() as server:
        answer = await users.create(server, email="created@example.com")
    [user] = await linked(users)
    row = await users.place.stack.admin.request("GET", f"/users/{user}?fields=email")
    await users.place.stack.admin.request("DELETE", f"/users/{user}")

    assert (answer.status, row) == (201, {"email": "created@example.com"})


async def test_me_is_no_item(users: Rig, newcomer: Newcomer) -> None:
    """W2: `/users/me` is the caller; as an item it names no user."""
    people: list[Person] = [await newcomer(*_RIGHTS) for _ in range(2)]
    administrator = users.place.admin_token
    async with users.sidecar() as server:
        answers = [
            await users.create(server, item="me", by=by) for by in (administrator, *(one.token for one in people))
        ]

    assert [answer.status for answer in answers] == [400, 400, 400]
    assert users.stripe.alive == []


async def test_a_lost_id_of_a_user_is_found_again(users: Rig, newcomer: Newcomer) -> None:
    """W1: After a kill between Stripe's answer and the write `reconcile` fills the user's field."""
    person = await newcomer()
    entered = asyncio.Event()

    async def work() -> None:
        entered.set()

    users.stripe.work = work
    async with users.sidecar() as server:
        creation = asyncio.create_task(users.create(server, item=person.id))
        async with asyncio.timeout(60):
            await entered.wait()
        server.popen.kill()
        await creation
    users.stripe.delete(str(users.stripe.add_customer()["id"]))

    told = await users.reconcile()

    [customer] = users.named()
    assert (told.code, told.err) == (0, "")
    assert await linked(users) == {person.id: customer}
