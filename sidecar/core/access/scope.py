"""Which customers a caller may touch, and which fields of each customer's row it may read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar.core.access.permissions import EVERY_FIELD, AllowedFields


@dataclass(frozen=True, slots=True)
class Everything:
    """Every customer of the account."""


@dataclass(frozen=True, slots=True)
class NotLookedUp:
    """The customers in the caller's own rows, which nobody has read yet."""


@dataclass(frozen=True, slots=True)
class OwnCustomers:
    """Exactly these customers, with the fields of each one's row that the caller may read. The default is none."""

    fields: Mapping[str, AllowedFields] = field(default_factory=lambda: MappingProxyType({}))


Scope = Everything | NotLookedUp | OwnCustomers


def shown_fields(row: Mapping[str, object], allowed: AllowedFields) -> AllowedFields:
    """Give the fields of one row that a caller may read, from the row as Directus answers it to that caller.

    With several policies `/permissions/me` adds up their fields, but the items API shows each field only in its own
    policy's rows and null elsewhere. So a field counts where it has a value, and `*` where every field has one.
    """
    shown = frozenset(name for name, value in row.items() if value is not None and allowed.allow(name))
    return EVERY_FIELD if allowed.unrestricted and len(shown) == len(row) else AllowedFields(shown)
