"""Check C3: permissions that are absent, null, unknown or malformed mean no access."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.permissions import NO_GRANT, Access, Action, AllowedFields, Grant, Permissions

NONE = Permissions({})


def read(grant: object) -> Grant:
    return Permissions.from_directus({"customers": {"read": grant}}, {"customers"}).grant("customers", Action.READ)


@pytest.mark.parametrize(
    ("grant", "access", "fields"),
    [
        ({"access": "full", "fields": ["*"]}, Access.FULL, {"*"}),
        ({"access": "full", "fields": ["id", "email"]}, Access.FULL, {"id", "email"}),
        ({"access": "partial", "fields": ["id"]}, Access.PARTIAL, {"id"}),
        ({"access": "full", "fields": ["id"], "presets": {}}, Access.FULL, {"id"}),
    ],
)
def test_what_directus_grants(grant: object, access: Access, fields: set[str]) -> None:
    """Access and fields are read as Directus writes them."""
    assert read(grant) == Grant(access, AllowedFields(frozenset(fields)))


@pytest.mark.parametrize(
    "grant",
    [
        None,
        True,
        [],
        "full",
        {},
        {"access": "none"},
        {"access": "none", "fields": ["*"]},
        {"fields": ["*"]},
        {"access": "full"},
        {"access": "full", "fields": None},
        {"access": "full", "fields": []},
        {"access": "full", "fields": "*"},
        {"access": "full", "fields": {"*": True}},
        {"access": "full", "fields": [None, 1, ["*"]]},
        {"access": "FULL", "fields": ["*"]},
        {"access": "unknown", "fields": ["*"]},
        {"access": True, "fields": ["*"]},
        {"access": 2, "fields": ["*"]},
        {"access": ["full"], "fields": ["*"]},
        {"access": {"full": True}, "fields": ["*"]},
        [{"access": "full", "fields": ["*"]}],
    ],
)
def test_odd_grants_are_none(grant: object) -> None:
    """C3: A malformed grant grants nothing."""
    assert read(grant) == NO_GRANT


@pytest.mark.parametrize("action", ["delete", "share"])
@pytest.mark.parametrize("fields", [{}, {"fields": None}, {"fields": []}, {"fields": ["*"]}])
def test_actions_without_fields(action: str, fields: dict[str, object]) -> None:
    """Directus keeps no fields for deleting and sharing, so these grants need none."""
    permissions = Permissions.from_directus({"customers": {action: {"access": "full", **fields}}}, {"customers"})

    assert permissions.grant("customers", Action(action)) == Grant(Access.FULL, AllowedFields(frozenset({"*"})))


@pytest.mark.parametrize(
    "payload", [None, True, 0, "customers", [], ["customers"], {}, {"customers": None}, {"customers": [["read", {}]]}]
)
def test_odd_answers_are_none(payload: object) -> None:
    """C3: A malformed answer grants nothing."""
    assert Permissions.from_directus(payload, {"customers"}) == NONE


@pytest.mark.parametrize("collection", ["__proto__", "constructor", "__class__", "get"])
def test_names_with_a_meaning_elsewhere_have_none_here(collection: str) -> None:
    """C3: A collection named like a member of an object is absent unless the answer contains it."""
    assert Permissions.from_directus({}, {collection}) == NONE
    granted = Permissions.from_directus({collection: {"read": {"access": "full", "fields": ["*"]}}}, {collection})
    assert granted.grant(collection, Action.READ).usable


def test_only_the_collections_in_use_are_kept() -> None:
    """C9: An administrator's answer names every collection; memory keeps only the collections in use."""
    full = {"access": "full", "fields": ["*"]}

    permissions = Permissions.from_directus({"customers": {"read": full}, "other": {"read": full}}, {"customers"})

    assert list(permissions.grants) == [("customers", Action.READ)]


def test_grants_do_not_answer_for_each_other() -> None:
    """C2: A grant applies to its own collection and action only."""
    permissions = Permissions.from_directus(
        {"customers": {"read": {"access": "full", "fields": ["*"]}}}, {"customers", "orders"}
    )

    assert permissions.grant("customers", Action.CREATE) == NO_GRANT
    assert permissions.grant("orders", Action.READ) == NO_GRANT


@pytest.mark.parametrize(
    ("names", "allowed"), [(set(), False), ({"id"}, False), ({"email"}, True), ({"*"}, True), ({"e*"}, False)]
)
def test_a_field_is_allowed_by_name_or_star(names: set[str], *, allowed: bool) -> None:
    """Only the field's own name and `*` allow a field."""
    assert AllowedFields(frozenset(names)).allow("email") is allowed


NONE_OF_THEM, ONE, TWO, STAR = (AllowedFields(frozenset(names)) for names in ((), ("a",), ("a", "b"), ("*",)))


@pytest.mark.parametrize(
    ("one", "other", "covered"),
    [
        *((STAR, each, True) for each in (NONE_OF_THEM, ONE, STAR)),
        *((TWO, each, True) for each in (NONE_OF_THEM, ONE, TWO)),
        *((each, TWO, False) for each in (NONE_OF_THEM, ONE)),
        (TWO, STAR, False),
    ],
)
def test_fields_that_cover_others(one: AllowedFields, other: AllowedFields, *, covered: bool) -> None:
    """Fields cover others if they allow everything that those allow."""
    assert one.covers(other) is covered


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [(ONE, NONE_OF_THEM, ONE), (ONE, AllowedFields(frozenset({"b"})), TWO), (ONE, STAR, STAR), (STAR, STAR, STAR)],
)
def test_fields_together(one: AllowedFields, other: AllowedFields, joined: AllowedFields) -> None:
    """Fields together allow what either allows, in either order."""
    assert one.joined(other) == joined
    assert other.joined(one) == joined


def strict(payload: object, collection: str, action: str) -> tuple[Access, frozenset[str]]:
    """The most that an answer grants: exact words in the exact format."""
    try:
        grant = payload[collection][action]  # type: ignore[index]  # any other type raises
        access = {"partial": Access.PARTIAL, "full": Access.FULL}[grant["access"]]
        if action in {"delete", "share"}:
            return access, frozenset({"*"})
        fields = frozenset(name for name in grant["fields"] if type(name) is str and type(grant["fields"]) is list)
    except (TypeError, KeyError, IndexError):
        return Access.NONE, frozenset()
    return (access, fields) if fields else (Access.NONE, frozenset())


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["full", "partial", "none", "*", "id", ""]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=8,
)
nearly_grant = st.fixed_dictionaries({}, optional={"access": anything, "fields": st.lists(anything) | anything})
nearly_actions = st.dictionaries(st.sampled_from([*Action, "READ", ""]), nearly_grant | anything) | anything
nearly_answer = st.dictionaries(st.sampled_from(["customers", "orders", "__proto__"]), nearly_actions) | anything


@given(nearly_answer)
def test_never_more_than_a_strict_reading(payload: object) -> None:
    """C3: Any JSON from Directus grants no more than a strict reading does."""
    permissions = Permissions.from_directus(payload, {"customers", "__proto__"})

    for collection in ("customers", "orders", "__proto__"):
        for action in Action:
            access, fields = strict(payload, collection, action)
            grant = permissions.grant(collection, action)
            assert grant.access <= access
            assert grant.fields.names <= fields
