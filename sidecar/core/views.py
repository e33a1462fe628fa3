"""Which attributes of a Stripe object a caller sees.

A caller whose fields are `*` sees the whole object without its secrets. A caller with a field list sees the base of
each kind and what its fields map to. Everything else is left out, at every depth, and so is every value that holds a
secret: only a caller that sees an object's own secrets also sees the client secrets within its other values.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol, TypeGuard

from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import AllowedFields
from sidecar.core.operations.attributes import Plain, Structure
from sidecar.core.operations.resources import RESOURCES, StripeObject, customer_of
from sidecar.core.secret_members import NAME
from sidecar.core.secret_values import ALL, NOBODYS, Secrets

_BASE = {kind: resource.base for kind, resource in RESOURCES.items()} | {
    "list": frozenset({"object", "data", "has_more"})  # a list within an object
}
_CLOSED = {
    kind: {
        each.name: each.type
        for each in (*resource.shown, *resource.secrets)
        if isinstance(each.type, Structure) and each.type.closed
    }
    for kind, resource in RESOURCES.items()
}
_SECRETS = {kind: frozenset(each.name for each in resource.secrets) for kind, resource in RESOURCES.items()}
_SECRET_TEXTS: Mapping[str | None, frozenset[str]] = {
    kind: frozenset(each.name for each in resource.secrets if each.type is Plain.TEXT)
    for kind, resource in RESOURCES.items()
}
_LINKS = {kind: resource.links for kind, resource in RESOURCES.items()}
_NONE: frozenset[str] = frozenset()
_NO_STRUCTURES: Mapping[str, Structure] = {}
_CLIENT_SECRET = frozenset({NAME})
_ANY_BASE = frozenset({"id", "object"})
_ANY_CUSTOMER_ID = frozenset({"customer"})
_CUSTOMER_ID: Mapping[str | None, frozenset[str]] = {  # where other kinds have it
    kind: frozenset(resource.customer_at[:1]) for kind, resource in RESOURCES.items() if resource.customer_at
}


class CallerView(Protocol):
    """What one caller sees."""

    @property
    def customer_ids(self) -> bool:
        """Whether the caller sees the ID of every customer in its answers."""

    def project(self, value: StripeObject) -> StripeObject:
        """Copy an object with what the caller sees of it."""


@dataclass(frozen=True, slots=True)
class View:
    """One view for all objects. The defaults show the least: the base alone, no customer's ID and no secrets.

    `own`: all objects belong to the caller's own customers, so the view shows their links, and their secrets where
    `secrets` is set. `made`: the caller has just created the object, so the view shows its links. `key_of`: the kind
    that the operation makes for its secret's sake; where secrets are shown this one is, although it is a key.
    """

    everything: bool = False
    secrets: bool = False
    customer_ids: bool = False
    attributes: frozenset[str] = frozenset()
    own: bool = False
    made: bool = False
    key_of: str | None = None

    @classmethod
    def of(
        cls,
        fields: AllowedFields,
        field_map: FieldMap,
        *,
        customer_ids: bool,
        secrets: bool,
        own: bool = False,
        made: bool = False,
    ) -> "View":
        """Make the view of `fields`. Only the permissions on the customers collection decide `customer_ids`."""
        return cls(
            everything=fields.unrestricted and customer_ids,
            secrets=secrets,
            customer_ids=customer_ids,
            attributes=field_map.visible(fields),
            own=own,
            made=made,
        )

    @property
    def shows_secrets(self) -> bool:
        """Whether the view shows the secrets of the objects themselves."""
        return self.secrets and (self.everything or self.own)

    @property
    def withheld(self) -> Secrets:
        """Name the secrets that the view leaves out wherever they stand."""
        return NOBODYS if self.shows_secrets else ALL

    def project(self, value: StripeObject) -> StripeObject:
        seen = self._whole(value) if self.everything else self._reduced(value)
        return self.withheld.left_out(seen) | self._key(value)

    def _whole(self, value: StripeObject) -> StripeObject:
        return value if self.shows_secrets else without_secret_texts(value)

    def _key(self, value: StripeObject) -> StripeObject:
        """Give the key that an object was made for; anywhere else keys are nobody's."""
        if not self.shows_secrets or self.key_of is None or value.get("object") != self.key_of:
            return {}
        return {name: value[name] for name in _SECRET_TEXTS.get(self.key_of, _NONE) & value.keys()}

    def _reduced(self, value: StripeObject) -> StripeObject:
        kind = str(value.get("object"))
        names = self.names(kind)
        if self.shows_secrets:
            names = names | {name for name in _SECRETS.get(kind, _NONE) if value.get(name) is not None}
        return {name: self.member(kind, name, member) for name, member in value.items() if name in names}

    def names(self, kind: str) -> frozenset[str]:
        """Name what the view shows of an object of this kind, beside its secrets, where it does not show everything."""
        names = (_BASE.get(kind, _ANY_BASE) | self.attributes) - self._hidden(kind)
        return names | _LINKS.get(kind, _NONE) if self.own or self.made else names

    def closed(self, kind: str) -> AbstractSet[str]:
        """Name the attributes of this kind of which the view shows a part only."""
        return _CLOSED.get(kind, _NO_STRUCTURES).keys() - self.attributes

    def member(self, kind: str, name: str, member: object) -> object:
        """Copy what the view shows of an attribute that it shows."""
        structure = None if name in self.attributes else _CLOSED.get(kind, _NO_STRUCTURES).get(name)
        return self._member(member if structure is None else _only(structure, member))

    def _hidden(self, kind: str | None) -> frozenset[str]:
        """Name the hidden attributes of an object; `kind` is None for a structure that is no object of Stripe."""
        secrets = _SECRET_TEXTS.get(kind, _NONE)
        if self.customer_ids:
            return secrets
        return secrets | _CUSTOMER_ID.get(kind, _ANY_CUSTOMER_ID)

    def _member(self, member: object) -> object:
        """Copy a visible attribute whole, but reduce each object of Stripe within it."""
        if isinstance(member, list):
            return [self._member(entry) for entry in member]
        if not isinstance(member, dict):
            return member
        if "object" in member:
            return self._reduced(member)
        return {name: self._member(inner) for name, inner in member.items() if name not in self._hidden(None)}


@dataclass(frozen=True, slots=True)
class ViewByCustomer:
    """What a caller sees whose fields differ by row: one view for each customer and for that customer's objects.

    `other` is the view of all other objects. With access to its own customers only none of them should get here; if
    one does, it shows the least.
    """

    views: Mapping[str, View]
    other: View = field(default_factory=View)

    @property
    def customer_ids(self) -> bool:
        return self.other.customer_ids or (bool(self.views) and all(view.customer_ids for view in self.views.values()))

    def of_customer(self, customer: str | None) -> View:
        return self.views.get(str(customer), self.other)

    def project(self, value: StripeObject) -> StripeObject:
        return self.of_customer(customer_of(value)).project(value)


class Views(Protocol):
    """Gives the view of objects that Stripe answered."""

    @property
    def customer_ids(self) -> bool:
        """Whether the caller sees the ID of every customer in its answers."""

    async def of(self, objects: Iterable[StripeObject]) -> CallerView:
        """Raises ItemRefused and DirectusUnavailable where the caller's rows decide."""


@dataclass(frozen=True, slots=True)
class OneView:
    """The same view whatever the objects."""

    view: CallerView

    @property
    def customer_ids(self) -> bool:
        return self.view.customer_ids

    async def of(self, _objects: Iterable[StripeObject]) -> CallerView:
        return self.view


def shows_everything(view: CallerView) -> TypeGuard[View]:
    """Say whether the caller sees every attribute of every object, but perhaps not the secrets.

    Only then may a page be written without a projection of each object. A view that differs by object is never one.
    """
    return isinstance(view, View) and view.everything


def has_client_secrets_only(kinds: Iterable[str | None]) -> bool:
    """Say whether objects of these kinds have no other secret texts than those."""
    return all(_SECRET_TEXTS.get(kind, _NONE) <= _CLIENT_SECRET for kind in kinds)


def without_secret_texts(value: StripeObject) -> StripeObject:
    """Give an object without the texts that its kind declares as secrets; the very object where it has none."""
    names = _SECRET_TEXTS.get(str(value.get("object")), _NONE)
    if names.isdisjoint(value):
        return value
    public = value.copy()
    for name in names:
        public.pop(name, None)
    return public


def _only(structure: Structure, value: object) -> object:
    """Copy of a closed structure what every caller may see."""
    if not isinstance(value, dict):
        return None
    return {
        each.name: _only(each.type, value[each.name]) if isinstance(each.type, Structure) else value[each.name]
        for each in structure.attributes
        if each.name in value
    }
