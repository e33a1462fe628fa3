"""Types of the attributes of Stripe's objects, as far as the service's own description tells them.

The set of types is closed and small. Any attribute may be absent, and any but an embedded object may be null.
"""

from dataclasses import dataclass
from enum import StrEnum


class Plain(StrEnum):
    TEXT = "text"
    TEXTS = "texts"  # a list
    INTEGER = "integer"
    NUMBER = "number"  # perhaps with a fraction
    TIMESTAMP = "timestamp"  # seconds since the epoch
    BOOLEAN = "boolean"
    REFERENCE = "reference"  # the ID of another object, which Stripe could expand and this service does not


@dataclass(frozen=True, slots=True)
class Structure:
    """An object without a kind and an ID of its own, such as an address. Stripe may give it more members than these.

    `closed`: where the base of a kind shows it, these members alone are shown.
    """

    attributes: "tuple[Attribute, ...]"
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Embedded:
    """A whole object of another kind."""

    kind: str


@dataclass(frozen=True, slots=True)
class Expandable:
    """The ID of an object of another kind, or that whole object where a request asks for it."""

    kind: str


@dataclass(frozen=True, slots=True)
class Entries:
    """A list object whose `data` has objects of another kind."""

    kind: str


AttributeType = Plain | Structure | Embedded | Expandable | Entries


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    type: AttributeType


def attributes(*others: Attribute, **plain: str) -> tuple[Attribute, ...]:
    """Declare attributes. `plain` gives the names of one type in one string, such as `text="status currency"`."""
    return (
        *(Attribute(name, Plain(kind)) for kind, names in plain.items() for name in names.split()),
        *others,
    )


def closed(*others: Attribute, **plain: str) -> Structure:
    """Declare a structure of which nothing but these members is shown."""
    return Structure(attributes(*others, **plain), closed=True)
