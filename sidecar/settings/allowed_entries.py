"""Reads the entries of `allow`: the place of a text that the client chooses, or a table with a value that it may send.

In such a table, a table with one entry names a member: `{ a = { b = 1 } }` allows 1 for a.b, whatever else is in a.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.core.operations.metadata import LONGEST_VALUE, METADATA
from sidecar.core.operations.operator_values import Path
from sidecar.core.operations.parameters import Text
from sidecar.settings.fault_text import Fault, shown

_REFERENCE = "client_reference_id"
_MOST_REFERENCE = 200  # characters (docs.stripe.com/api/checkout/sessions/create)
_LIST_THEM = (
    f"any value is only for {_REFERENCE} and for keys of metadata, such as metadata.order_id; name the values, such as "
    '{ discounts = [{ coupon = "SUMMER" }] }'
)


@dataclass(frozen=True, slots=True)
class Entry:
    """`free` is the type of a text that the client chooses; without it the client may send `value`."""

    path: Path
    value: object
    free: Text | None = None

    @property
    def nested(self) -> Mapping[str, object]:
        """Give what a client would send."""
        value = self.value
        for name in reversed(self.path[1:]):
            value = {name: value}
        return {self.path[0]: value}


def read_entry(entry: str | Mapping[str, object]) -> Entry | Fault:
    return _free(entry) if isinstance(entry, str) else _one_value(entry)


def _free(name: str) -> Entry | Fault:
    if name == _REFERENCE:
        return Entry((name,), "any", Text(_MOST_REFERENCE))
    before, _, key = name.partition(f"{METADATA}.")
    within = tuple(before.split("."))
    if key == "" or within[-1] != "" or "" in within[:-1]:
        return Fault((name,), _LIST_THEM)
    if "*" in key:
        return Fault((name,), "name each key, such as metadata.order_id; there is no sign for all of them")
    return Entry((*within[:-1], METADATA, key), "any", Text(LONGEST_VALUE))


def _one_value(entry: Mapping[str, object]) -> Entry | Fault:
    if len(entry) != 1:
        return Fault((), f"{shown(', '.join(entry)) or 'each entry'}: name one parameter in each table")
    path: list[str] = []
    value: object = entry
    while isinstance(value, Mapping) and len(value) == 1:
        [(name, value)] = value.items()
        path.append(name)
    return Entry(tuple(path), value)
