"""For each parameter type in the table of operations: a valid value, and invalid values."""

import re
from collections.abc import Iterator, Sequence

from sidecar.core.operations.parameters import (
    MOST_SECONDS,
    Chosen,
    Email,
    Expansion,
    Flag,
    Group,
    Number,
    OneOf,
    Parameter,
    Pattern,
    Reference,
    ReturnUrl,
    Several,
    Text,
    Time,
    Type,
)
from sidecar.core.operations.resources import RESOURCES

RETURN_URL = "https://app.example.com/account"
PATTERNS = ("card", "charge", "de", "usd", "DE", "en", "eu_vat", "25")  # each pattern of the table accepts one of them
_TYPES: tuple[object, ...] = ({}, {"a": 1}, [], ["x"], True, 1.5, -1)


def sample(kind: Type) -> object:  # noqa: C901, PLR0911 - one case for each type
    """Give a valid value; a group gets its required members and one more."""
    match kind:
        case Text():
            return "one line"
        case Pattern():
            return next(word for word in PATTERNS if _fits(kind, word))
        case Number():
            return kind.least
        case Time():
            return 1_900_000_000
        case Expansion():
            return kind.attribute
        case Flag():
            return True
        case Email():
            return "ada@example.com"
        case OneOf() | Chosen():
            return kind.values[0]
        case Reference():
            return kind.resource.example
        case ReturnUrl():
            return RETURN_URL
        case Group():
            return {each.name: sample(each.type) for each in kind.parameters}
        case Several():
            return [sample(kind.of)]


def samples(parameters: Sequence[Parameter]) -> dict[str, object]:
    """Give a valid value for every parameter."""
    return {each.name: sample(each.type) for each in parameters}


def unsets(parameter: Parameter, *, changing: bool) -> bool:
    """Say whether null, and the empty value, unset this parameter."""
    return changing and (parameter.clearable or isinstance(parameter.type, Text))


def wrong(parameter: Parameter, *, changing: bool) -> Iterator[object]:
    """Give invalid values of a parameter of a creation, or of a change."""
    empty: object = [] if isinstance(parameter.type, Several) else ""
    may_be_empty = unsets(parameter, changing=changing)
    yield from (value for value in _wrong(parameter.type, changing) if not (may_be_empty and value == empty))


def _wrong(kind: Type, changing: bool) -> Iterator[object]:  # noqa: C901, FBT001 - one case for each type
    """Give invalid values: of another type, out of bounds, or of an unsupported shape."""
    yield from (value for value in _TYPES if not _of_type(kind, value))
    match kind:
        case Text():
            yield from ("", " ", "x" * (kind.most + 1), "a\nb", "a\r\nb", "a\x00b", "a\u2028b", 1)
        case Pattern() | OneOf():
            good = str(sample(kind))
            yield from (1, "", f"{good}\n", f" {good}", f"{good}&x=1", f"{good.swapcase()}_1", "é" * 3)
        case Number():
            yield from (kind.least - 1, kind.most + 1, "1", 1.0, 10**30)
        case Time():
            yield from ("", "soon", "1900000000", MOST_SECONDS + 1, 1.0)
        case Expansion():
            yield from (1, "", "expand", f"{kind.attribute}.x", f"data.{kind.attribute}")
        case Flag():
            yield from ("true", 0, 1, "")
        case Email():
            yield from ("ada", "ada@example.com\n", "a@b@c.co", "x" * kind.most + "@b.co", 1)
        case Reference():
            yield from wrong_ids(kind)
        case ReturnUrl():
            yield from ("", "http://app.example.com/account", f"{RETURN_URL}/../x", f"{RETURN_URL}?{'x' * 2048}", 1)
        case Group():
            yield from ("x", 1, {"unknown": 1}, {"expand": ["x"]})
            for each in kind.parameters:
                faulty = wrong(each, changing=changing)
                yield from ({**samples(kind.parameters), each.name: value} for value in faulty)
        case Several():
            yield from ("x", 1, [sample(kind.of)] * (kind.most + 1))
            yield from ([sample(kind.of), value] for value in _wrong(kind.of, changing))


def wrong_ids(kind: Reference) -> Iterator[object]:
    good = kind.resource.example
    other = next(each for each in RESOURCES.values() if each is not kind.resource)
    yield from (1, "", f"{good}\n", f"{good}/..", f"{good}?x", f"{good}&customer=cus_1")
    yield from (other.example, f"{good}é", good + "1" * 260, {"id": good})
    yield from ("search",) if kind.resource.free else (good.partition("_")[0], good.upper())


def _of_type(kind: Type, value: object) -> bool:
    match kind:
        case Group():
            return value == {} and not any(each.required for each in kind.parameters)
        case Flag():
            return value is True
        case _:
            return False


def _fits(kind: Pattern, word: str) -> bool:
    return re.fullmatch(kind.pattern, word) is not None
