"""`provision` on a real Directus: what it creates, that it creates it once, and how few rights the service gets."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.admin import SESSION_COOKIE, DirectusAdmin, DirectusError, Rule
from deploy.demo.processes import free_port
from deploy.demo.stack import Stack
from sidecar.clients.directus.change_feed import ChangeFeed
from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.items import DirectusItems
from sidecar.clients.http import open_session
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential, Source
from sidecar.metrics import Metrics
from tests.doubles.eavesdropper import eavesdropping
from tests.doubles.events import SECRET
from tests.doubles.waiting import eventually
from tests.integration.commands import Place, place, place_on_users, run, token_of
from tests.integration.conftest import Newcomer

_EVERYTHING = (
    "/schema/snapshot",
    "/policies?limit=-1",
    "/permissions?limit=-1",
    "/access?limit=-1",
    "/users?limit=-1&fields=id,first_name,description,status,token,role",
    "/activity?limit=-1&fields=id",
)
_READS = {
    "directus_access": ["id", "policy", "role", "user"],
    "directus_permissions": ["id", "collection", "action", "fields", "permissions", "policy"],
    "directus_policies": ["id", "name", "ip_access"],
    "directus_roles": ["id", "parent"],
    "directus_settings": ["project_id"],
}


@pytest.fixture
async def buyers(stack: Stack) -> AsyncIterator[Place]:
    """A collection that does not exist yet."""
    async with place(stack) as new:
        yield new


@pytest.fixture
async def users(stack: Stack) -> AsyncIterator[Place]:
    """A project with Stripe's IDs on its users, in a field that does not exist yet."""
    async with place_on_users(stack) as new:
        yield new


async def everything(stack: Stack) -> dict[str, Any]:
    return {path: await stack.admin.request("GET", path) for path in _EVERYTHING}


async def code_of(directus: DirectusAdmin, method: str, path: str, body: object = None) -> str:
    """Give Directus's code for a call that it must refuse."""
    with pytest.raises(DirectusError) as refused:
        await directus.request(method, path, body)
    return refused.value.code


def only(**actions: object) -> dict[str, object]:
    """Give one collection of `/permissions/me`, with empty grants except for the named actions."""
    return {name: actions.get(name, {"access": "none"}) for name in ("read", "create", "update", "delete", "share")}


async def item(buyers: Place, **values: object) -> int:
    row = await buyers.stack.admin.request("POST", buyers.items, values)
    assert isinstance(row["id"], int)
    return row["id"]


async def test_first_run(buyers: Place) -> None:
    """On an empty Directus it creates collection, policy, user, token and secret, and reports each."""
    ended = await buyers.provision()

    assert ended.code == 0
    assert [word for word, _ in ended.lines] == ["created"] * 5
    assert ended.out.count("SIDECAR_SECRET=") == 1
    assert ended.err == ""


async def test_second_run_changes_nothing(buyers: Place) -> None:
    """A second run reports "unchanged" throughout, gives no token, and Directus records no change."""
    await buyers.provision()
    before = await everything(buyers.stack)

    ended = await buyers.provision()

    assert ended.code == 0
    assert {word for word, _ in ended.lines} == {"unchanged"}
    assert "DIRECTUS_SERVICE_TOKEN=" not in ended.out
    assert "SIDECAR_SECRET=" not in ended.out
    assert before == await everything(buyers.stack)


async def test_the_field(buyers: Place) -> None:
    """The ID field is a unique and nullable string, read-only in the app, with an explanation."""
    await buyers.provision()

    field = await buyers.stack.admin.request("GET", f"/fields/{buyers.collection}/{buyers.field}")

    assert field["type"] == "string"
    assert (field["schema"]["is_unique"], field["schema"]["is_nullable"]) == (True, True)
    assert field["meta"]["readonly"] is True
    assert "Stripe" in field["meta"]["note"]


async def test_the_created_fields(buyers: Place) -> None:
    """A created collection has its primary key, and the fields of an item that comes with a customer."""
    await buyers.provision()

    row = await buyers.stack.admin.request("POST", buyers.items, {"name": "Ada", "email": "ada@example.com"})

    assert row == {"id": 1, "name": "Ada", "email": "ada@example.com", buyers.field: None}


async def test_the_token_claims_an_item_once(buyers: Place) -> None:
    """W4: With the service token the sidecar's own client fills an empty ID once, and not a second time."""
    token = token_of(await buyers.provision())
    new = await item(buyers, name="Ada")
    service = Credential(token, Source.SERVICE, None)
    async with open_session(total=5, connect=1, connections=1) as session:
        client = DirectusClient(session, buyers.stack.directus.url, address_header="X-Forwarded-For")
        items = DirectusItems(
            client, collection=CustomersCollection(buyers.collection, "id", buyers.field), claim_timeout=5
        )

        claims = [await items.claim(service, new, customer) for customer in ("cus_First", "cus_Second")]

        assert claims == [True, False]
        assert await items.customer_id(service, new) == "cus_First"


async def test_permissions_are_the_least(buyers: Place) -> None:
    """The token may read key and ID, update some items' ID, read who holds which policy and the project, no more."""
    service = await buyers.provisioned()

    assert await service.request("GET", "/permissions/me") == {
        buyers.collection: only(
            read={"access": "full", "fields": ["id", buyers.field]},
            update={"access": "partial", "fields": [buyers.field]},
        ),
        **{name: only(read={"access": "full", "fields": fields}) for name, fields in _READS.items()},
    }
    assert await service.request("GET", "/policies/me/globals") == {
        "admin_access": False,
        "app_access": False,
        "enforce_tfa": False,
    }


@pytest.mark.parametrize("value", ["cus_Other", None, ""])
async def test_a_filled_id_cannot_be_overwritten(buyers: Place, value: str | None) -> None:
    """W4: With the service token an ID can be neither changed nor cleared, by any way to address its item."""
    service = await buyers.provisioned()
    filled = await item(buyers, **{buyers.field: "cus_First"})
    change = {buyers.field: value}

    for path, body in (
        (f"{buyers.items}/{filled}", change),
        (buyers.items, {"keys": [filled], "data": change}),
        (buyers.items, {"query": {"filter": {buyers.field: {"_nnull": True}}}, "data": change}),
        (buyers.items, [{"id": filled, **change}]),
    ):
        with pytest.raises(DirectusError):
            await service.request("PATCH", path, body)

    row = await buyers.stack.admin.request("GET", f"{buyers.items}/{filled}")
    assert row[buyers.field] == "cus_First"


@pytest.mark.parametrize("value", ["evil", "cus_", "cus_a/../b", "cus_a\n"])
async def test_only_customer_ids_can_be_written(buyers: Place, value: str) -> None:
    """With the service token only strings in the form of a customer's ID can be written to an empty field."""
    service = await buyers.provisioned()
    empty = await item(buyers, name="Ada")

    assert await code_of(service, "PATCH", f"{buyers.items}/{empty}", {buyers.field: value}) == "FAILED_VALIDATION"


async def test_the_rest_is_refused(buyers: Place) -> None:
    """The service token reads no other field or collection, creates and deletes nothing, and reads no system data."""
    service = await buyers.provisioned()
    new = await item(buyers, name="Ada")

    refused = [
        await code_of(service, "GET", f"{buyers.items}/{new}?fields=name"),
        await code_of(service, "GET", f"{buyers.items}?filter[name][_eq]=Ada"),
        await code_of(service, "PATCH", f"{buyers.items}/{new}", {"name": "Eve"}),
        await code_of(service, "POST", buyers.items, {"name": "Eve"}),
        await code_of(service, "DELETE", f"{buyers.items}/{new}"),
        await code_of(service, "GET", "/items/customers"),
        await code_of(service, "GET", "/users"),
        await code_of(service, "GET", "/permissions?fields=validation"),
        await code_of(service, "GET", "/policies?fields=admin_access"),
        await code_of(service, "GET", "/roles?fields=name"),
        await code_of(service, "GET", "/access?fields=sort"),
        await code_of(service, "GET", "/activity"),
        await code_of(service, "GET", "/schema/snapshot"),
    ]

    assert refused == ["FORBIDDEN"] * len(refused)


async def test_on_users(users: Place) -> None:
    """For `directus_users` only the field is created; the token fills it once, and reads nothing else of a user."""
    guest = users.stack.people["guest"].id
    first, second = await users.provision(), await users.provision()
    service = DirectusAdmin(users.stack.directus.url, token_of(first))

    await service.request("PATCH", f"/users/{guest}", {users.field: "cus_Guest"})

    assert (first.code, second.code) == (0, 0)
    assert "collection directus_users" in first.texts("unchanged")
    assert f"field directus_users.{users.field}" in first.texts("created")
    assert (second.texts("created"), second.texts("changed")) == ("", "")
    shown = {"id": guest, users.field: "cus_Guest"}
    assert await service.request("GET", f"/users/{guest}") == shown
    assert await code_of(service, "PATCH", f"/users/{guest}", {users.field: "cus_Other"}) == "FORBIDDEN"
    assert await code_of(service, "GET", f"/users/{guest}?fields=email") == "FORBIDDEN"
    await users.stack.admin.request("PATCH", f"/users/{guest}", {users.field: None})


async def test_token_file(buyers: Place, tmp_path: Path) -> None:
    """S1: With --token-file token and secret are in files, readable only by their owner, and nowhere in the output."""
    file = tmp_path / "token"
    file.write_text("what an earlier Directus gave")
    file.chmod(0o644)

    ended = await buyers.provision("--token-file", str(file))

    token = file.read_text().removesuffix("\n")
    assert ended.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = (tmp_path / "SIDECAR_SECRET").read_text().removesuffix("\n")
    assert token not in ended.out + ended.err
    assert secret not in ended.out + ended.err
    me = await DirectusAdmin(buyers.stack.directus.url, token).request("GET", "/permissions/me")
    assert buyers.collection in me


async def test_token_file_that_cannot_be_written(buyers: Place, tmp_path: Path) -> None:
    """If the file cannot be written no token is made, so the next run still makes one."""
    refused = await buyers.provision("--token-file", str(tmp_path / "absent" / "token"))

    ended = await buyers.provision()

    assert refused.code == 1
    assert "No such file" in refused.texts("FAULT")
    assert ended.code == 0
    assert token_of(ended)


async def test_an_existing_field_is_corrected_and_kept(buyers: Place) -> None:
    """An existing field becomes unique and read-only; its name, note and values stay."""
    directus = buyers.stack.admin
    fields = [
        {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}},
        {"field": buyers.field, "type": "string", "schema": {}, "meta": {"note": "ours"}},
    ]
    body = {"collection": buyers.collection, "schema": {}, "meta": {}, "fields": fields}
    await directus.request("POST", "/collections", body)
    await item(buyers, **{buyers.field: "cus_First"})

    ended = await buyers.provision()

    field = await directus.request("GET", f"/fields/{buyers.collection}/{buyers.field}")
    assert ended.code == 0
    assert "now unique, readonly" in ended.texts("changed")
    assert '"name"' in ended.texts("note")
    assert (field["schema"]["is_unique"], field["meta"]["readonly"], field["meta"]["note"]) == (True, True, "ours")
    assert [row[buyers.field] for row in await directus.request("GET", buyers.items)] == ["cus_First"]


async def test_duplicate_ids_are_reported(buyers: Place) -> None:
    """If two items contain the same ID, it reports that and changes neither."""
    directus = buyers.stack.admin
    await buyers.provision()
    path = f"/fields/{buyers.collection}/{buyers.field}"
    await directus.request("PATCH", path, {"schema": {"is_unique": False}})
    for name in ("Ada", "Grace"):
        await item(buyers, name=name, **{buyers.field: "cus_Same"})

    ended = await buyers.provision()

    assert ended.code == 1
    assert "RECORD_NOT_UNIQUE" in ended.texts("FAULT")
    assert [row[buyers.field] for row in await directus.request("GET", buyers.items)] == ["cus_Same"] * 2


@pytest.mark.parametrize(
    ("settings", "mend"),
    [
        ({"STRIPE_CUSTOMERS_PRIMARY_KEY": "number"}, "STRIPE_CUSTOMERS_PRIMARY_KEY"),
        ({"STRIPE_CUSTOMER_ID_FIELD": "id"}, "STRIPE_CUSTOMER_ID_FIELD"),
    ],
)
async def test_a_taken_name_is_a_fault(buyers: Place, settings: dict[str, str], mend: str) -> None:
    """If a name belongs to something else, the run ends with a fault that names the setting, and nothing is changed."""
    await buyers.provision()
    before = await everything(buyers.stack)

    ended = await buyers.provision(**settings)

    assert ended.code == 1
    assert mend in ended.texts("FAULT")
    assert before == await everything(buyers.stack)


async def test_a_widened_policy_is_narrowed(buyers: Place) -> None:
    """Rights added to the sidecar's own rules are removed; other rules are a fault for the operator to correct."""
    await buyers.provision()
    directus, policy = buyers.stack.admin, await buyers.policy()
    await directus.request("PATCH", f"/policies/{policy['id']}", {"app_access": True, "ip_access": None})
    for rule in policy["permissions"]:
        widened: dict[str, object] = {"fields": ["*"], "permissions": {}, "validation": None}
        await directus.request("PATCH", f"/permissions/{rule['id']}", widened)
    await directus.permission(policy["id"], Rule(buyers.collection, "delete"))

    ended = await buyers.provision()

    assert ended.code == 1
    assert len(ended.texts("changed").splitlines()) == 1 + len(policy["permissions"])
    assert f"delete {buyers.collection}" in ended.texts("FAULT")
    after = await buyers.policy()
    assert (after["app_access"], after["ip_access"]) == (False, policy["ip_access"])
    assert [rule for rule in after["permissions"] if rule["action"] != "delete"] == policy["permissions"]


async def test_webhooks(buyers: Place) -> None:
    """With STRIPE_WEBHOOK_SECRET the token may read and change existing mapped fields, and clear an ID."""
    token = token_of(await buyers.provision(STRIPE_WEBHOOK_SECRET=SECRET))
    service = DirectusAdmin(buyers.stack.directus.url, token)
    filled = await item(buyers, name="Ada", **{buyers.field: "cus_First"})

    again = await buyers.provision(STRIPE_WEBHOOK_SECRET=SECRET)
    await service.request("PATCH", f"{buyers.items}/{filled}", {"name": "Ida"})
    await service.request("PATCH", f"{buyers.items}/{filled}", {buyers.field: None})

    assert {word for word, _ in again.lines} == {"unchanged"}
    rights = await service.request("GET", "/permissions/me")
    assert rights[buyers.collection] == only(
        read={"access": "full", "fields": ["id", buyers.field, "name", "email"]},
        update={"access": "full", "fields": [buyers.field, "name", "email"]},
    )
    row = await buyers.stack.admin.request("GET", f"{buyers.items}/{filled}")
    assert (row["name"], row[buyers.field]) == ("Ida", None)


@pytest.mark.parametrize("value", ["evil", " ", "cus_", "cus_a/../b", "cus_a\n", 7, ["cus_a"]])
async def test_webhooks_write_only_ids(buyers: Place, value: object) -> None:
    """Only a string in the form of a customer's ID, or an empty value, can be written, alone or with other fields."""
    service = DirectusAdmin(buyers.stack.directus.url, token_of(await buyers.provision(STRIPE_WEBHOOK_SECRET=SECRET)))
    new = await item(buyers, name="Ada")

    for change in ({buyers.field: value}, {buyers.field: value, "name": "Ida"}):
        assert await code_of(service, "PATCH", f"{buyers.items}/{new}", change) == "FAILED_VALIDATION"


async def test_webhooks_and_the_rest(buyers: Place) -> None:
    """With webhooks, too, the token neither creates nor deletes, and neither reads nor changes other fields."""
    await buyers.provision()
    note = {"field": "note", "type": "string", "schema": {}, "meta": {}}
    await buyers.stack.admin.request("POST", f"/fields/{buyers.collection}", note)
    [holder] = (await buyers.policy())["users"]
    await buyers.stack.admin.request("PATCH", f"/users/{holder['user']}", {"token": None})
    token = token_of(await buyers.provision(STRIPE_WEBHOOK_SECRET=SECRET))
    service, new = DirectusAdmin(buyers.stack.directus.url, token), await item(buyers, name="Ada")

    refused = [
        await code_of(service, "GET", f"{buyers.items}/{new}?fields=note"),
        await code_of(service, "PATCH", f"{buyers.items}/{new}", {"note": "x"}),
        await code_of(service, "PATCH", f"{buyers.items}/{new}", {"id": 99}),
        await code_of(service, "POST", buyers.items, {"name": "Eve"}),
        await code_of(service, "DELETE", f"{buyers.items}/{new}"),
    ]

    assert refused == ["FORBIDDEN"] * len(refused)


async def test_webhooks_turned_off(buyers: Place) -> None:
    """Without STRIPE_WEBHOOK_SECRET the token is limited to empty IDs again."""
    token = token_of(await buyers.provision(STRIPE_WEBHOOK_SECRET=SECRET))
    service = DirectusAdmin(buyers.stack.directus.url, token)
    filled = await item(buyers, **{buyers.field: "cus_First"})

    ended = await buyers.provision()

    assert (ended.code, len(ended.texts("changed").splitlines())) == (0, 2)
    for change in ({buyers.field: None}, {buyers.field: "cus_Other"}, {"name": "Ida"}):
        assert await code_of(service, "PATCH", f"{buyers.items}/{filled}", change) == "FORBIDDEN"


async def test_webhooks_with_a_field_map(buyers: Place) -> None:
    """The rights cover the fields that STRIPE_FIELD_MAP names, and no others that happen to exist."""
    ended = await buyers.provision(STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_FIELD_MAP='{"email": "email", "fax": "phone"}')

    rules = {rule["action"]: rule["fields"] for rule in (await buyers.policy())["permissions"][:2]}
    assert ended.code == 0
    assert rules == {"read": ["id", buyers.field, "email"], "update": [buyers.field, "email"]}


async def test_webhooks_on_users(users: Place) -> None:
    """For `directus_users` no field of the login is among them, whatever the map says."""
    field_map = '{"first_name": "name", "email": "email", "password": "phone", "role": "description"}'
    settings = {"STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_FIELD_MAP": field_map}
    service = DirectusAdmin(users.stack.directus.url, token_of(await users.provision(**settings)))
    guest = users.stack.people["guest"].id

    rights = await service.request("GET", "/permissions/me")

    assert rights["directus_users"]["update"]["fields"] == [users.field, "first_name"]
    for change in ({"email": "eve@example.com"}, {"password": "x"}, {"role": None}):
        assert await code_of(service, "PATCH", f"/users/{guest}", change) == "FORBIDDEN"


async def test_realtime(buyers: Place) -> None:
    """With DIRECTUS_REALTIME the token may also read the IDs of users, and no more of them."""
    token = token_of(await buyers.provision(DIRECTUS_REALTIME="true"))
    service = DirectusAdmin(buyers.stack.directus.url, token)

    again = await buyers.provision(DIRECTUS_REALTIME="true")

    rights = await service.request("GET", "/permissions/me")
    del rights[buyers.collection]
    assert {word for word, _ in again.lines} == {"unchanged"}
    read = _READS | {"directus_users": ["id"]}
    assert rights == {name: only(read={"access": "full", "fields": fields}) for name, fields in read.items()}


async def test_realtime_turned_off(buyers: Place) -> None:
    """Without DIRECTUS_REALTIME the right that only the feed needs is a fault for the operator."""
    await buyers.provision(DIRECTUS_REALTIME="true")

    ended = await buyers.provision()

    assert ended.code == 1
    assert "permits to read directus_users, which is not needed" in ended.texts("FAULT")
    assert ended.texts("changed") == ""


async def test_realtime_hears_of_a_permission_that_is_moved(buyers: Place, newcomer: Newcomer) -> None:
    """A permission that moves to another collection is announced, although its new collection is none of ours."""
    token, causes = token_of(await buyers.provision(DIRECTUS_REALTIME="true")), list[str]()
    somebody = await newcomer(Rule(buyers.collection, "read"))
    permissions = f"/permissions?filter[policy][name][_eq]={somebody.name}&fields=id"
    [rule] = await buyers.stack.admin.request("GET", permissions)
    async with open_session(total=None, connect=1, connections=1) as session:
        feed = ChangeFeed(
            session,
            f"{buyers.stack.directus.url}/websocket",
            token,
            causes.append,
            Metrics(),
            forget_user=lambda _: None,
            cookie=SESSION_COOKIE,
        )
        following = asyncio.create_task(feed.run())
        try:
            await eventually(lambda: "connected" in causes)

            await buyers.stack.admin.request("PATCH", f"/permissions/{rule['id']}", {"collection": "customers"})

            await eventually(lambda: "change" in causes)
        finally:
            following.cancel()
            await asyncio.wait([following])


async def test_realtime_on_users(users: Place) -> None:
    """For `directus_users` there is one right to its IDs, inside the right to its customers."""
    await users.provision(DIRECTUS_REALTIME="true")

    again = await users.provision(DIRECTUS_REALTIME="true")

    rights = [(rule["collection"], rule["action"]) for rule in (await users.policy())["permissions"]]
    assert (again.code, again.texts("created"), again.texts("changed")) == (0, "", "")
    assert len(rights) == len(set(rights)) == 7


async def test_an_operators_own_network_stays(buyers: Place) -> None:
    """An operator's network limit on the policy stays."""
    await buyers.provision()
    policy = await buyers.policy()
    own = ["127.0.0.0/8"]
    await buyers.stack.admin.request("PATCH", f"/policies/{policy['id']}", {"ip_access": own})

    ended = await buyers.provision()

    assert {word for word, _ in ended.lines} == {"unchanged"}
    assert (await buyers.policy())["ip_access"] == own


async def test_a_policy_with_other_users(buyers: Place, newcomer: Newcomer) -> None:
    """The service policy on any other user or role is a fault."""
    await buyers.provision()
    somebody = await newcomer()
    access = {"user": somebody.id, "policy": (await buyers.policy())["id"]}
    await buyers.stack.admin.request("POST", "/access", access)

    ended = await buyers.provision()

    assert ended.code == 1
    assert "has more than this one user" in ended.texts("FAULT")


async def test_a_cleared_token_is_made_anew(buyers: Place) -> None:
    """An administrator renews a token by clearing it: the next run makes another, and the first is refused."""
    old = token_of(await buyers.provision())
    [holder] = (await buyers.policy())["users"]
    await buyers.stack.admin.request("PATCH", f"/users/{holder['user']}", {"token": None})

    new = token_of(await buyers.provision())

    assert old != new
    refused = await code_of(DirectusAdmin(buyers.stack.directus.url, old), "GET", "/permissions/me")
    assert refused == "INVALID_CREDENTIALS"


async def test_two_collections_are_separate(buyers: Place, stack: Stack) -> None:
    """Two sidecars with two collections have a policy each, and neither run changes the other's."""
    async with place(stack) as others:
        first, second = await buyers.provisioned(), await others.provisioned()

        again = await buyers.provision()

        assert {word for word, _ in again.lines} == {"unchanged"}
        assert others.collection not in await first.request("GET", "/permissions/me")
        assert buyers.collection not in await second.request("GET", "/permissions/me")


async def test_a_collection_called_errors(stack: Stack) -> None:
    """Names that look like an error to the library are accepted."""
    async with place(stack, prefix="errors") as new:
        assert [(await new.provision()).code for _ in range(2)] == [0, 0]


async def test_without_an_administrators_token(buyers: Place) -> None:
    """An unknown or non-administrator token ends it with a fault; a missing one is an unusable setting."""
    clerk = buyers.stack.people["clerk"].token

    nobodys = await buyers.provision(DIRECTUS_ADMIN_TOKEN="MARKEDtoken")
    clerks = await buyers.provision(DIRECTUS_ADMIN_TOKEN=clerk)
    none = await run("provision", "--yes", **buyers.settings)

    assert (nobodys.code, clerks.code, none.code) == (1, 1, 2)
    assert "INVALID_CREDENTIALS" in nobodys.texts("FAULT")
    assert "administrator" in clerks.texts("FAULT")
    assert "DIRECTUS_ADMIN_TOKEN: is not set" in none.err
    assert "MARKEDtoken" not in nobodys.out + nobodys.err
    assert clerk not in clerks.out + clerks.err


async def test_the_admin_token_from_a_file(buyers: Place, tmp_path: Path) -> None:
    """DIRECTUS_ADMIN_TOKEN_FILE works too, and its token is never shown."""
    file = tmp_path / "admin"
    file.write_text(f"{buyers.admin_token}\n")

    ended = await run(
        "provision", "--yes", "--create-collection", **buyers.settings, DIRECTUS_ADMIN_TOKEN_FILE=str(file)
    )

    assert ended.code == 0
    assert buyers.admin_token not in ended.out + ended.err


async def test_directus_down(buyers: Place) -> None:
    """U1: A Directus that is down is a fault in one line, without a traceback."""
    ended = await buyers.provision(DIRECTUS_URL=f"http://127.0.0.1:{free_port()}")

    assert ended.code == 1
    assert "could not be asked" in ended.texts("FAULT")
    assert ended.err == ""


async def test_a_proxy_of_the_environment(buyers: Place) -> None:
    """D2: whatever variable names a proxy, `provision` asks Directus itself, from its first question to its last."""
    async with eavesdropping() as proxy:
        ended = await buyers.provision(**proxy.environment)

    assert ended.code == 0, ended.err
    assert token_of(ended)
    assert proxy.heard == []
