"""Which attributes of a Stripe object a caller may see, and which it may set.

A caller whose fields are `*` sees the object, less its secrets. A caller with a field list sees a small base
of each kind and what its fields map to; whatever is not mapped stays out, at every depth.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import AllowedFields
from sidecar.core.operations.resources import RESOURCES, StripeObject, customer_of

# Whoever holds one can act on the payment (docs.stripe.com/api/payment_intents/object, client_secret).
SECRETS = frozenset({"client_secret"})

_BASE = {kind: resource.base for kind, resource in RESOURCES.items()} | {
    "list": frozenset({"object", "data", "has_more"})  # within an object
}
_LINKS = {kind: resource.links for kind, resource in RESOURCES.items()}
_ANY_BASE = frozenset({"id", "object"})
_CUSTOMER_ID = {"customer": frozenset({"id"})}  # where a kind names the customer
_ANY_CUSTOMER_ID = frozenset({"customer"})  # where others do


@dataclass(frozen=True, slots=True)
class View:
    """What one caller sees. The zero value is the least: no mapped attribute, no customer's ID, no secrets.

    `own`: only what belongs to this caller's own customers is looked at, so links, and secrets where the operator
    exposes them, are for it even with a field list. `made`: only what it has just made, so links are.
    """

    everything: bool = False
    secrets: bool = False
    customer_ids: bool = False
    attributes: frozenset[str] = frozenset()
    own: bool = False
    made: bool = False

    @classmethod
    def of(
        cls, fields: AllowedFields, field_map: FieldMap, *, customer_ids: bool, secrets: bool, own: bool = False
    ) -> "View":
        """`customer_ids` is for the customers collection to say, whichever collection the fields are of."""
        return cls(
            everything=fields.unrestricted and customer_ids,
            secrets=secrets,
            customer_ids=customer_ids,
            attributes=field_map.visible(fields),
            own=own,
        )

    def project(self, value: StripeObject) -> StripeObject:
        """Copy an object of Stripe as this caller may see it."""
        if not self.everything:
            return self._reduced(value)
        return value if self.secrets else _without_secrets(value)

    def _reduced(self, value: StripeObject) -> StripeObject:
        kind = str(value.get("object"))
        names = (_BASE.get(kind, _ANY_BASE) | self.attributes) - self._hidden(kind)
        if self.own or self.made:
            names = names | _LINKS.get(kind, frozenset())
        if self.own and self.secrets:
            names = names | SECRETS
        return {name: self._member(member) for name, member in value.items() if name in names}

    def _hidden(self, kind: str) -> frozenset[str]:
        return SECRETS if self.customer_ids else SECRETS | _CUSTOMER_ID.get(kind, _ANY_CUSTOMER_ID)

    def _member(self, member: object) -> object:
        """What is seen is seen whole, up to the objects within it, which are reduced in their turn."""
        if isinstance(member, list):
            return [self._member(entry) for entry in member]
        if not isinstance(member, dict):
            return member
        if "object" in member:
            return self._reduced(member)
        return {name: self._member(inner) for name, inner in member.items() if name not in self._hidden("")}


@dataclass(frozen=True, slots=True)
class ScopedView:
    """What a caller sees that is held to its rows: of each customer, and of what is that customer's, its own view."""

    views: Mapping[str, View]
    everything = False
    secrets = False
    customer_ids = True  # whoever cannot see them is not let in with a scope

    def project(self, value: StripeObject) -> StripeObject:
        return self.views.get(str(customer_of(value)), View()).project(value)


def _without_secrets(value: StripeObject) -> StripeObject:
    return {name: _plain(member) for name, member in value.items() if name not in SECRETS}


def _plain(member: object) -> object:
    if isinstance(member, dict):
        return _without_secrets(member)
    if isinstance(member, list):
        return [_plain(entry) for entry in member]
    return member
