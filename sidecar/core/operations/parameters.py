"""The parameters of operations, each with its type and bounds. A parameter without a name here does not pass.

Names are Stripe's. This module only describes; ``web.requests`` reads and validates by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sidecar.core.operations.resources import Resource

# Bounds of a form's numbers. Stripe judges amounts and quantities, whose least and most differ by currency and price.
MOST_QUANTITY = 999_999_999
MOST_AMOUNT = 999_999_999_999  # twelve digits, which IDR takes (docs.stripe.com/currencies)
MOST_SECONDS = 999_999_999_999


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text."""

    most: int = 5000


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text that matches a pattern; `what` names the shape in an error."""

    pattern: str
    what: str
    most: int = 255


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number between two bounds, both inclusive."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Time:
    """A moment in seconds since the epoch, or one of Stripe's words for one."""

    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    pass


@dataclass(frozen=True, slots=True)
class Email:
    most: int = 512


@dataclass(frozen=True, slots=True)
class OneOf:
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The ID of another object. With partial access an owned object must be the caller's."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class Expansion:
    """The name of the reference that Stripe is to answer as a whole object (docs.stripe.com/api/expanding_objects)."""

    attribute: str
    resource: Resource


@dataclass(frozen=True, slots=True)
class ReturnUrl:
    """Where Stripe sends a browser back to: only below one of ALLOWED_RETURN_URLS."""


@dataclass(frozen=True, slots=True)
class Group:
    """An object; `any_of`: it needs at least one of these members."""

    parameters: "tuple[Parameter, ...]"
    any_of: tuple[str, ...] = ()

    def names_of(self, resource: Resource) -> list[str]:
        """Name the members that refer to an object of this kind."""
        references = {each.name: each.type for each in self.parameters if isinstance(each.type, Reference)}
        return [name for name, kind in references.items() if kind.resource is resource]


@dataclass(frozen=True, slots=True)
class Several:
    """A list with at least one entry."""

    of: "Type"
    most: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """Exactly one of these JSON values, which the operator lists."""

    values: tuple[object, ...]

    def same(self, value: object) -> object | None:
        """Give the listed value that is equal to this one, as JSON compares: `true` is no number, 1.0 is 1."""
        return next((listed for listed in self.values if _same(listed, value)), None)


Wanted = TypeVar("Wanted")
Type = (
    Text | Pattern | Number | Time | Flag | Email | OneOf | Reference | Expansion | ReturnUrl | Group | Several | Chosen
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`amount`: it decides how much is paid, so it passes only where the operator lets clients decide that.

    `ours`: Stripe has no such parameter; others are computed from it. `clearable`: null unsets it in a change, as it
    does with every text. `tells`: who chooses by it learns this attribute, so it is for those who see that everywhere.
    """

    name: str
    type: Type
    required: bool = False
    amount: bool = False
    ours: bool = False
    clearable: bool = False
    tells: str | None = None


def found(
    parameters: Sequence[Parameter], values: Mapping[str, object], wanted: type[Wanted]
) -> Iterator[tuple[str, Wanted, object]]:
    """Give the values of one type at every depth: the place (`items[0].price`), the type, the value."""
    for parameter in parameters:
        if parameter.name in values:
            yield from _found(parameter.type, parameter.name, values[parameter.name], wanted)


def _found(kind: Type, place: str, value: object, wanted: type[Wanted]) -> Iterator[tuple[str, Wanted, object]]:
    if isinstance(kind, wanted):
        yield place, kind, value
    if isinstance(kind, Group) and isinstance(value, Mapping):
        for where, inner, member in found(kind.parameters, value, wanted):
            yield f"{place}.{where}", inner, member
    if isinstance(kind, Several) and isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            yield from _found(kind.of, f"{place}[{index}]", entry, wanted)


def is_owned(kind: Type) -> bool:
    """Say whether a parameter refers to an object that belongs to a customer."""
    return isinstance(kind, Reference) and kind.resource.owned


def declared(parameters: Sequence[Parameter]) -> Iterator[Type]:
    """Give the types of parameters at every depth."""
    for parameter in parameters:
        yield from _declared(parameter.type)


def _declared(kind: Type) -> Iterator[Type]:
    yield kind
    if isinstance(kind, Group):
        yield from declared(kind.parameters)
    if isinstance(kind, Several):
        yield from _declared(kind.of)


def _same(one: object, other: object) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and one == other
