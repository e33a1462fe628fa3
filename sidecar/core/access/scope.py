"""Which customers a caller may touch, and what of each. The zero value is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar.core.access.permissions import AllowedFields


@dataclass(frozen=True, slots=True)
class Scope:
    """Either `everything`, or exactly these customers, each with the fields that the caller sees of its row."""

    customers: Mapping[str, AllowedFields] = field(default_factory=lambda: MappingProxyType({}))
    everything: bool = False


EVERYTHING = Scope(everything=True)


def shown_fields(row: Mapping[str, object], allowed: AllowedFields) -> AllowedFields:
    """Say which fields a caller sees of one row, from the row as Directus gives it to that caller.

    Where several policies meet, Directus adds up their fields in its answer on permissions, yet shows each field in
    its own policy's rows only, and as null elsewhere. So a field counts where it holds something, and `*` where all do.
    """
    shown = frozenset(name for name, value in row.items() if value is not None and allowed.allow(name))
    return AllowedFields(frozenset({"*"})) if allowed.unrestricted and len(shown) == len(row) else AllowedFields(shown)
