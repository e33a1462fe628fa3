"""The Flow that `provision --flow` makes on a real Directus: a new item gets its customer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest

from deploy.demo.admin import DirectusAdmin
from deploy.demo.stack import Stack
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually
from tests.integration.asking import served
from tests.integration.commands import Ended, Place, place, place_on_users, token_of

_FIELD_MAP = {"STRIPE_FIELD_MAP": '{"mail": "email"}'}


@asynccontextmanager
async def cleared(made: Place) -> AsyncIterator[Place]:
    """Delete the Flow, its user and its policy afterwards."""
    try:
        yield made
    finally:
        admin, name = made.stack.admin, _name(made)
        for flow in await flows(made):
            await admin.request("DELETE", f"/flows/{flow['id']}")
        for policy in await admin.request("GET", f"/policies?filter[name][_eq]={quote(name)}&fields=id,users.user"):
            await admin.request("DELETE", f"/policies/{policy['id']}")
            for user in policy["users"]:
                await admin.request("DELETE", f"/users/{user['user']}")


@pytest.fixture
async def clients(stack: Stack) -> AsyncIterator[Place]:
    """A shop of its own, with UUID keys and another name for e-mail addresses."""
    async with place(stack, prefix="clients") as new, cleared(new):
        key = {"is_primary_key": True, "length": 36, "has_auto_increment": False}
        fields: list[dict[str, Any]] = [
            {"field": "id", "type": "uuid", "meta": {"special": ["uuid"]}, "schema": key},
            {"field": "mail", "type": "string", "schema": {}},
        ]
        body = {"collection": new.collection, "schema": {}, "meta": {}, "fields": fields}
        await stack.admin.request("POST", "/collections", body)
        yield new


def _name(made: Place) -> str:
    return f"Stripe customer for a new item ({made.collection})"


async def flows(made: Place) -> list[dict[str, Any]]:
    query = f"filter[name][_eq]={quote(_name(made))}&fields=*,operations.*"
    found: list[dict[str, Any]] = await made.stack.admin.request("GET", f"/flows?{query}")
    return found


async def flow_user(made: Place) -> dict[str, Any]:
    query = f"filter[last_name][_eq]={made.collection}&filter[first_name][_eq]={quote('Stripe Flow')}&fields=id"
    [user] = await made.stack.admin.request("GET", f"/users?{query}")
    assert isinstance(user, dict)
    return user


def token_in(flow: dict[str, Any]) -> str:
    [request] = [operation for operation in flow["operations"] if operation["type"] == "request"]
    return str(request["options"]["headers"][-1]["value"].removeprefix("Bearer "))


def settings_of(made: Place, stripe: StripeDouble, service_token: str) -> dict[str, str]:
    return {
        **made.settings,
        **_FIELD_MAP,
        "DIRECTUS_SERVICE_TOKEN": service_token,
        "DIRECTUS_PROJECT": "of-the-tests",
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_LIVE_SECRET_KEY": stripe.key,
        "STRIPE_WRITE_BACK": "true",
        "DIRECTUS_TIMEOUT": "20",
    }


async def test_a_new_item_gets_its_customer(clients: Place, stripe: StripeDouble) -> None:
    """After two runs of `provision --flow` a new item names its customer, with no token of the Flow's in any output."""
    token = token_of(await clients.provision(**_FIELD_MAP))
    async with served(settings_of(clients, stripe, token)) as url:
        made = await clients.provision("--flow", f"{url}/stripe", **_FIELD_MAP)
        again = await clients.provision("--flow", f"{url}/stripe", **_FIELD_MAP)
        admin = clients.stack.admin
        item = (await admin.request("POST", clients.items, {"mail": "o'brien+a@example.com"}))["id"]

        async def has_customer() -> bool:
            row = await admin.request("GET", f"{clients.items}/{item}?fields={clients.field}")
            return row[clients.field] is not None

        await eventually(has_customer)

    [flow], [customer] = await flows(clients), stripe.customers
    assert (made.code, again.code) == (0, 0)
    assert {word for word, _ in made.lines} == {"unchanged", "created", "note"}
    assert "IMPORT_IP_DENY_LIST" in made.texts("note")
    assert {word for word, _ in again.lines} == {"unchanged", "note"}
    assert customer["email"] == "o'brien+a@example.com"
    assert customer["metadata"] == clients.signed(item)
    assert token_in(flow) not in made.out + made.err + again.out + again.err


async def test_the_flow_of_users(stack: Stack, stripe: StripeDouble) -> None:
    """Where the users themselves are the items, a new user gets its customer."""
    async with place_on_users(stack) as users, cleared(users):
        token = token_of(await users.provision())
        settings = {**settings_of(users, stripe, token), "STRIPE_FIELD_MAP": ""}
        async with served(settings) as url:
            made = await users.provision("--flow", f"{url}/stripe")
            user = (await stack.admin.request("POST", "/users", {"email": "grace@example.com"}))["id"]

            async def has_customer() -> bool:
                row = await stack.admin.request("GET", f"/users/{user}?fields={users.field}")
                return row[users.field] is not None

            try:
                await eventually(has_customer)
            finally:
                await stack.admin.request("DELETE", f"/users/{user}")
    assert (made.code, [customer["email"] for customer in stripe.customers]) == (0, ["grace@example.com"])


async def test_a_run_keeps_no_token(clients: Place) -> None:
    """S1: Directus's own log of runs, which keeps each step with its headers, is off, and failures have a step."""
    await clients.provision("--flow", "http://sidecar:8080/stripe", **_FIELD_MAP)

    [flow] = await flows(clients)

    steps = {operation["key"]: operation for operation in flow["operations"]}
    assert flow["accountability"] == "activity"
    assert steps["create"]["reject"] == steps["failed"]["id"]
    assert steps["failed"]["type"] == "log"


async def test_the_flow_may_little(clients: Place) -> None:
    """The Flow's token may set the address, and read keys and IDs; it may not write an ID."""
    await clients.provision("--flow", "http://sidecar:8080/stripe", **_FIELD_MAP)
    [flow] = await flows(clients)

    me = await DirectusAdmin(clients.stack.directus.url, token_in(flow)).request("GET", "/permissions/me")

    assert {action: grant.get("fields") for action, grant in me[clients.collection].items()} == {
        "create": ["mail"],
        "read": ["id", clients.field],
        "update": ["mail"],
        "delete": None,
        "share": None,
    }
    assert list(me) == [clients.collection]


async def test_a_flow_that_is_mended(clients: Place) -> None:
    """Another address is put in, a token that is not its user's any more is replaced, and nothing else is touched."""
    await clients.provision("--flow", "http://sidecar:8080/stripe", **_FIELD_MAP)
    admin, [before] = clients.stack.admin, await flows(clients)
    await admin.request("PATCH", f"/users/{(await flow_user(clients))['id']}", {"token": None})
    await admin.request("PATCH", f"/flows/{before['id']}", {"icon": "bolt"})
    [asking] = [operation for operation in before["operations"] if operation["type"] == "request"]
    own = {"header": "X-Of-The-Proxy", "value": "1"}
    headers = {"options": {**asking["options"], "headers": [own, *asking["options"]["headers"]]}}
    await admin.request("PATCH", f"/operations/{asking['id']}", headers)

    mended = await clients.provision("--flow", "http://other:8080/stripe", **_FIELD_MAP)

    [after] = await flows(clients)
    [request] = [operation for operation in after["operations"] if operation["type"] == "request"]
    me = await DirectusAdmin(clients.stack.directus.url, token_in(after)).request("GET", "/users/me")
    assert "now calls the address that was given, has a token of its user again" in mended.texts("changed")
    assert (mended.code, request["options"]["url"]) == (0, "http://other:8080/stripe/customers")
    assert me == await flow_user(clients)
    assert (after["id"], after["icon"]) == (before["id"], "bolt")
    assert own in request["options"]["headers"]


@pytest.mark.parametrize("name", ["Stripe customer for a new item", "Stripe customer for a new item ({})"])
async def test_a_flow_by_hand_is_left(clients: Place, name: str) -> None:
    """A Flow of that name that somebody made is named and not touched, and no second one is made."""
    admin = clients.stack.admin
    body = {
        "name": name.format(clients.collection),
        "trigger": "event",
        "options": {"type": "action", "scope": ["items.create"], "collections": [clients.collection]},
    }
    by_hand = await admin.request("POST", "/flows", body)
    try:
        told = await clients.provision("--flow", "http://sidecar:8080/stripe", **_FIELD_MAP)

        assert (told.code, by_hand["id"] in told.texts("FAULT")) == (1, True)
        assert await admin.request("GET", f"/flows/{by_hand['id']}") == by_hand
        assert [flow["id"] for flow in await flows(clients)] in ([], [by_hand["id"]])
    finally:
        await admin.request("DELETE", f"/flows/{by_hand['id']}")


async def test_without_an_address_field(clients: Place) -> None:
    """Where no field is mapped to an e-mail address it says so, before anything is changed."""
    ended: Ended = await clients.provision("--flow", "http://sidecar:8080/stripe")

    assert (ended.code, ended.texts("created")) == (1, "")
    assert "has no field with a customer's e-mail address" in ended.texts("FAULT")


async def test_an_address_that_is_none(clients: Place) -> None:
    """An address without the sidecar's prefix is refused, as calls to it would be answered by nobody."""
    ended = await clients.provision("--flow", "http://sidecar:8080", **_FIELD_MAP)

    assert (ended.code, ended.out) == (2, "")
    assert "--flow: must be the sidecar's address as Directus sees it" in ended.err
