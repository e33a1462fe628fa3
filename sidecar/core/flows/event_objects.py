"""Asks Stripe for the objects that events are about.

A path is made from the kind of the object, never from the URL in an event.
"""

import logging

from sidecar.core.flows.events import Event, ObjectReference
from sidecar.core.interfaces import StripeObjects
from sidecar.core.operations.event_types import EVENT_TYPES, kind_of
from sidecar.core.operations.resources import CUSTOMER, RESOURCES, SUBSCRIPTION, StripeObject, customer_of
from sidecar.errors import StripeRejected

_log = logging.getLogger(__name__)
# Of these kinds Stripe still gives what is deleted. Of kinds that cannot be deleted it would give everything.
_KEPT = frozenset({CUSTOMER.kind, SUBSCRIPTION.kind})
_FORGOTTEN = frozenset(kind_of(name) for name in EVENT_TYPES if name.endswith(".deleted")) - _KEPT


async def customer_named(event: Event, stripe: StripeObjects) -> str | None:
    """Give the customer of the event's object, None if it has none; Stripe is asked where the event does not tell it.

    Raises StripeFailure.
    """
    if event.customer is not None:
        return event.customer
    if event.object is None:
        facts = {"event": event.id, "type": event.type}
        _log.warning("an event tells of no customer: let Stripe send events of its type as snapshots", extra=facts)
        return None
    found = await retrieved(event.object, stripe)
    return None if found is None else customer_of(found)


async def retrieved(about: ObjectReference, stripe: StripeObjects) -> StripeObject | None:
    """Give an object as it is now, None if it is deleted and Stripe has forgotten it.

    Raises StripeFailure, also where any other object is missing: then the key may be another account's.
    """
    try:
        return await stripe.retrieve(RESOURCES[about.kind].path, about.id)
    except StripeRejected as rejected:
        if rejected.missing and about.kind in _FORGOTTEN:
            return None
        raise
