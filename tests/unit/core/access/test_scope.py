"""Which fields of a row a caller may read, derived from the row itself."""

import pytest

from sidecar.core.access.permissions import EVERY_FIELD, AllowedFields
from sidecar.core.access.scope import OwnCustomers, shown_fields

ROW: dict[str, object] = {"id": 7, "name": "Ada", "note": None, "active": False, "count": 0, "text": ""}


def fields(*names: str) -> AllowedFields:
    return AllowedFields(frozenset(names))


@pytest.mark.parametrize(
    ("row", "allowed", "shown"),
    [
        (ROW, fields("id", "name"), fields("id", "name")),
        (ROW, fields("name", "note"), fields("name")),
        (ROW, fields("active", "count", "text"), fields("active", "count", "text")),
        (ROW, fields("other"), fields()),
        (ROW, fields(), fields()),
        (ROW, EVERY_FIELD, fields("id", "name", "active", "count", "text")),
        ({"id": 7, "name": "Ada"}, EVERY_FIELD, EVERY_FIELD),
        ({"id": 7, "name": "Ada"}, fields("id", "name"), fields("id", "name")),
        ({"id": None}, EVERY_FIELD, fields()),
    ],
)
def test_a_field_counts_where_it_has_a_value(
    row: dict[str, object], allowed: AllowedFields, shown: AllowedFields
) -> None:
    """A field is shown if it is allowed and not null; all are shown only if each may be read and none is null."""
    assert shown_fields(row, allowed) == shown


def test_no_customer_is_the_default() -> None:
    """A new scope contains no customer."""
    assert OwnCustomers().fields == {}
