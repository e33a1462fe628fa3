"""What the operator decides of an operation's parameters: values that are always sent, and what a client may choose.

Plain functions over JSON values; ``settings.operator_values`` reads them from the operator's file, and judges them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sidecar.core.operations.parameters import Chosen, Group, Parameter, Text
from sidecar.core.operations.row import Operation

USER, ITEM = "$user", "$item"  # the caller's user ID, and the primary key of the item that names the call's customer
PLACEHOLDERS = frozenset({USER, ITEM})
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a client may send at a place, such as `("metadata", "cart")`."""

    path: Path
    type: Text | Chosen


@dataclass(frozen=True, slots=True)
class OperatorValues:
    """`fixed` is sent with every request, and no client sends anything there.

    `allowed` adds to the parameters that the table has, or narrows one of them.
    """

    fixed: Mapping[str, object] = field(default_factory=dict)
    allowed: tuple[Allowed, ...] = ()


def client_parameters(operation: Operation, values: OperatorValues, *, amounts: bool) -> tuple[Parameter, ...]:
    """Give the parameters that a client may send; `amounts`: also those that decide how much is paid.

    Where the operator decides which of `one_of` is sent, and so what is paid, clients send no other one and no amount.
    What excludes a fixed parameter is no client's either.
    """
    decided = [each for each in operation.parameters if each.name in operation.one_of and each.name in values.fixed]
    offered = [each for each in operation.taken if not each.amount or (amounts and not decided)]
    if decided:
        by_ours = decided[0].ours
        offered = [each for each in offered if each.name not in operation.one_of and (by_ours or not each.ours)]
    if not values.fixed.keys().isdisjoint(operation.at_most_one):
        offered = [each for each in offered if each.name not in operation.at_most_one]
    left = _without(offered, values.fixed)
    for each in values.allowed:
        left = _with(left, each.path, each.type)
    return left


def _without(parameters: Sequence[Parameter], fixed: Mapping[str, object]) -> tuple[Parameter, ...]:
    return tuple(
        left
        for parameter in parameters
        if (left := _rest(parameter, fixed[parameter.name]) if parameter.name in fixed else parameter) is not None
    )


def _rest(parameter: Parameter, fixed: object) -> Parameter | None:
    """Give a parameter without the members that are fixed; None where nothing of it is left."""
    group = parameter.type
    if not (isinstance(group, Group) and isinstance(fixed, Mapping)):
        return None
    members = _without(group.parameters, fixed)
    if not members:
        return None
    any_of = group.any_of if fixed.keys().isdisjoint(group.any_of) else ()
    required = parameter.required and any(member.required for member in members)
    return replace(parameter, type=replace(group, parameters=members, any_of=any_of), required=required)


def _with(parameters: Sequence[Parameter], path: Path, kind: Text | Chosen) -> tuple[Parameter, ...]:
    name, deeper = path[0], path[1:]
    there = next((parameter for parameter in parameters if parameter.name == name), Parameter(name, Group(())))
    group = there.type if isinstance(there.type, Group) else Group(())
    if deeper:
        added = replace(there, type=replace(group, parameters=_with(group.parameters, deeper, kind)))
    else:
        added = replace(there, type=kind, clearable=False)
    return (*(each for each in parameters if each.name != name), added)


def decided_place(
    sent: Mapping[str, object], fixed: Mapping[str, object], left: Sequence[Parameter], within: str = ""
) -> str | None:
    """Find where a client sends what the operator decides, be it above or below; `left` is what a client may send."""
    groups = {parameter.name: parameter.type for parameter in left if isinstance(parameter.type, Group)}
    for name, value in sent.items():
        if name not in fixed:
            continue
        place, decided = f"{within}{name}", fixed[name]
        if not (name in groups and isinstance(value, Mapping) and isinstance(decided, Mapping)):
            return place
        deeper = decided_place(value, decided, groups[name].parameters, f"{place}.")
        if deeper is not None:
            return deeper
    return None


def completed(values: Mapping[str, object], fixed: Mapping[str, object]) -> dict[str, object]:
    """Add the fixed values, which replace whatever else is in their places."""
    merged = dict(values)
    for name, value in fixed.items():
        beside = merged.get(name)
        both = isinstance(beside, Mapping) and isinstance(value, Mapping)
        merged[name] = completed(beside, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return merged


def texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Give every text at any depth, with its place, such as `discounts[0].coupon`."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from texts(member, f"{place}.{name}" if place else name)
    elif isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            yield from texts(entry, f"{place}[{index}]")


def place_of(placeholder: str, fixed: Mapping[str, object]) -> str | None:
    """Give the first place of a placeholder; None where there is none."""
    return next((place for place, text in texts(fixed) if text == placeholder), None)


def of_nobody(fixed: Mapping[str, object]) -> dict[str, object]:
    """Leave out what is about the caller or its item, for a request without a credential."""
    return {name: _of_nobody(value) for name, value in fixed.items() if not _is_placeholder(value)}


def _of_nobody(value: object) -> object:
    match value:
        case Mapping():
            return of_nobody(value)
        case list() | tuple():
            return [_of_nobody(entry) for entry in value if not _is_placeholder(entry)]
        case _:
            return value


def _is_placeholder(value: object) -> bool:
    return isinstance(value, str) and value in PLACEHOLDERS


def filled(fixed: Mapping[str, object], words: Mapping[str, str]) -> dict[str, object]:
    """Put words in the places of placeholders; those without a word stay."""
    return {name: _filled(value, words) for name, value in fixed.items()}


def _filled(value: object, words: Mapping[str, str]) -> object:
    match value:
        case str():
            return words.get(value, value)
        case Mapping():
            return filled(value, words)
        case list() | tuple():
            return [_filled(entry, words) for entry in value]
        case _:
            return value
