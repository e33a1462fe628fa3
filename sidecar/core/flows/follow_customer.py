"""How an item keeps to its customer: it repeats the mapped attributes, and holds no ID of a customer that is gone.

Whoever wrote looks at Stripe again and goes on until nothing has changed meanwhile. So of two replicas that deal with
two changes at once the later look is the one that lasts, whichever wrote last.
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
from sidecar.core.views import SECRETS
from sidecar.errors import EventFailed, ItemRefused

_ROUNDS = 5
_NOT_REPEATED = SECRETS | {"id", "object", "metadata"}
# Whoever may change a customer at Stripe must not by that change who may sign in to Directus, as whom and as what.
_WHO_IS_WHO = frozenset(
    {"auth_data", "email", "external_identifier", "password", "policies", "provider", "role", "status", "tfa_secret"}
    | {"token"}
)
_USERS = "directus_users"
_log = logging.getLogger(__name__)

Mirrored = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class LinkedItem:
    """One that holds a customer's ID, with those of its `values` that were asked for and are there."""

    key: PrimaryKey
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """What was written into an item; `fields` names what was, without the values."""

    item: PrimaryKey
    fields: tuple[str, ...]


class LinkedItems(Protocol):
    """Items by the customer they hold, as the service. Raise Refused and DirectusUnavailable."""

    async def changeable(self) -> AllowedFields:
        """Name the fields that the service may both read and change."""

    async def linked(self, customer_id: str, fields: AllowedFields) -> Sequence[LinkedItem]: ...

    async def change(self, item: PrimaryKey, customer_id: str, values: Mapping[str, object]) -> bool:
        """Change the item if it still holds this customer, in one step; False where it does not."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """`fields`: a field of the collection -> the attributes it may repeat, of which a customer's first one counts."""

    id_field: str
    fields: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, field_map: FieldMap, collection: CustomersCollection) -> "Mirror":
        """Each attribute goes to the first field that stands for it, as it does where an item is created."""
        left_out = {collection.id_field, collection.key_field, *(_WHO_IS_WHO if collection.name == _USERS else ())}
        taken = set(_NOT_REPEATED)
        fields: dict[str, tuple[str, ...]] = {}
        for field, names in field_map.attributes.items():
            if field not in left_out and (free := tuple(name for name in names if name not in taken)):
                fields[field] = free
                taken.update(free)
        return cls(collection.id_field, fields)

    def state(self, customer: StripeObject) -> Mirrored:
        """Give what an item of this customer's should hold, by field; None for one that is deleted."""
        if customer.get("deleted") is True:
            return None
        found = {field: [name for name in names if name in customer] for field, names in self.fields.items()}
        return {field: customer[names[0]] for field, names in found.items() if names}

    def lacking(self, state: Mirrored, linked: Mapping[str, object]) -> dict[str, object]:
        """Give what must be written into an item that holds this; fields that it does not show are left alone."""
        if state is None:
            return {self.id_field: None}
        return {field: value for field, value in state.items() if field in linked and not _same(linked[field], value)}


async def follow(customer_id: str, stripe: Stripe, items: LinkedItems, mirror: Mirror) -> AsyncIterator[Change]:
    """Make every item that holds this customer agree with Stripe; give each change once it is made.

    Raises Refused, DirectusUnavailable and StripeFailure, and EventFailed where either side changes all the time.
    """
    fields = await items.changeable()
    linked = await items.linked(customer_id, fields)
    if not linked:
        return  # many of an account's customers may be none of ours, and Stripe is asked for none of those
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
        return await items.change(key, customer_id, values)
    except ItemRefused as refused:
        facts = {"item": key, "customer": customer_id, "fields": sorted(values), "code": refused.code}
        _log.error("Directus refuses what Stripe says of a customer", extra=facts)
        raise


def _same(linked: object, wanted: object) -> bool:
    """An address in a field for text stands there as JSON; and what an address does not have may be null or absent."""
    if isinstance(linked, str) and isinstance(wanted, dict | list):
        try:
            linked = json.loads(linked)
        except ValueError:
            return False
    return _bare(linked) == _bare(wanted)


def _bare(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: _bare(part) for name, part in value.items() if part is not None}
