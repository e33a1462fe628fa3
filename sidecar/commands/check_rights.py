"""Judges the service token's permissions for `check`. Plain functions without I/O."""

from collections.abc import Iterator

from sidecar.clients.directus.policies import may_read_policies
from sidecar.commands.lines import Line, Word
from sidecar.commands.rights import needed
from sidecar.core.access.permissions import Access, Action, Permissions
from sidecar.core.operations.rules import unknown_collections
from sidecar.settings import Settings


def right_lines(settings: Settings, permissions: Permissions) -> Iterator[Line]:
    field, where = settings.stripe_customer_id_field, _where(settings)
    update = permissions.grant(settings.stripe_customers_collection, Action.UPDATE)
    if not settings.stripe_write_back:
        yield Line(Word.NOTE, "nothing is written back, as STRIPE_WRITE_BACK is off")
    elif update.fields.allow(field):
        yield Line(Word.OK, f"the service token may fill {where}")
    else:
        yield Line(Word.FAULT, f"the service token may not update {where}: run `provision`")
    yield _whole_access_line(permissions)
    if settings.stripe_webhook_secret is not None:
        yield from _event_lines(settings, permissions)
    yield from operation_lines(settings, permissions)
    more = excess(settings, permissions)
    if more is not None:
        yield Line(Word.NOTE, f"the service token may do more than it needs: {more}; `provision` makes one that cannot")


def _whole_access_line(permissions: Permissions) -> Line:
    if may_read_policies(permissions):
        return Line(
            Word.OK, "the service token may read who holds which policy, so whole access is told from own items"
        )
    return Line(
        Word.NOTE,
        "callers with an item rule in one policy get their own items only, even where another policy gives them all: "
        "run `provision`, so that the service token may read permissions, policies, access and roles",
    )


def _event_lines(settings: Settings, permissions: Permissions) -> Iterator[Line]:
    """Say whether the token may make the changes of Stripe's events.

    Directus hides a field that the token may not read, so an unreadable field and a missing one look the same.
    """
    where, collection = _where(settings), settings.stripe_customers_collection
    read, update = (permissions.grant(collection, action) for action in (Action.READ, Action.UPDATE))
    if update.access is not Access.FULL or not update.fields.allow(settings.stripe_customer_id_field):
        yield Line(
            Word.FAULT,
            f"the service token may not clear {where}, so Stripe's events fail: run `provision` with "
            "STRIPE_WEBHOOK_SECRET set",
        )
        return
    mirror = settings.mirror
    kept = [field for field in mirror.names if read.fields.allow(field) and update.fields.allow(field)]
    yield Line(Word.OK, f"Stripe's events keep true {', '.join([where, *kept])}")
    missing = [field for field in mirror.names if field not in kept]
    if barred := [field for field in missing if mirror.named or read.fields.allow(field)]:
        yield Line(
            Word.FAULT,
            f"the service token may not read and change {', '.join(barred)} of {collection}, or it has no such field: "
            "Stripe's events fail; correct STRIPE_FIELD_MAP if it is misspelt, or run `provision` with "
            "STRIPE_WEBHOOK_SECRET and STRIPE_FIELD_MAP set as here",
        )
    if absent := [field for field in missing if field not in barred]:
        yield Line(
            Word.NOTE,
            f"{collection} has no field {', '.join(absent)} to keep true, or the service token may not read and "
            "change it: `provision` with STRIPE_WEBHOOK_SECRET set mends that",
        )


def excess(settings: Settings, permissions: Permissions) -> str | None:
    """Name one right of the token that `provision` does not grant for these settings; None if there is none."""
    events = settings.stripe_webhook_secret is not None
    if not events and permissions.grant(settings.stripe_customers_collection, Action.UPDATE).access is Access.FULL:
        return f"overwrite {_where(settings)}"
    mirrored = settings.mirror.names if events else None
    these = needed(settings, realtime=settings.directus_realtime, mirrored=mirrored)
    rights = {(right.collection, right.action): right for right in these}
    for granted, grant in sorted(permissions.grants.items()):
        right = rights.get(granted)
        if right is None and granted in _seen(settings) and grant.access is Access.PARTIAL:
            continue  # shows that a collection exists, and none of its items
        more = grant.fields.names - set(right.fields if right else ())
        if more:
            return f"{granted[1]} {granted[0]} ({', '.join(sorted(more)[:3])})"
        if right and right.item and grant.access is Access.FULL:
            return f"{granted[1]} every item of {granted[0]}"
    return None


def is_provisioned(settings: Settings, permissions: Permissions) -> bool:
    """Whether `provision` can have made the token, also for a feed or for events that are turned off again."""
    feeds, events = (settings.directus_realtime, True), (settings.stripe_webhook_secret, ())
    possible = [{"directus_realtime": feed, "stripe_webhook_secret": event} for feed in feeds for event in events]
    return any(excess(settings.model_copy(update=these), permissions) is None for these in possible)


def _seen(settings: Settings) -> set[tuple[str, Action]]:
    return {(collection, Action.READ) for collection in settings.collections}


def operation_lines(settings: Settings, permissions: Permissions) -> Iterator[Line]:
    """Say whether the collections exist that decide on operations."""
    missing = unknown_collections(settings.rules, permissions, settings.stripe_customers_collection)
    for fault in missing:
        yield Line(Word.FAULT, f"STRIPE_OPERATIONS: {fault}")
    if settings.stripe_operations is not None and not missing:
        count = len(settings.rules)
        yield Line(Word.OK, f"{count} operations are on, and the collections that decide on them are there")


def _where(settings: Settings) -> str:
    return f"{settings.stripe_customers_collection}.{settings.stripe_customer_id_field}"
