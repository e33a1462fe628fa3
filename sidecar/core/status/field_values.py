"""How a value from Stripe stands in a field of Directus: Stripe's times are seconds, and fields have many types.

What Directus 11 does with each type was tried. It takes any text into a column of integers on SQLite, splits a list in
a `csv` field at each comma, and takes a number in a `timestamp` for milliseconds. So what does not fit is not written.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from sidecar.core.operations.attributes import Plain

_TEXTS = ("string", "text")
_NUMBERS = ("integer", "bigInteger")
FITTING: Mapping[Plain, tuple[str, ...]] = MappingProxyType(
    {
        Plain.TEXT: _TEXTS,
        Plain.REFERENCE: _TEXTS,
        Plain.TEXTS: ("json", "text", "string"),
        Plain.INTEGER: (*_NUMBERS, *_TEXTS),
        Plain.NUMBER: ("float",),
        Plain.BOOLEAN: ("boolean",),
        Plain.TIMESTAMP: ("timestamp", "dateTime", "date", *_NUMBERS, *_TEXTS),
    }
)
"""By the type of a value: the types of fields that hold it. The first one is the usual one."""

_COMPARED = {"timestamp": 19, "dateTime": 19, "date": 10}  # characters of an ISO time; Directus adds thousandths


def fits(value: object, kind: Plain, field_type: str | None) -> bool:
    """Say whether a field may hold this value; every field may be empty."""
    return value is None or field_type in FITTING[kind]


def in_field(value: object, kind: Plain, field_type: str | None) -> object:
    """Give a value as a field of a fitting type takes it. Times are in UTC, which a `dateTime` does not say."""
    if kind is Plain.TIMESTAMP and isinstance(value, int) and field_type not in _NUMBERS:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind is Plain.INTEGER and isinstance(value, int) and field_type in _TEXTS:
        return str(value)
    return value


def comparable(value: object, field_type: str | None) -> object:
    """Give a value as it compares with another, whether it is to be written or Directus shows it."""
    if isinstance(value, str) and field_type in _COMPARED:
        return value[: _COMPARED[field_type]]
    if isinstance(value, int) and field_type == "bigInteger":  # a text where JavaScript's numbers are too small
        return str(value)
    return value
