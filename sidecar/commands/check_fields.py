"""Checks that collections have the fields that STRIPE_OPERATIONS names, where the service token can see them."""

from collections.abc import AsyncIterator, Awaitable, Callable

from sidecar.clients.directus.client import DirectusAnswer, segment
from sidecar.commands.lines import Line, Word
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.operations.rules import unknown_fields
from sidecar.settings import Settings

Ask = Callable[[str, str | None], Awaitable[DirectusAnswer]]  # a path, and the client's address to claim


async def field_lines(settings: Settings, permissions: Permissions, ask: Ask) -> AsyncIterator[Line]:
    """Report unknown fields of those collections of which the token may read every field.

    To other tokens Directus shows a part of the fields. The token that `provision` makes is one of these; there
    `provision` has checked the fields itself. Raises DirectusUnavailable.
    """
    fields: dict[str, frozenset[str]] = {}
    for name in sorted(settings.collections):
        if permissions.grant(name, Action.READ).fields.unrestricted:
            rows = (await ask(f"/fields/{segment(name)}", None)).data
            if isinstance(rows, list) and rows:
                fields[name] = frozenset(str(row.get("field")) for row in rows if isinstance(row, dict))
    for fault in unknown_fields(settings.rules, settings.customers_collection, settings.field_map, fields):
        yield Line(Word.FAULT, f"STRIPE_OPERATIONS: {fault}")
