"""The sidecar's assumptions about Directus: a new version of Directus may break each of them.

No code of the sidecar runs here. After a failure with a new version, look for the code that the test's
docstring names.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from deploy.demo.admin import SESSION_COOKIE, Person, Rule, login, logout
from deploy.demo.stack import Stack
from sidecar.core.access.credentials import expires_at
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, OWN, Portal

COLLECTION = "customers"
NONE = {"access": "none"}
READ = Rule(COLLECTION, "read")
READ_OWN = Rule(COLLECTION, "read", item=OWN)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of Directus; `data` is None for an error."""

    status: int
    code: str | None
    data: Any


@dataclass(frozen=True, slots=True)
class Directus:
    stack: Stack

    async def tell(
        self,
        method: str,
        path: str,
        token: str | None = None,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        async with (
            aiohttp.ClientSession(self.stack.directus.url, headers=headers) as session,
            session.request(method, path, json=body) as answer,
        ):
            found = json.loads(await answer.read() or b"{}")
        code = found["errors"][0]["extensions"]["code"] if "errors" in found else None
        return Told(answer.status, code, found.get("data"))

    async def me(self, token: str | None = None, **headers: str) -> Told:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.tell("GET", "/permissions/me", token, headers=named)

    async def granted(self, person: Person, action: str = "read") -> Any:  # noqa: ANN401 - any JSON value
        return (await self.me(person.token)).data[COLLECTION][action]


@pytest.fixture
def directus(stack: Stack) -> Directus:
    return Directus(stack)


@pytest.fixture
async def item(directus: Directus) -> AsyncIterator[int]:
    """An item without an owner and without a customer."""
    admin = directus.stack.admin
    row = await admin.request("POST", f"/items/{COLLECTION}", {"name": "Edith"})
    yield row["id"]
    await admin.request("DELETE", f"/items/{COLLECTION}/{row['id']}")


async def test_version(directus: Directus) -> None:
    """The statements below were observed in Directus 11."""
    information = await directus.stack.admin.request("GET", "/server/info")

    assert information["version"].startswith("11.")


# What GET /permissions/me says: core/permissions


async def test_administrators_permissions(directus: Directus) -> None:
    """An administrator may do everything with every collection, system collections included."""
    told = await directus.me(directus.stack.people["administrator"].token)

    assert {COLLECTION, "directus_users", "directus_permissions"} <= set(told.data)
    assert told.data[COLLECTION] == {
        action: {"access": "full", "fields": ["*"]} for action in ("create", "read", "update", "delete", "share")
    }


async def test_permissions_of_others(directus: Directus, newcomer: Newcomer) -> None:
    """Only collections with a grant are named; an action without a grant has no `fields` there."""
    reader = await newcomer(Rule(COLLECTION, "read", ("name", ID)))

    told = await directus.me(reader.token)

    rest = dict.fromkeys(("create", "update", "delete", "share"), NONE)
    assert told.data == {COLLECTION: {"read": {"access": "full", "fields": ["name", ID]}, **rest}}


async def test_permissions_without_a_grant(directus: Directus, newcomer: Newcomer) -> None:
    """A user without a grant gets no collection, with 200."""
    assert await directus.me((await newcomer()).token) == Told(200, None, {})


@pytest.mark.parametrize(
    ("fields", "told"), [(None, {"access": "full"}), ((), {"access": "full", "fields": []})], ids=["null", "empty"]
)
async def test_no_fields(
    directus: Directus, newcomer: Newcomer, fields: tuple[()] | None, told: dict[str, object]
) -> None:
    """A grant with null as its fields has no `fields`; it grants no field, and the items API then gives bare keys."""
    person = await newcomer(Rule(COLLECTION, "read", fields))
    items = await directus.tell("GET", f"/items/{COLLECTION}?fields={ID}", person.token)

    assert await directus.granted(person) == told
    assert {type(row) for row in items.data} == {int}


async def test_partial(directus: Directus, newcomer: Newcomer) -> None:
    """A grant with an item rule is partial, also beside one without; fields of several policies are united."""
    one = await newcomer(Rule(COLLECTION, "read", (ID,), OWN))
    two = await newcomer(Rule(COLLECTION, "read", (ID,), OWN), also=[[Rule(COLLECTION, "read", ("name",))]])

    assert await directus.granted(one) == {"access": "partial", "fields": [ID]}
    found = await directus.granted(two)
    assert (found["access"], set(found["fields"])) == ("partial", {ID, "name"})


async def test_fields_of_policies_with_and_without(directus: Directus, newcomer: Newcomer) -> None:
    """A policy that grants no field takes nothing away from another's."""
    person = await newcomer(Rule(COLLECTION, "read", None), also=[[Rule(COLLECTION, "read", (ID,))]])

    assert await directus.granted(person) == {"access": "full", "fields": [ID]}


async def test_validation_is_not_shown(directus: Directus, newcomer: Newcomer) -> None:
    """A grant to create with a validation is full; the items API refuses the values, so core/creation asks it first."""
    person = await newcomer()
    [access] = await directus.stack.admin.request("GET", f"/access?filter[role][_eq]={person.role}")
    rule = {"policy": access["policy"], "collection": COLLECTION, "action": "create", "fields": ["*"]}
    await directus.stack.admin.request("POST", "/permissions", {**rule, "validation": {"name": {"_eq": "Ada"}}})

    refused = await directus.tell("POST", f"/items/{COLLECTION}", person.token, body={"name": "Eve"})

    assert await directus.granted(person, "create") == {"access": "full", "fields": ["*"]}
    assert (refused.status, refused.code) == (400, "FAILED_VALIDATION")


async def test_address(directus: Directus, newcomer: Newcomer) -> None:
    """A policy with `ip_access` applies to the leftmost address in X-Forwarded-For: clients/directus."""
    person = await newcomer(READ, ip_access=["10.9.0.0/16"])
    told = {
        forwarded: (await directus.me(person.token, X_Forwarded_For=forwarded)).data
        for forwarded in ("10.9.8.7", "10.8.8.7", "10.9.8.7, 10.8.8.7", "10.8.8.7, 10.9.8.7")
    }

    assert (await directus.me(person.token)).data == {}
    assert [bool(data) for data in told.values()] == [True, False, True, False]


# How a credential is read and refused: core/credentials, clients/directus


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_scheme(directus: Directus, newcomer: Newcomer, scheme: str) -> None:
    """The scheme of the Authorization header may be in any case."""
    person = await newcomer(READ)

    assert (await directus.me(Authorization=f"{scheme} {person.token}")).status == 200


async def test_places(directus: Directus, newcomer: Newcomer) -> None:
    """A token of either kind may be in the query or in the session cookie; header and query beat the cookie."""
    person = await newcomer(READ)
    cookie, wrong = f"{SESSION_COOKIE}={person.token}", f"{SESSION_COOKIE}=nobodys"
    query = f"/permissions/me?access_token={person.token}"

    told = [
        await directus.tell("GET", query),
        await directus.me(Cookie=cookie),
        await directus.me(person.token, Cookie=wrong),
        await directus.tell("GET", query, headers={"Cookie": wrong}),
        await directus.me(Cookie=wrong),
    ]

    assert [each.status for each in told] == [200, 200, 200, 200, 401]


@pytest.mark.parametrize("value", ["Bearer", "Bearer  {}", "Bearer {} x", "Basic {}", "{}"])
async def test_no_credential(directus: Directus, newcomer: Newcomer, value: str) -> None:
    """A header that is not the scheme Bearer and one token is no credential, and the answer is 403 FORBIDDEN."""
    told = await directus.me(Authorization=value.format((await newcomer(READ)).token))

    assert (told.status, told.code) == (403, "FORBIDDEN")


async def test_header_and_query(directus: Directus, newcomer: Newcomer) -> None:
    """Header and query together are 400 INVALID_PAYLOAD."""
    token = (await newcomer(READ)).token

    told = await directus.tell("GET", f"/permissions/me?access_token={token}", token)

    assert (told.status, told.code) == (400, "INVALID_PAYLOAD")


async def test_refusals(directus: Directus, newcomer: Newcomer) -> None:
    """Refusals differ in code more than in status: a corrupted JWT is a 403."""
    person, suspended = await newcomer(READ), await newcomer(READ)
    good, ended = await login(directus.stack.directus.url, person, "json"), await session_of(directus, person)
    left = await session_of(directus, suspended)
    await logout(directus.stack.directus.url, ended)
    await directus.stack.admin.suspend(suspended)
    tokens = {
        "nobodys": "nobodys",
        "corrupted": f"{good[:-8]}AAAAAAAA",
        "logged out": ended,
        "suspended, static": suspended.token,
        "suspended, session": left,
    }

    told = {name: await directus.me(token) for name, token in tokens.items()}

    assert {name: (each.status, each.code) for name, each in told.items()} == {
        "nobodys": (401, "INVALID_CREDENTIALS"),
        "corrupted": (403, "INVALID_TOKEN"),
        "logged out": (401, "INVALID_CREDENTIALS"),
        "suspended, static": (401, "INVALID_CREDENTIALS"),
        "suspended, session": (401, "INVALID_CREDENTIALS"),
    }


async def session_of(directus: Directus, person: Person) -> str:
    return await login(directus.stack.directus.url, person)


async def test_json_token_outlives_a_suspension(directus: Directus, newcomer: Newcomer) -> None:
    """A token without a session outlives its user's suspension until it expires: hence `exp` in clients/cache."""
    person = await newcomer(READ)
    token = await login(directus.stack.directus.url, person, "json")
    await directus.stack.admin.suspend(person)

    assert (await directus.me(token)).status == 200


async def test_claims(directus: Directus, newcomer: Newcomer) -> None:
    """Tokens that Directus issues are JWTs with an `exp`; a static token is no JWT."""
    person = await newcomer(READ)
    issued = [await session_of(directus, person), await login(directus.stack.directus.url, person, "json")]

    assert None not in [expires_at(token) for token in issued]
    assert expires_at(person.token) is None


# What the items API tells of rows: clients/rows


@pytest.mark.parametrize("rules", [(), (READ_OWN,)], ids=["no permission", "a rule on customers"])
async def test_own_id(directus: Directus, newcomer: Newcomer, rules: tuple[Rule, ...]) -> None:
    """The user of a static token is told its ID, even without a permission on users (clients.directus.client)."""
    person = await newcomer(*rules)

    told = await directus.tell("GET", "/users/me?fields=id", person.token)

    assert (told.status, told.data) == (200, {"id": person.id})


async def test_filter_by_id(portal: Portal, directus: Directus, newcomer: Newcomer) -> None:
    """A readable row is found by its ID; a foreign one and an unknown one both give an empty list."""
    person = await newcomer(portal.names.rule("read", ("id", ID), OWN))
    mine, foreign = await portal.customer(owner=person.id), await portal.customer()

    told = [
        await directus.tell("GET", f"{portal.path}?fields={ID}&limit=1&filter[{ID}][_eq]={one}", person.token)
        for one in (mine, foreign, "cus_None")
    ]

    assert [each.data for each in told] == [[{ID: mine}], [], []]


async def test_field_that_may_not_be_read(portal: Portal, directus: Directus, newcomer: Newcomer) -> None:
    """To ask for a field without a grant, or to filter or sort by it, is 403 FORBIDDEN."""
    person = await newcomer(portal.names.rule("read", ("id", "name")))

    told = [
        await directus.tell("GET", f"{portal.path}?{query}", person.token)
        for query in (f"fields={ID}", f"fields=id&filter[{ID}][_nnull]=true", f"fields=id&sort={ID}")
    ]

    assert {(each.status, each.code) for each in told} == {(403, "FORBIDDEN")}


async def test_fields_of_each_row(portal: Portal, directus: Directus, newcomer: Newcomer) -> None:
    """A row has the values of fields whose policies cover the row, and null for other fields.

    Whether a row is found by a field that it shows as null depends on the other fields asked for, so the sidecar
    compares the value.
    """
    person = await newcomer(
        portal.names.rule("read", ("id", ID), OWN), also=[[portal.names.rule("read", ("id", "name"))]]
    )
    mine, foreign = await portal.customer(owner=person.id, name="Ada"), await portal.customer(name="Grace")

    rows = (await directus.tell("GET", f"{portal.path}?fields={ID},name&sort=id", person.token)).data
    named = [
        (await directus.tell("GET", f"{portal.path}?{fields}&filter[{ID}][_eq]={foreign}", person.token)).data
        for fields in (f"fields={ID}", f"fields={ID},name")
    ]

    assert rows == [{ID: mine, "name": "Ada"}, {ID: None, "name": "Grace"}]
    assert named == [[], [{ID: None, "name": "Grace"}]]


async def test_pages(portal: Portal, directus: Directus, newcomer: Newcomer) -> None:
    """`limit` and `page` with a sort give every row once, then an empty page."""
    person = await newcomer(portal.names.rule("read", (ID,), OWN))
    customers = sorted([await portal.customer(owner=person.id) for _ in range(3)])

    pages = [
        (await directus.tell("GET", f"{portal.path}?fields={ID}&sort={ID}&limit=2&page={page}", person.token)).data
        for page in (1, 2, 3)
    ]

    assert [[row[ID] for row in rows] for rows in pages] == [customers[:2], customers[2:], []]


async def test_system_collections(directus: Directus, newcomer: Newcomer) -> None:
    """`directus_users` has a path of its own: clients/directus, collection_path."""
    person = await newcomer(Rule("directus_users", "read", ("id",)))

    own = await directus.tell("GET", f"/users?fields=id&filter[id][_eq]={person.id}", person.token)
    other = await directus.tell("GET", "/items/directus_users", person.token)

    assert own.data == [{"id": person.id}]
    assert (other.status, other.code) == (403, "FORBIDDEN")


async def test_unknown_collection(directus: Directus, newcomer: Newcomer) -> None:
    """A collection that does not exist is refused like one that may not be read."""
    told = await directus.tell("GET", "/items/nowhere", (await newcomer(READ)).token)

    assert (told.status, told.code) == (403, "FORBIDDEN")


# What the items API does with items: clients/items


async def test_item_permissions(portal: Portal, directus: Directus, newcomer: Newcomer) -> None:
    """The item's own permissions say whether it may be updated, deleted and shared; an unknown item may not."""
    person = await newcomer(portal.names.rule("read"), portal.names.rule("update", ("name",), OWN))
    mine, foreign = await portal.item(owner=person.id), await portal.item()

    told = [
        (await directus.tell("GET", f"/permissions/me/{portal.names.customers}/{key}", person.token)).data
        for key in (mine, foreign, 987_654)
    ]

    assert [set(each) for each in told] == [{"update", "delete", "share"}] * 3
    assert [each["update"]["access"] for each in told] == [True, False, False]


async def test_item_of_another(portal: Portal, directus: Directus, newcomer: Newcomer) -> None:
    """An item that may not be read and an unknown one are the same 403."""
    person = await newcomer(portal.names.rule("read", ("id", ID), OWN))
    foreign = await portal.item()

    told = [await directus.tell("GET", f"{portal.path}/{key}", person.token) for key in (foreign, 987_654)]

    assert told == [Told(403, "FORBIDDEN", None)] * 2


async def test_other_names_of_an_item(directus: Directus, item: int) -> None:
    """A key has several spellings, and `/users/me` is the caller: the sidecar compares the item's own key."""
    clerk = directus.stack.people["clerk"]

    told = await directus.tell("GET", f"/items/{COLLECTION}/0{item}", clerk.token)
    me = await directus.tell("GET", "/users/me?fields=id", clerk.token)

    assert told.data["id"] == item
    assert me.data["id"] == clerk.id


def claim(item: int, customer: str) -> dict[str, object]:
    empty = {"_and": [{"id": {"_eq": item}}, {ID: {"_null": True}}]}
    return {"query": {"filter": empty, "fields": ["id"]}, "data": {ID: customer}}


async def test_compare_and_set(directus: Directus, item: int) -> None:
    """A PATCH with a filter answers with the items that it changed, and with an empty list if there were none."""
    clerk = directus.stack.people["clerk"].token

    told = [
        await directus.tell("PATCH", f"/items/{COLLECTION}", clerk, body=claim(item, customer))
        for customer in ("cus_First", "cus_Second")
    ]

    assert [each.status for each in told] == [200, 200]
    assert [[row["id"] for row in each.data] for each in told] == [[item], []]
    assert (await directus.tell("GET", f"/items/{COLLECTION}/{item}", clerk)).data[ID] == "cus_First"


async def test_unique(directus: Directus, item: int) -> None:
    """An ID that is in another item already is 400 RECORD_NOT_UNIQUE."""
    taken = next(iter(directus.stack.customers.values()))

    told = await directus.tell(
        "PATCH", f"/items/{COLLECTION}", directus.stack.people["clerk"].token, body=claim(item, taken)
    )

    assert (told.status, told.code) == (400, "RECORD_NOT_UNIQUE")


async def test_change_that_is_not_allowed(directus: Directus, newcomer: Newcomer, item: int) -> None:
    """A PATCH of an item that may be read and not changed is 403, and not an empty list."""
    person = await newcomer(READ, Rule(COLLECTION, "update", (ID,), OWN))

    told = await directus.tell("PATCH", f"/items/{COLLECTION}", person.token, body=claim(item, "cus_First"))

    assert (told.status, told.code) == (403, "FORBIDDEN")


async def test_creator_who_may_not_read(portal: Portal, directus: Directus, newcomer: Newcomer) -> None:
    """A creator without read access gets a 204, and so no key of the new item."""
    person = await newcomer(portal.names.rule("create"))

    assert await directus.tell("POST", portal.path, person.token, body={"name": "Ada"}) == Told(204, None, None)


async def test_field_that_may_not_be_created(portal: Portal, directus: Directus, newcomer: Newcomer) -> None:
    """A value for a field that may not be created is 403."""
    person = await newcomer(portal.names.rule("create", ("name",)))

    told = await directus.tell("POST", portal.path, person.token, body={"name": "Ada", "email": "ada@example.com"})

    assert (told.status, told.code) == (403, "FORBIDDEN")


# What Directus announces: clients/feed


@asynccontextmanager
async def subscribed(directus: Directus, collection: str) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, Any]]:
    """Subscribe as an administrator; give the connection and the first answer."""
    token = directus.stack.people["administrator"].token
    async with (
        aiohttp.ClientSession(directus.stack.directus.url) as session,
        session.ws_connect("/websocket") as socket,
    ):
        await socket.send_json({"type": "auth", "access_token": token})
        assert (await told_of(socket, "auth"))["status"] == "ok"
        await socket.send_json({"type": "subscribe", "collection": collection, "uid": "one"})
        yield socket, await told_of(socket, "subscription", "subscribe")


async def told_of(socket: aiohttp.ClientWebSocketResponse, *kinds: str) -> Any:  # noqa: ANN401 - any JSON value
    """Give the next message of these kinds, without the pings in between."""
    while (message := await socket.receive_json(timeout=60))["type"] not in kinds:
        assert message["type"] == "ping"
    return message


@pytest.mark.parametrize("name", ["permissions", "policies", "access", "roles", "users"])
async def test_collections_of_permissions_can_be_followed(directus: Directus, name: str) -> None:
    """A client can subscribe to the collections that permissions depend on."""
    async with subscribed(directus, f"directus_{name}") as (_, told):
        assert (told["type"], told["event"]) == ("subscription", "init")


async def test_sessions_cannot_be_followed(directus: Directus) -> None:
    """A subscription to sessions is refused: a logout is not announced."""
    async with subscribed(directus, "directus_sessions") as (_, told):
        assert (told["status"], told["error"]["code"]) == ("error", "FORBIDDEN")


async def test_change_is_announced(directus: Directus, newcomer: Newcomer) -> None:
    """A new permission is announced without a question."""
    async with subscribed(directus, "directus_permissions") as (socket, _):
        await newcomer(READ)

        assert (await told_of(socket, "subscription"))["event"] == "create"


# What Directus tells of itself, and how its WebSocket knows a caller: clients/directus/server_info and change_feed


async def test_what_it_tells_of_itself(directus: Directus, newcomer: Newcomer) -> None:
    """Whoever has a token is told version, limits and WebSockets in /server/info; without one nobody is."""
    person = await newcomer()

    told, untold = await directus.tell("GET", "/server/info", person.token), await directus.tell("GET", "/server/info")

    assert told.data["version"].startswith("11.")
    assert told.data["websocket"]["rest"] == {"authentication": "handshake", "path": "/websocket"}
    assert (told.data["rateLimit"], told.data["rateLimitGlobal"]) == (False, False)
    assert {"version", "websocket", "rateLimit"}.isdisjoint(untold.data)


@pytest.mark.parametrize("token", ["{}", "nobodys"])
async def test_cookie_of_an_upgrade(directus: Directus, newcomer: Newcomer, token: str) -> None:
    """An upgrade may carry a static token in the session cookie, percent-encoded; a wrong one is refused with 401."""
    person = await newcomer()
    encoded = "".join(f"%{ord(character):02X}" for character in token.format(person.token))
    async with aiohttp.ClientSession(directus.stack.directus.url) as session:
        request = session.ws_connect("/websocket", headers={"Cookie": f"{SESSION_COOKIE}={encoded}"})
        if token == "nobodys":
            with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
                await request
            return
        async with request as socket:
            await socket.send_json({"type": "auth", "access_token": person.token})

            assert await socket.receive_json() == {"type": "auth", "status": "ok"}


async def test_what_tells_a_proxy(directus: Directus) -> None:
    """An answer of Directus itself has Node's Keep-Alive, and neither Server nor Via."""
    async with aiohttp.ClientSession(directus.stack.directus.url) as session, session.get("/server/ping") as answer:
        assert "Keep-Alive" in answer.headers
        assert {"Server", "Via"}.isdisjoint(answer.headers)
