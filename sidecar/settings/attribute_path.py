"""Where a value stands in an object of Stripe's: names joined by dots, such as `items.data.0.quantity`."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sidecar.core.operations.attributes import Plain
from sidecar.core.operations.resources import Resource
from sidecar.core.operations.rules import suggestion
from sidecar.core.secret_values import ALL as SECRETS

MUST = 'must name attributes of Stripe\'s object by field, such as { total = "amount_total", city = "address.city" }'
_NAME = re.compile(r"[a-z0-9_]{1,64}")
_METADATA, _METADATA_KEY = "metadata", re.compile(r"[^\[\]\x00-\x1f\x7f]{1,40}")  # docs.stripe.com/api/metadata
_LONGEST = 10  # names


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """`attributes` are the names that an object of this kind has, None if those of the API version are not known."""

    resource: Resource
    attributes: AbstractSet[str] | None


def names_of(path: str) -> tuple[str, ...]:
    """Give the names. A key of metadata may have dots in it, so all that comes after `metadata.` is one."""
    first, dot, key = path.partition(".")
    return (first, key) if first == _METADATA and dot else tuple(path.split("."))


def require_path(path: str, kind: ObjectKind) -> None:
    """Raise ValueError for a path that leads nowhere in objects of this kind, or to a secret."""
    names = names_of(path)
    inner = _METADATA_KEY if names[0] == _METADATA else _NAME
    if not (_NAME.fullmatch(names[0]) and all(map(inner.fullmatch, names[1:])) and len(names) <= _LONGEST):
        raise ValueError(MUST)
    if any(map(SECRETS.is_name, names)):
        raise ValueError("leads to a secret of Stripe's, and no event passes one on; take it out")
    first, owner = names[0], kind.resource.kind
    if kind.attributes is not None and first not in kind.attributes:
        raise ValueError(f"Stripe's {owner} has no attribute {first}{suggestion(first, kind.attributes)}")
    if len(names) > 1:
        _require_parts(first, kind.resource)


def _require_parts(name: str, resource: Resource) -> None:
    """Raise ValueError where the attribute is known to have none."""
    types = {attribute.name: attribute.type for attribute in (*resource.shown, *resource.mapped)}
    match types.get(name):
        case Plain.REFERENCE:
            raise ValueError(f"{name} is the ID of another object, which is not read; name {name} alone")
        case Plain.TEXT | Plain.INTEGER | Plain.TIMESTAMP | Plain.BOOLEAN:
            raise ValueError(f"{name} is one value and has no parts; name {name} alone")
