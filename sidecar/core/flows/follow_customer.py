"""Makes items follow their customer: they repeat its mapped attributes, and lose its ID when it is deleted.

After each write Stripe is read again, until nothing has changed meanwhile. So when two replicas handle two changes at
once, the later state at Stripe lasts, whichever replica wrote last.
"""

import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import AllowedFields
from sidecar.core.interfaces import PrimaryKey, Stripe
from sidecar.core.operations.resources import CUSTOMER, StripeObject
from sidecar.core.secret_values import ALL as SECRETS
from sidecar.errors import EventFailed, ItemRefused

_ROUNDS = 5
_NOT_REPEATED = frozenset({"client_secret", "id", "object", "metadata"})
# A change of a customer at Stripe must not change who may sign in to Directus, as whom, and with which role.
_WHO_IS_WHO = frozenset(
    {"auth_data", "email", "external_identifier", "password", "policies", "provider", "role", "status", "tfa_secret"}
    | {"token"}
)
_USERS = "directus_users"
# Directus's codes for a null that it judges itself, and for one that the database refuses.
_NOT_NULL = frozenset({"FAILED_VALIDATION", "NOT_NULL_VIOLATION", "CONTAINS_NULL_VALUES"})
_log = logging.getLogger(__name__)

Mirrored = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class LinkedItem:
    """An item that contains a customer's ID, with the requested values that Directus showed."""

    key: PrimaryKey
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """A write to an item: the names of the fields, without their values."""

    item: PrimaryKey
    fields: tuple[str, ...]


class LinkedItems(Protocol):
    """Items by the customer they are linked to, as the service. Raise Refused and DirectusUnavailable."""

    async def changeable(self) -> AllowedFields:
        """Name the fields that the service may both read and change."""

    async def linked(self, customer_id: str, fields: AllowedFields) -> Sequence[LinkedItem]: ...

    async def change(self, item: PrimaryKey, customer_id: str, values: Mapping[str, object]) -> bool:
        """Change the item if it is still linked to this customer; False where it is not."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """`fields`: a field of the collection -> the attributes it may repeat; the first one that a customer has counts."""

    id_field: str
    fields: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, field_map: FieldMap, collection: CustomersCollection) -> "Mirror":
        """Give each attribute to the first field that maps to it, as creating an item does."""
        left_out = {collection.id_field, collection.key_field, *(_WHO_IS_WHO if collection.name == _USERS else ())}
        taken = set(_NOT_REPEATED)
        fields: dict[str, tuple[str, ...]] = {}
        for field, names in field_map.attributes.items():
            if field not in left_out and (free := tuple(name for name in names if name not in taken)):
                fields[field] = free
                taken.update(free)
        return cls(collection.id_field, fields)

    def state(self, customer: StripeObject) -> Mirrored:
        """Give the values that an item of this customer should have, by field; None for a deleted customer.

        A value with a secret in it is written nowhere: its field stays as it is.
        """
        if customer.get("deleted") is True:
            return None
        customer = SECRETS.left_out(customer)
        found = {field: [name for name in names if name in customer] for field, names in self.fields.items()}
        return {field: customer[names[0]] for field, names in found.items() if names}

    def lacking(self, state: Mirrored, current: Mapping[str, object]) -> dict[str, object]:
        """Give the values that an item with these ones lacks; fields that Directus did not show are left alone."""
        if state is None:
            return {self.id_field: None}
        return {field: value for field, value in state.items() if field in current and not _same(current[field], value)}


async def follow(customer_id: str, stripe: Stripe, items: LinkedItems, mirror: Mirror) -> AsyncIterator[Change]:
    """Make every item of this customer agree with Stripe; give each change once it is made.

    Raises Refused, DirectusUnavailable and StripeFailure, and EventFailed where either side keeps changing.
    """
    fields = await items.changeable()
    linked = await items.linked(customer_id, fields)
    if not linked:
        return  # most customers of a shared account have no item here: Stripe is not asked about those
    state = mirror.state(await stripe.retrieve(CUSTOMER.path, customer_id))
    for _ in range(_ROUNDS):
        changes = [(item.key, values) for item in linked if (values := mirror.lacking(state, item.values))]
        if not changes:
            return
        agreed = True
        for key, values in changes:
            if await _change(items, key, customer_id, values):
                yield Change(key, tuple(values))
            else:
                agreed = False
        before, state = state, mirror.state(await stripe.retrieve(CUSTOMER.path, customer_id))
        if agreed and state == before:
            return
        linked = await items.linked(customer_id, fields)
    raise EventFailed("This customer changes all the time. Send the event again.", detail=customer_id)


async def _change(items: LinkedItems, key: PrimaryKey, customer_id: str, values: Mapping[str, object]) -> bool:
    try:
        return await _write(items, key, customer_id, values)
    except ItemRefused as refused:
        facts = {"item": key, "customer": customer_id, "fields": sorted(values), "code": refused.code}
        _log.error("Directus refuses what Stripe says of a customer", extra=facts)
        raise


async def _write(items: LinkedItems, key: PrimaryKey, customer_id: str, values: Mapping[str, object]) -> bool:
    """Clear an ID with an empty text where its column cannot be null."""
    try:
        return await items.change(key, customer_id, values)
    except ItemRefused as refused:
        if refused.code not in _NOT_NULL or any(value is not None for value in values.values()):
            raise
    return await items.change(key, customer_id, dict.fromkeys(values, ""))


def _same(current: object, wanted: object) -> bool:
    """Compare a field with an attribute: a text field has an address as JSON; empty members may be null or absent."""
    if isinstance(current, str) and isinstance(wanted, dict | list):
        try:
            current = json.loads(current)
        except (ValueError, RecursionError):
            return False
    return _bare(current) == _bare(wanted)


def _bare(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: _bare(part) for name, part in value.items() if part is not None}
