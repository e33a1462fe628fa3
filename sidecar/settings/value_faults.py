"""What values of the operator's must be whatever the version of Stripe's API: no types, but what is never for them."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, time

from sidecar.core.operations.metadata import LONGEST_VALUE, METADATA, MOST_KEYS, key_fault
from sidecar.core.operations.operator_values import ITEM, PLACEHOLDERS, USER
from sidecar.core.operations.row import Operation
from sidecar.settings.fault_text import Fault, Place

_DEEPEST = 20  # levels; Stripe's own parameters have some eight
_WORD = re.compile(r"\$[A-Za-z_{]")
_NEVER = {
    "customer": "the caller's rows decide it",
    "customer_account": "the caller's rows decide it",
    "stripe_customer_id": "the caller's rows decide it",
    "expand": "is never sent",
    "stripe_account": "the key decides the account",
    "stripe_context": "the key decides the account",
}


def is_too_deep(value: object, levels: int = _DEEPEST) -> bool:
    """Say whether values are nested more deeply than anything here reads; a file may nest any number of levels."""
    if not isinstance(value, Mapping | list):
        return False
    members = value.values() if isinstance(value, Mapping) else value
    return levels == 0 or any(is_too_deep(member, levels - 1) for member in members)


def value_faults(operation: Operation, values: Mapping[str, object]) -> Iterator[Fault]:
    """Find the faults of values by Stripe's names; ask `is_too_deep` first."""
    return _table(operation, values, ())


def _table(operation: Operation, values: Mapping[str, object], place: Place) -> Iterator[Fault]:
    for name, value in values.items():
        inner = (*place, name)
        if name in _NEVER:
            yield Fault(inner, _NEVER[name])
        elif name == METADATA:
            yield from _metadata(operation, value, inner)
        else:
            yield from _value(operation, value, inner)


def _metadata(operation: Operation, value: object, place: Place) -> Iterator[Fault]:
    """Metadata that is no table would clear all keys, the service's own with them."""
    if not isinstance(value, Mapping):
        yield Fault(place, "must be a table")
        return
    if not 0 < len(value) <= MOST_KEYS:
        yield Fault(place, f"must have 1 to {MOST_KEYS} keys")
    for key, member in value.items():
        if (fault := key_fault(key, operation)) is not None:
            yield Fault((*place, key), fault)
        elif not isinstance(member, str) or len(member) > LONGEST_VALUE:
            yield Fault((*place, key), f"must be a text of at most {LONGEST_VALUE} characters")
        else:
            yield from _text(member, (*place, key))


def _value(operation: Operation, value: object, place: Place) -> Iterator[Fault]:
    match value:
        case Mapping() | list() if not value:
            yield Fault(place, "must not be empty")
        case Mapping():
            yield from _table(operation, value, place)
        case list():
            for index, entry in enumerate(value):
                yield from _value(operation, entry, (*place, index))
        case str():
            yield from _text(value, place)
        case bool() | int() | float():
            return
        case date() | time():
            yield Fault(place, "a time at Stripe is a whole number of seconds since 1970, such as 1767225600")
        case _:
            yield Fault(place, "must be a text, a number, true or false, a list or a table")


def _text(text: str, place: Place) -> Iterator[Fault]:
    if text not in PLACEHOLDERS and _WORD.search(text):
        yield Fault(place, f"a word after $ must be {USER} or {ITEM}, and the whole text")
