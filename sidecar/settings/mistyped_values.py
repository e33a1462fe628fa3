"""Which of the operator's values are of another type than Stripe's, or than ours where Stripe has no such parameter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from sidecar.core.operations.parameters import Group, Number, Parameter, Reference
from sidecar.core.operations.row import Operation
from sidecar.settings.allowed_entries import Entry
from sidecar.settings.fault_text import Fault, Place

_EACH = "; write an entry of `allow` for each value"


def mistyped_set(operation: Operation, fixed: Mapping[str, object], client: Sequence[Parameter]) -> Iterator[Fault]:
    """Judge by Stripe's types; what is required may be left for the client, or be computed."""
    offered = set(_places(client, ()))
    computed = any(each.ours for each in operation.parameters if each.name in fixed or each in client)
    for fault in _mistyped(operation, fixed):
        top = len(fault.place) == 1
        if not (fault.missing and (fault.place in offered or (top and computed))):
            yield fault


def mistyped_entry(operation: Operation, entry: Entry) -> Iterator[Fault]:
    """Judge by Stripe's types; beside a member that is allowed, others may come from elsewhere."""
    for fault in _mistyped(operation, entry.nested):
        if not fault.missing:
            yield replace(fault, what=f"{fault.what}{_EACH}") if _is_list(entry.nested, fault.place) else fault
        elif len(fault.place) > len(entry.path):
            yield fault


def _mistyped(operation: Operation, values: Mapping[str, object]) -> Iterator[Fault]:
    from sidecar.settings.stripe_parameters import faults  # noqa: PLC0415 - it loads Stripe's library

    ours = {each.name: each for each in operation.parameters if each.ours}
    yield from faults(operation, {name: value for name, value in values.items() if name not in ours})
    for name in values.keys() & ours.keys():
        yield from _ours(ours[name], values[name])


def _is_list(values: Any, place: Place) -> bool:  # noqa: ANN401 - values of any shape
    return isinstance(reduce(lambda within, step: within[step], place, values), list)


def _ours(parameter: Parameter, value: object) -> Iterator[Fault]:
    match parameter.type:
        case Reference(resource=resource) if not resource.is_id(value):
            yield Fault((parameter.name,), f"must be the ID of a {resource.kind}, such as {resource.example}")
        case Number(least=least, most=most) if type(value) is not int or not least <= value <= most:
            yield Fault((parameter.name,), f"must be a whole number from {least} to {most}")


def _places(parameters: Sequence[Parameter], within: Place) -> Iterator[Place]:
    for parameter in parameters:
        yield (*within, parameter.name)
        if isinstance(parameter.type, Group):
            yield from _places(parameter.type.parameters, (*within, parameter.name))
