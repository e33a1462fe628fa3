"""The two smaller questions: whether anything is granted, and whether a caller may see its own customer."""

import pytest

from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.policy import Requirement, may_read_own
from tests.doubles.collections import CUSTOMERS

NONE, PARTIAL, FULL = Access


@pytest.mark.parametrize(
    ("access", "fields", "update", "may"),
    [
        (FULL, "*", "", True),
        (FULL, CUSTOMERS.id_field, "", True),
        (PARTIAL, CUSTOMERS.id_field, "name", True),
        (PARTIAL, "*", CUSTOMERS.id_field, False),
        (FULL, "*", CUSTOMERS.id_field, True),
        (FULL, "name", "", False),
        (PARTIAL, "name", "", False),
        (PARTIAL, "", "", False),
        (NONE, "*", "", False),
    ],
)
def test_who_may_read_its_own_customer(access: Access, fields: str, update: str, *, may: bool) -> None:
    """The caller must read the ID field, and with an item rule it must not be able to write that field."""
    grants = {(CUSTOMERS.name, Action.READ): Grant(access, AllowedFields(frozenset(fields.split())))}
    if update:
        grants[CUSTOMERS.name, Action.UPDATE] = Grant(PARTIAL, AllowedFields(frozenset({update})))

    assert may_read_own(Permissions(grants), CUSTOMERS) is may


@pytest.mark.parametrize(
    ("collection", "action", "granted"),
    [
        ("refunds", Action.CREATE, True),
        ("refunds", Action.UPDATE, False),
        ("refunds", Action.READ, False),
        (CUSTOMERS.name, Action.CREATE, False),
    ],
)
def test_what_counts_as_granted(collection: str, action: Action, *, granted: bool) -> None:
    """An answer is a yes if it grants exactly this action on this collection, with fields, in full or in part."""
    some, none = AllowedFields(frozenset({"amount"})), AllowedFields()
    grants = {("refunds", Action.CREATE): Grant(PARTIAL, some), ("refunds", Action.READ): Grant(FULL, none)}

    assert Requirement(collection, action, CUSTOMERS).granted_by(Permissions(grants)) is granted
