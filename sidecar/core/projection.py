"""Which attributes of a Stripe object a caller may see, and which it may set.

A caller whose fields are `*` sees the object, less its secrets. A caller with a field list sees a small base
of each kind and what its fields map to; whatever is not mapped stays out, at every depth.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sidecar.core.interfaces import StripeObject
from sidecar.core.permissions import AllowedFields

# Whoever holds one can act on the payment (docs.stripe.com/api/payment_intents/object, client_secret).
SECRETS = frozenset({"client_secret"})

_BASE = {
    "customer": frozenset({"id", "object", "created", "livemode", "deleted"}),
    "payment_intent": frozenset(
        {"id", "object", "amount", "amount_received", "currency", "status", "created", "customer", "livemode"}
    ),
}
_ANY_BASE = frozenset({"id", "object"})
_CUSTOMER_ID = {"customer": frozenset({"id"})}  # where a kind names the customer; others do in "customer"


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Directus field -> the Stripe attributes it stands for. `id_field` alone decides on the customer's ID."""

    id_field: str
    attributes: Mapping[str, tuple[str, ...]]

    def visible(self, fields: AllowedFields) -> frozenset[str]:
        return frozenset(name for field, names in self.attributes.items() if fields.allow(field) for name in names)

    def unwritable(self, attributes: Iterable[str], fields: AllowedFields) -> list[str]:
        """Name the attributes that no field allowed for writing stands for."""
        return [] if fields.unrestricted else sorted(set(attributes) - self.visible(fields))

    def item_values(self, attributes: Mapping[str, object]) -> dict[str, object]:
        """Give what a new item carries: each attribute under the first field that stands for it."""
        fields: dict[str, str] = {}
        for field, names in self.attributes.items():
            for name in names:
                fields.setdefault(name, field)
        return {fields[name]: value for name, value in attributes.items() if name in fields}


@dataclass(frozen=True, slots=True)
class View:
    """What one caller sees. The zero value is the least: no mapped attribute, no customer's ID, no secrets."""

    everything: bool = False
    secrets: bool = False
    customer_ids: bool = False
    attributes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, fields: AllowedFields, field_map: FieldMap, *, secrets: bool) -> "View":
        return cls(
            everything=fields.unrestricted,
            secrets=secrets,
            customer_ids=fields.allow(field_map.id_field),
            attributes=field_map.visible(fields),
        )

    def project(self, value: StripeObject) -> StripeObject:
        """Copy an object of Stripe as this caller may see it."""
        if not self.everything:
            return self._reduced(value)
        return value if self.secrets else _without_secrets(value)

    def _reduced(self, value: StripeObject) -> StripeObject:
        kind = str(value.get("object"))
        names = _BASE.get(kind, _ANY_BASE) | self.attributes
        if not self.customer_ids:
            names -= _CUSTOMER_ID.get(kind, frozenset({"customer"}))
        return {name: self._member(member) for name, member in value.items() if name in names - SECRETS}

    def _member(self, member: object) -> object:
        if isinstance(member, list):
            return [self._member(entry) for entry in member]
        if isinstance(member, dict):
            return self._reduced(member) if "object" in member else _without_secrets(member)
        return member


@dataclass(frozen=True, slots=True)
class ScopedView:
    """What a caller sees that is held to its rows: of each customer, and of what is that customer's, its own view."""

    views: Mapping[str, View]
    everything = False
    secrets = False
    customer_ids = True  # whoever cannot see them is not let in with a scope

    def project(self, value: StripeObject) -> StripeObject:
        return self.views.get(_customer_of(value), View()).project(value)


def _customer_of(value: StripeObject) -> str:
    """Find whose an object is; a reference stands as an ID, or as the object itself."""
    reference = value if value.get("object") == "customer" else value.get("customer")
    return str(reference.get("id") if isinstance(reference, dict) else reference)


def _without_secrets(value: StripeObject) -> StripeObject:
    return {name: _plain(member) for name, member in value.items() if name not in SECRETS}


def _plain(member: object) -> object:
    if isinstance(member, dict):
        return _without_secrets(member)
    if isinstance(member, list):
        return [_plain(entry) for entry in member]
    return member
