"""Writes one item of a collection, found by the ID of Stripe's object, so that it is there once and has these values.

Two replicas may save one item at once. The field with the ID is unique, so of two new items Directus refuses one, and
that replica changes the item of the other.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sidecar.core.flows.event_rules import ItemTarget
from sidecar.core.flows.stored_values import is_same
from sidecar.errors import EventFailed

Values = Mapping[str, object]


class EventItems(Protocol):
    """Items as the service. All raise ItemRefused and DirectusUnavailable."""

    async def find(self, target: ItemTarget, object_id: str, fields: Collection[str]) -> Sequence[Values]:
        """Give these fields of every item that has this ID, spelled like this."""

    async def create(self, target: ItemTarget, object_id: str, values: Values) -> bool:
        """Create an item; False where another one has a value that must be unique."""

    async def change(self, target: ItemTarget, object_id: str, values: Values) -> None:
        """Change every item that has this ID by now; Directus does not tell whether there was one."""


async def save(
    items: EventItems, target: ItemTarget, object_id: str, values: Values, *, create: bool
) -> tuple[str, ...]:
    """Name the fields that were written, none where all were right, or where there is no item and `create` is off.

    Raises ItemRefused and DirectusUnavailable, and EventFailed where another item has a value that must be unique.
    """
    for _ in range(2):
        found = await items.find(target, object_id, values)
        if found:
            lacking = _lacking(values, found)
            if lacking:
                await items.change(target, object_id, lacking)
            return tuple(lacking)
        if not create:
            return ()
        if await items.create(target, object_id, values):
            return (target.key, *values)
    raise EventFailed(
        "The item of this event cannot be created. Send it again.",
        detail=f"{target.collection}: another item has a value that a unique field of this one would get",
    )


def _lacking(values: Values, found: Sequence[Values]) -> dict[str, object]:
    return {name: value for name, value in values.items() if not all(is_same(row.get(name), value) for row in found)}
