"""Which policies let callers choose their customers, according to `check`."""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from sidecar.clients.directus.client import DirectusAnswer
from sidecar.commands.check_policies import policy_lines
from sidecar.commands.lines import Line, Word
from sidecar.commands.seen_policies import policies_path, seen_policies
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.policy import Decision, Reason, Requirement, authorize
from sidecar.settings import Settings

Row = dict[str, Any]
OWN = {"owner": {"_eq": "$CURRENT_USER"}}
ID = "stripe_customer_id"
READ = Requirement("customers", Action.READ, CustomersCollection("customers", "id", ID), scopable=True)
SETTINGS = Settings(
    directus_url="http://127.0.0.1:1",
    stripe_live_secret_key=SecretStr("rk_test_x"),
    stripe_customers_collection="customers",
)


def rule(policy: str, action: str, fields: Iterable[str] | None = ("*",), item: object = None) -> Row:
    """One permission, as Directus gives it."""
    named = {"id": f"id of {policy}", "name": policy}
    return {"action": action, "fields": None if fields is None else list(fields), "permissions": item, "policy": named}


def lines(rows: Iterable[object]) -> list[Line]:
    return list(policy_lines(SETTINGS, seen_policies(SETTINGS, DirectusAnswer(200, {"data": list(rows)}, None, None))))


def words(*rows: object) -> list[Word]:
    return [line.word for line in lines(rows)]


def decision(rows: list[Row]) -> Decision:
    """Give the service's verdict on a reader with these permissions, merged as Directus does for `/permissions/me`."""
    grants = {}
    for action in Action:
        mine = [row for row in rows if row["action"] == action]
        access = Access.PARTIAL if any(row["permissions"] for row in mine) else Access.FULL
        if mine:
            unruled = [row for row in mine if not row["permissions"]]
            grants["customers", action] = Grant(access, fields_of(mine), fields_of(unruled))
    return authorize(Permissions(grants), READ)


def fields_of(rows: list[Row]) -> AllowedFields:
    return AllowedFields(frozenset().union(*(row["fields"] or () for row in rows)))


@pytest.mark.parametrize("fields", [["*"], ["name", ID]])
@pytest.mark.parametrize("action", ["create", "update"])
def test_one_policy(action: str, fields: list[str]) -> None:
    """R5: An item rule for reading together with the ID field for writing is a fault."""
    [fault] = lines([rule("member", "read", item=OWN), rule("member", action, fields)])

    assert fault.word is Word.FAULT
    assert '"member"' in fault.text
    assert f'take "{ID}" out of its fields of "{action}"' in fault.text


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [rule("clerk", "read"), rule("clerk", "create"), rule("clerk", "update", item=OWN)],
        [rule("clerk", "read", item={}), rule("clerk", "update")],
        [rule("member", "read", item=OWN)],
        [rule("member", "read", item=OWN), rule("member", "update", ["name"]), rule("member", "create", None)],
        [rule("member", "read", item=OWN), rule("member", "delete"), rule("member", "share")],
    ],
)
def test_nothing_to_find(rows: list[Row]) -> None:
    """A caller that reads all items may write any field; a caller that reads some, any field but the ID field."""
    assert words(*rows) == [Word.OK]


def test_two_policies() -> None:
    """A combination of two policies is a note that names both, since perhaps nobody has both."""
    good, note = lines([rule("member", "read", item=OWN), rule("clerk", "create")])

    assert (good.word, note.word) == (Word.OK, Word.NOTE)
    assert '"clerk", who may create' in note.text
    assert 'if they also have "member"' in note.text


@pytest.mark.parametrize("names", [["*"], [ID], ["name"]])
def test_whole_reading_beside_a_rule(names: list[str]) -> None:
    """O2: Who may read the ID field of every item may write it, whatever rules its other policies have."""
    found = words(rule("clerk", "read", item=OWN), rule("clerk", "read", names), rule("clerk", "update"))

    assert found == ([Word.FAULT] if names == ["name"] else [Word.OK])


def test_a_clerk_who_is_a_member_too() -> None:
    """O2: A policy that reads and writes every item is no finding beside one that shows some."""
    clerk = [rule("clerk", "read"), rule("clerk", "update")]

    assert words(*clerk, rule("member", "read", item=OWN)) == [Word.OK]


def test_two_policies_of_one_name() -> None:
    """Policies of the same name are told apart."""
    twin = {**rule("member", "update"), "policy": {"id": "another", "name": "member"}}

    assert words(rule("member", "read", item=OWN), twin) == [Word.OK, Word.NOTE]


def test_the_service_policy_is_none_of_them() -> None:
    """The rights that `provision` gives its own user for writing are no finding."""
    ours = rule("Stripe sidecar (customers)", "update", [ID], {ID: {"_null": True}})

    assert words(rule("member", "read", item=OWN), ours) == [Word.OK]


@pytest.mark.parametrize(
    "answer",
    [
        DirectusAnswer(403, {"errors": [{"extensions": {"code": "FORBIDDEN"}}]}, "FORBIDDEN", None),
        DirectusAnswer(200, {"data": None}, None, None),
        DirectusAnswer(200, None, None, None),
        DirectusAnswer(200, {"data": [{"action": "read", "fields": ["*"], "permissions": OWN}]}, None, None),
        DirectusAnswer(200, {"data": [{**rule("member", "read"), "policy": None}]}, None, None),
        DirectusAnswer(200, {"data": [rule("member", "read"), None]}, None, None),
    ],
)
def test_not_seen_is_not_well(answer: DirectusAnswer) -> None:
    """If the check could not look, it says so, and not that all is well."""
    [line] = policy_lines(SETTINGS, seen_policies(SETTINGS, answer))

    assert line.word is Word.NOTE
    assert "cannot be seen: run `provision`" in line.text


def test_rows_of_no_policy() -> None:
    """Permissions that Directus adds for users of its app belong to no policy that could be changed."""
    added = {"action": "read", "fields": ["id"], "permissions": OWN, "policy": None, "system": True}

    assert words(added, rule("clerk", "update")) == [Word.OK]


def test_only_this_collection_is_asked_about() -> None:
    """One request covers all permissions on the collection, however many there are."""
    assert policies_path(SETTINGS).startswith(
        "/permissions?limit=-1&filter=%7B%22collection%22%3A%20%7B%22_eq%22%3A%20%22customers%22%7D%7D&"
    )


rules = st.builds(
    rule,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from([*Action]),
    st.sampled_from([None, (), ("name",), (ID,), ("name", ID), ("*",)]),
    st.sampled_from([None, {}, OWN]),
)


@given(st.lists(rules, max_size=8, unique_by=lambda row: (str(row["policy"]), row["action"])))
def test_each_refusal_of_the_service_was_reported(rows: list[Row]) -> None:
    """R5: Each caller refused for this reason has a policy with a fault, or two in one note; each fault is needed."""
    found = lines(rows)
    faults = {name for name in "abc" if any(f'"{name}"' in line.text for line in found if line.word is Word.FAULT)}
    by_policy = {name: [row for row in rows if row["policy"] == rule(name, "read")["policy"]] for name in "abc"}

    assert not any(decision(by_policy[name]).allowed for name in faults)
    for name in "abc":
        assert (decision(by_policy[name]).reason is not Reason.ID_FIELD_WRITABLE) or name in faults
    for one, other in combinations("abc", 2):
        if decision(by_policy[one] + by_policy[other]).reason is Reason.ID_FIELD_WRITABLE and not faults & {one, other}:
            notes = [line.text for line in found if line.word is Word.NOTE]
            assert any(f'"{one}"' in text and f'"{other}"' in text for text in notes)
