"""Judges values by the types that Stripe's own library has for the parameters of each call.

The library is generated from one version of Stripe's API, `API_VERSION`. Its enumerations are open for programs that
are older than a value; here one that the version does not have is a fault, since it is most likely a slip. Import this
module only where there are values to judge: it loads the library.
"""

import math
import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, Literal, Union, get_args, get_origin

import stripe
import stripe.params
from typing_extensions import get_type_hints, is_typeddict

from sidecar.core.operations.row import Kind, Operation
from sidecar.settings.fault_text import Fault, Place, similar, written

_CALLS = {Kind.LIST: "List", Kind.RETRIEVE: "Retrieve", Kind.CREATE: "Create", Kind.CREATE_CUSTOMER: "Create"}
_OTHERS = {  # where the library has another word than the method and the path
    "subscriptions.cancel": "SubscriptionCancelParams",
    "invoices.finalize": "InvoiceFinalizeInvoiceParams",
    "invoices.void": "InvoiceVoidInvoiceParams",
}
_ELSEWHERE = {"StripeContext": object, "Mapping": Mapping}  # the library's annotations do not import these
_EMPTY = (Literal[""],)  # beside a text it means no enumeration but that the text may be empty, which unsets
_FREE = frozenset({""})
_DEEPEST_MEANT = 3  # levels within which a parameter is looked for that stands at a wrong place


def class_of(operation: Operation) -> type:
    """Find the library's class of an operation's parameters. Raises AttributeError."""
    room, _, kind = operation.resource.kind.rpartition(".")
    call = _CALLS.get(operation.kind) or (
        "Delete" if operation.method == "DELETE" else _capitalized(operation.verb.removeprefix("/") or "update")
    )
    name = _OTHERS.get(operation.name, f"{_capitalized(kind)}{call}Params")
    found: type = attrgetter(f"{room}.{name}" if room else name)(stripe.params)
    return found


def faults(operation: Operation, values: Mapping[str, object]) -> Iterator[Fault]:
    """Find every fault of values that are given for an operation."""
    yield from _group(class_of(operation), values, ())


def _capitalized(words: str) -> str:
    return "".join(word.capitalize() for word in words.split("_"))


@cache
def _members(group: type) -> Mapping[str, Any]:
    """Give the parameters of a class and their types, without the library's own options."""
    hidden = {"expand", *stripe.RequestOptions.__annotations__}
    hints = get_type_hints(group, localns=_ELSEWHERE)
    return {name: hint for name, hint in hints.items() if name not in hidden}


def _group(group: type, values: Mapping[str, object], path: Place) -> Iterator[Fault]:
    known = _members(group)
    for name, value in values.items():
        if name in known:
            yield from _value(list(_alternatives(known[name])), value, (*path, name))
        else:
            yield Fault((*path, name), f"Stripe has no such parameter{_meant(group, name)}")
    required = group.__required_keys__ & known.keys()  # type: ignore[attr-defined]  # it is a TypedDict
    for name in sorted(required - values.keys() if values.keys() <= known.keys() else ()):
        yield Fault((*path, name), "is not set, and Stripe needs it", missing=True)


def _meant(group: type, name: str) -> str:
    """Ask whether one of a similar name was meant, or one of this name within another parameter."""
    if here := similar(name, list(_members(group))):
        return here
    inner = next((place for place in _places(group, _DEEPEST_MEANT) if place[-1] == name), None)
    return "" if inner is None else f"; did you mean {written(inner)}?"


def _places(group: type, levels: int) -> Iterator[Place]:
    """Give the places of all parameters within others, the less deep ones first."""
    within: list[tuple[Place, type]] = [((), group)]
    for _ in range(levels):
        within = [
            ((*place, *step), inner)
            for place, outer in within
            for name, hint in _members(outer).items()
            for step, inner in _groups(name, hint)
        ]
        yield from ((*place, name) for place, inner in within for name in _members(inner))


def _groups(name: str, hint: Any) -> Iterator[tuple[Place, type]]:  # noqa: ANN401 - types are values here
    for kind in _alternatives(hint):
        if is_typeddict(kind):
            yield (name,), kind
        elif get_origin(kind) is list:
            yield from (((name, 0), inner) for inner in _alternatives(get_args(kind)[0]) if is_typeddict(inner))


def _value(kinds: list[Any], value: object, path: Place) -> Iterator[Fault]:
    match value:
        case Mapping() if groups := [kind for kind in kinds if is_typeddict(kind)]:
            yield from _group(groups[0], value, path)
        case Mapping() if maps := [kind for kind in kinds if get_origin(kind) is dict]:
            for name, member in value.items():
                yield from _value([*_alternatives(get_args(maps[0])[1]), *_EMPTY], member, (*path, name))
        case list() if lists := [kind for kind in kinds if get_origin(kind) is list]:
            for index, entry in enumerate(value):
                yield from _value(list(_alternatives(get_args(lists[0])[0])), entry, (*path, index))
        case "" if _is_free(kinds) and "" not in _choices(kinds):
            yield Fault(path, "must not be empty")
        case _ if not _fits(kinds, value):
            meant = similar(value, sorted(_choices(kinds))) if isinstance(value, str) else ""
            yield Fault(path, f"must be {_expected(kinds)}{meant}")


def _fits(kinds: list[Any], value: object) -> bool:
    match value:
        case bool():
            return bool in kinds
        case int():
            return not {int, float, Decimal}.isdisjoint(kinds)
        case float():
            return math.isfinite(value) and not {float, Decimal}.isdisjoint(kinds)
        case str():
            return value in _choices(kinds) or _is_free(kinds) or (Decimal in kinds and _is_decimal(value))
        case _:
            return False


def _is_decimal(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal() and text.isascii()


def _is_free(kinds: list[Any]) -> bool:
    return str in kinds and _choices(kinds) <= _FREE


def _choices(kinds: list[Any]) -> frozenset[str]:
    return frozenset(choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind))


def _expected(kinds: list[Any]) -> str:
    choices = sorted(_choices(kinds) - _FREE)
    wanted = {
        "true or false": bool in kinds,
        "a whole number": int in kinds,
        "a number": not {float, Decimal}.isdisjoint(kinds),
        "a text": _is_free(kinds),
        f"one of {', '.join(choices)}": bool(choices),
        "a list": any(get_origin(kind) is list for kind in kinds),
        "a table": any(is_typeddict(kind) or get_origin(kind) is dict for kind in kinds),
    }
    return " or ".join(what for what, there in wanted.items() if there)


def _alternatives(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - types are values here
    """Give each type of a union, or the type itself."""
    if get_origin(hint) in {Union, types.UnionType}:
        for kind in get_args(hint):
            yield from _alternatives(kind)
    else:
        yield hint
