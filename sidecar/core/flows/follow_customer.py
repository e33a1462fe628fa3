"""Makes items follow their customer: they repeat its mapped attributes, and lose its ID when it is deleted.

After each write Stripe is read again, until nothing has changed meanwhile. So when two replicas handle two changes at
once, the later state at Stripe lasts, whichever replica wrote last.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.field_map import FieldMap
from sidecar.core.access.permissions import AllowedFields
from sidecar.core.flows.stored_values import is_same
from sidecar.core.flows.write_values import Changing, Unwritten, write
from sidecar.core.interfaces import PrimaryKey, Stripe
from sidecar.core.operations.resources import CUSTOMER, StripeObject
from sidecar.core.secret_values import ALL as SECRETS
from sidecar.errors import EventFailed

_ROUNDS = 5
_NOT_REPEATED = frozenset({"client_secret", "id", "object", "metadata"})
# A change of a customer at Stripe must not change who may sign in to Directus, as whom, and with which role.
_WHO_IS_WHO = frozenset(
    {"auth_data", "email", "external_identifier", "password", "policies", "provider", "role", "status", "tfa_secret"}
    | {"token"}
)
_USERS = "directus_users"

Mirrored = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class LinkedItem:
    """An item that contains a customer's ID, with the requested values that Directus showed."""

    key: PrimaryKey
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """What an event did in Directus, for the audit: the names of the fields, without their values.

    `item` is None where it is not known by its primary key.
    """

    item: PrimaryKey | None
    fields: tuple[str, ...]
    what: str = "item changed"


@dataclass(frozen=True, slots=True)
class Rights:
    """The fields of items that the service may read and update."""

    read: AllowedFields
    update: AllowedFields


class LinkedItems(Changing, Protocol):
    """Items by the customer they are linked to, as the service. Raise Refused and DirectusUnavailable."""

    async def rights(self) -> Rights: ...

    async def linked(self, customer_id: str, fields: AllowedFields) -> Sequence[LinkedItem]:
        """Give every item, with those of the mapped fields that are among these."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """`fields`: a field of the collection -> the attributes it may repeat; the first one that a customer has counts.

    `named`: the operator has named the fields, so each of them should be there.
    """

    id_field: str
    fields: Mapping[str, tuple[str, ...]]
    named: bool = False

    @classmethod
    def of(cls, field_map: FieldMap, collection: CustomersCollection, *, named: bool = False) -> "Mirror":
        """Give each attribute to the first field that maps to it, as creating an item does."""
        left_out = {collection.id_field, collection.key_field, *(_WHO_IS_WHO if collection.name == _USERS else ())}
        taken = set(_NOT_REPEATED)
        fields: dict[str, tuple[str, ...]] = {}
        for field, names in field_map.attributes.items():
            if field not in left_out and (free := tuple(name for name in names if name not in taken)):
                fields[field] = free
                taken.update(free)
        return cls(collection.id_field, fields, named)

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
        return {
            field: value for field, value in state.items() if field in current and not is_same(current[field], value)
        }

    def unseen(self, state: Mirrored, current: Mapping[str, object]) -> dict[str, object]:
        """Give the values for named fields that Directus did not show: they are missing, or may not be read."""
        if state is None or not self.named:
            return {}
        return {field: value for field, value in state.items() if field not in current}


async def follow(customer_id: str, stripe: Stripe, items: LinkedItems, mirror: Mirror) -> AsyncIterator[Change]:
    """Make every item of this customer agree with Stripe; give each change once it is made.

    Raises Refused, DirectusUnavailable and StripeFailure, and EventFailed where either side keeps changing, or once
    all the rest is written, where a value could not be.
    """
    unwritten = Unwritten(customer_id)
    async for change in _agree(customer_id, stripe, items, mirror, unwritten):
        yield change
    unwritten.require_none()


async def _agree(
    customer_id: str, stripe: Stripe, items: LinkedItems, mirror: Mirror, unwritten: Unwritten
) -> AsyncIterator[Change]:
    rights = await items.rights()
    linked = await items.linked(customer_id, rights.read)
    if not linked:
        return  # most customers of a shared account have no item here: Stripe is not asked about those
    state = mirror.state(await stripe.retrieve(CUSTOMER.path, customer_id))
    for _ in range(_ROUNDS):
        changes = [(item.key, _writable(item, mirror, state, rights, unwritten)) for item in linked]
        if not any(values for _, values in changes):
            return
        agreed = True
        for key, values in changes:
            if values:
                written = await write(items, key, customer_id, values)
                unwritten.forget(key, written.fields)
                unwritten.refused(key, values, written.refused)
                agreed = agreed and written.linked
                if written.fields:
                    yield Change(key, tuple(written.fields))
        before, state = state, mirror.state(await stripe.retrieve(CUSTOMER.path, customer_id))
        if agreed and state == before:
            return
        linked = await items.linked(customer_id, rights.read)
    raise EventFailed("This customer changes all the time. Send the event again.", detail=customer_id)


def _writable(
    item: LinkedItem, mirror: Mirror, state: Mirrored, rights: Rights, unwritten: Unwritten
) -> dict[str, object]:
    """Give the values that the item lacks and the service may write; note the others that it lacks."""
    lacking = mirror.lacking(state, item.values)
    barred = {name: value for name, value in lacking.items() if not rights.update.allow(name)}
    unwritten.barred(item.key, barred | mirror.unseen(state, item.values))
    return unwritten.rest(item.key, lacking)
