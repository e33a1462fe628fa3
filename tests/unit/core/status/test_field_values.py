"""How values stand in fields of Directus, by the types of these fields."""

import pytest

from sidecar.core.operations.attributes import Plain
from sidecar.core.status.field_values import FITTING, comparable, fits, in_field

END = 1798761600  # the first second of 2027


@pytest.mark.parametrize(
    ("field_type", "written", "shown"),
    [
        ("timestamp", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00.000Z"),
        ("dateTime", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00"),
        ("date", "2027-01-01T00:00:00Z", "2027-01-01"),
        ("integer", END, END),
        ("bigInteger", END, str(END)),
        ("string", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("text", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_times(field_type: str, written: object, shown: object) -> None:
    """A time is an ISO text or a number, as the field has it, and equals what Directus then shows."""
    assert in_field(END, Plain.TIMESTAMP, field_type) == written
    assert comparable(shown, field_type) == comparable(written, field_type)
    assert comparable(in_field(END + 86_400, Plain.TIMESTAMP, field_type), field_type) != comparable(shown, field_type)


@pytest.mark.parametrize(("field_type", "written"), [("integer", 8), ("string", "8"), ("text", "8")])
def test_numbers(field_type: str, written: object) -> None:
    """Directus gives a number in a text field back as a text, so it is written as one."""
    assert in_field(8, Plain.INTEGER, field_type) == written


@pytest.mark.parametrize("kind", Plain)
@pytest.mark.parametrize("field_type", [None, "csv", "geometry", "hash", "uuid", "alias"])
def test_what_does_not_fit(kind: Plain, field_type: str | None) -> None:
    """A field of such a type takes nothing but null, which every field may hold."""
    assert not fits("x", kind, field_type)
    assert fits(None, kind, field_type)


def test_every_type_of_value_fits_somewhere() -> None:
    """Each type that a source may have fits some field."""
    assert set(FITTING) == set(Plain)
    assert all(fits("x", kind, types[0]) for kind, types in FITTING.items())


@pytest.mark.parametrize("kind", Plain)
def test_null_is_null(kind: Plain) -> None:
    """Nothing at Stripe is nothing in Directus."""
    assert [in_field(None, kind, field_type) for field_type in FITTING[kind]] == [None] * len(FITTING[kind])
