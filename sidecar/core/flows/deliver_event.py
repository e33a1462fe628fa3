"""Gives an event to Directus: writes its item and starts its Flow, with the object as Stripe has it now.

The event counts as delivered once Directus has answered, so each is delivered at least once. A Flow may therefore be
started twice for one event, whose ID tells that. The item is written first, so that the Flow sees it.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from sidecar.core.flows.event_objects import retrieved
from sidecar.core.flows.event_rules import DELETED, EventRule, ItemTarget
from sidecar.core.flows.events import Event, ObjectReference
from sidecar.core.flows.follow_customer import Change
from sidecar.core.flows.save_item import EventItems, save
from sidecar.core.interfaces import StripeObjects
from sidecar.core.operations.resources import StripeObject
from sidecar.core.secret_values import ALL as SECRETS
from sidecar.errors import EventFailed, ItemRefused

_ROUNDS = 5


class Flows(Protocol):
    async def start(self, flow: str, told: Mapping[str, object]) -> None:
        """Start a Flow and wait for Directus's answer. Raises EventFailed and DirectusUnavailable."""


@dataclass(frozen=True, slots=True)
class Directus:
    """What events reach in Directus."""

    items: EventItems
    flows: Flows


async def deliver(event: Event, rule: EventRule, stripe: StripeObjects, directus: Directus) -> AsyncIterator[Change]:
    """Do what the rule says; give each change once it is made.

    Raises StripeFailure and DirectusUnavailable, and EventFailed for what Directus refuses.
    """
    if event.object is None:
        return
    if rule.target is not None:
        async for change in _write(event.object, rule, rule.target, stripe, directus.items):
            yield change
    if rule.flow is not None:
        told = rule.told(await current(event.object, stripe))
        await directus.flows.start(rule.flow, payload(event, event.object, told))
        yield Change(None, (), "flow started")


async def current(about: ObjectReference, stripe: StripeObjects) -> StripeObject:
    """Give the object without its secrets; of a deleted one only that it is deleted. Raises StripeFailure."""
    found = await retrieved(about, stripe)
    if found is None or found.get(DELETED) is True:
        return {"id": about.id, "object": about.kind, DELETED: True}
    return SECRETS.left_out(found)


def payload(event: Event, about: ObjectReference, told: StripeObject) -> dict[str, object]:
    """Give what a Flow is told: which event it was, and the object, always with its ID and kind."""
    when = {} if event.created is None else {"created": event.created}
    return {
        "event": {"id": event.id, "type": event.type, **when},
        "object": {**told, "id": about.id, "object": about.kind},
    }


async def _write(
    about: ObjectReference, rule: EventRule, target: ItemTarget, stripe: StripeObjects, items: EventItems
) -> AsyncIterator[Change]:
    """Write until Stripe has not changed meanwhile, and the item is there.

    So the later state lasts, whichever replica wrote last.
    """
    value = await current(about, stripe)
    for _ in range(_ROUNDS):
        told = rule.told(value)
        try:
            fields = await save(items, target, about.id, told, create=value.get(DELETED) is not True)
        except ItemRefused as refused:
            detail = f"{target.collection}: {refused.message}"
            raise EventFailed("Directus refuses the item of this event.", detail=detail) from refused
        if not fields:
            return
        yield Change(None, fields, "item written")
        value = await current(about, stripe)
        if rule.told(value) == told and await items.find(target, about.id, ()):
            return
    raise EventFailed("This object or its item changes all the time. Send the event again.", detail=about.id)
