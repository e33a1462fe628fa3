"""What `check` says of fields that repeat what belongs to a customer, and of policies that let callers write them."""

from collections.abc import Iterable
from typing import Any

import pytest
from pydantic import SecretStr

from sidecar.clients.directus.client import DirectusAnswer
from sidecar.commands.check_status_fields import type_lines, writer_lines
from sidecar.commands.lines import Line, Word
from sidecar.commands.seen_policies import seen_policies
from sidecar.settings import Settings

Row = dict[str, Any]
OWN = {"owner": {"_eq": "$CURRENT_USER"}}
SETTINGS = Settings(
    directus_url="http://127.0.0.1:1",
    directus_service_token=SecretStr("service"),
    stripe_live_secret_key=SecretStr("rk_test_x"),
    stripe_customers_collection="customers",
    stripe_webhook_secret=(SecretStr("whsec_of_the_tests_0123456789"),),
    stripe_field_map={"name": ("name",), "status": ("subscription.status",), "rights": ("entitlements",)},
)
WITHOUT = SETTINGS.model_copy(update={"stripe_field_map": {"name": ("name",)}})
FORBIDDEN = DirectusAnswer(403, {"errors": [{"extensions": {"code": "FORBIDDEN"}}]}, "FORBIDDEN", None)


def rule(action: str, fields: Iterable[str] | None = ("*",), item: object = None, policy: str = "p") -> Row:
    """One permission, as Directus gives it."""
    named = {"id": f"id of {policy}", "name": policy}
    return {"action": action, "fields": None if fields is None else list(fields), "permissions": item, "policy": named}


def lines(*rows: object, settings: Settings = SETTINGS) -> list[Line]:
    answer = DirectusAnswer(200, {"data": list(rows)}, None, None)
    return list(writer_lines(settings, seen_policies(settings, answer)))


@pytest.mark.parametrize(
    "rows",
    [
        [rule("read", item=OWN), rule("update", item=OWN)],
        [rule("read", item=OWN), rule("update", ["status"], item=OWN)],
        [rule("read", item=OWN), rule("update", ["rights", "name"])],
        [rule("read"), rule("update", ["status"], item=OWN)],
        [rule("read", item=OWN), rule("create")],
        [rule("create")],
        [rule("create", ["owner", "status"])],
        [rule("update", ["status"])],
    ],
    ids=range(8),
)
def test_who_makes_itself_a_subscriber(rows: list[Row]) -> None:
    """Who may write such a field of its own items, or of one that it creates, decides what it reads: a fault."""
    [fault] = lines(*rows)

    assert fault.word is Word.FAULT
    assert 'holders of the policy "p" may ' in fault.text
    assert "make themselves subscribers; take that out of its fields of " in fault.text


@pytest.mark.parametrize("rows", [[rule("read"), rule("update")], [rule("read", item={}), rule("create", ["status"])]])
def test_staff(rows: list[Row]) -> None:
    """Who sees every item and may write such a field there is staff, and is named: perhaps it is to."""
    [note] = lines(*rows)

    assert note.word is Word.NOTE
    assert "make anybody a subscriber" in note.text


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [rule("read"), rule("delete"), rule("share")],
        [rule("read", item=OWN), rule("update", ["name"], item=OWN), rule("create", ["name", "owner"])],
        [rule("update", None), rule("create", [])],
        [rule("update", policy="Stripe sidecar (customers)")],
        [{"action": "update", "fields": ["*"], "permissions": OWN, "policy": None, "system": True}],
    ],
    ids=range(6),
)
def test_only_stripe_decides(rows: list[Row]) -> None:
    """Where nobody may write such a field all is well; the service itself, of course, may."""
    [good] = lines(*rows)

    assert (good.word, "only Stripe decides on status, rights" in good.text) == (Word.OK, True)


def test_each_policy_is_judged_by_itself() -> None:
    """One policy's fault hides no other policy."""
    member = [rule("read", item=OWN, policy="member"), rule("update", ["status"], item=OWN, policy="member")]
    clerk = [rule("read", policy="clerk"), rule("update", policy="clerk")]

    assert [line.word for line in lines(*member, *clerk)] == [Word.FAULT, Word.NOTE]


def test_nothing_is_said_without_such_fields() -> None:
    """Without them, or where the policies cannot be seen, which another line says, there is nothing to say."""
    assert lines(rule("update", item=OWN), settings=WITHOUT) == []
    assert list(writer_lines(SETTINGS, seen_policies(SETTINGS, FORBIDDEN))) == []


def described(kind: str, **schema: object) -> DirectusAnswer:
    return DirectusAnswer(200, {"data": {"type": kind, "schema": schema, "meta": {}}}, None, None)


async def types(status: DirectusAnswer, rights: DirectusAnswer, settings: Settings = SETTINGS) -> list[Line]:
    async def ask(path: str, _address: str | None) -> DirectusAnswer:
        return {"/fields/customers/status": status, "/fields/customers/rights": rights}[path]

    return [line async for line in type_lines(settings, ask)]


async def test_fields_that_hold_it() -> None:
    """One line says that all fields can hold what is theirs; without such fields nobody is asked."""
    [good] = await types(described("string"), described("json"))

    assert good.word is Word.OK
    assert await types(FORBIDDEN, FORBIDDEN, WITHOUT) == []


@pytest.mark.parametrize("kind", ["integer", "csv", "boolean", "uuid", "hash", "alias"])
async def test_a_type_that_does_not_fit(kind: str) -> None:
    """A field of another type is a fault that names the types that do."""
    [fault] = await types(described(kind), described("json"))

    assert fault.word is Word.FAULT
    assert "customers.status cannot hold subscription.status: it must be one of string, text" in fault.text


async def test_a_list_in_a_csv_field() -> None:
    """Directus splits such a field at commas, so that one entitlement could become another."""
    [fault] = await types(described("string"), described("csv"))

    assert "customers.rights cannot hold entitlements: it must be one of json, text, string" in fault.text


async def test_a_default() -> None:
    """A default would make every new item a subscriber's."""
    [fault] = await types(described("string", default_value="active"), described("json"))

    assert fault.word is Word.FAULT
    assert "has a default" in fault.text
