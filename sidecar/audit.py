"""The audit: one log line for each change at Stripe or in an item, always with the same keys, never with a value."""

import logging
from collections.abc import Sequence

from sidecar.context import request_id

_log = logging.getLogger("sidecar.audit")


def audit(
    message: str,
    *,
    operation: str,
    object_id: object,
    user: str | None = None,
    item: object = None,
    new: bool | None = None,
    write_back_pending: bool | None = None,
    fields: Sequence[str] | None = None,
    event: str | None = None,
    uncertain: bool | None = None,
) -> None:
    """Write the line; a key that says nothing about this change is null.

    `operation` is the operation's name or the event's type, `object_id` the changed object's ID at Stripe, `user` the
    caller's user ID in Directus, null only where an event is the cause, or a guest, `item` the primary key of the item
    that belongs to the object, `new` whether this call made the change, `fields` the item's changed fields, `event` the
    ID of the event that caused the change. `uncertain`: Stripe did not say whether the change happened, nor perhaps of
    what.
    """
    facts = {"operation": operation, "object": object_id, "user": user, "item": item, "new": new}
    cause = {"write_back_pending": write_back_pending, "fields": fields, "event": event, "uncertain": uncertain}
    _log.info(message, extra={**facts, **cause, "request_id": request_id.get()})
