"""Whether the collections have the fields that STRIPE_OPERATIONS names, as far as the service token can see."""

from collections.abc import AsyncIterator, Awaitable, Callable

from sidecar.clients.directus.client import DirectusAnswer
from sidecar.commands.lines import Line, Word
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.operations.rules import unknown_fields
from sidecar.settings import Settings

_Ask = Callable[[str, str | None], Awaitable[DirectusAnswer]]


async def field_lines(settings: Settings, permissions: Permissions, ask: _Ask) -> AsyncIterator[Line]:
    """Directus shows all fields of a collection only to a token that may read all of them.

    The token that `provision` makes may not; `provision` itself looks at the fields. Raises DirectusUnavailable.
    """
    fields: dict[str, frozenset[str]] = {}
    for name in sorted(settings.collections):
        if permissions.grant(name, Action.READ).fields.unrestricted:
            rows = (await ask(f"/fields/{name}", None)).data
            if isinstance(rows, list) and rows:
                fields[name] = frozenset(str(row.get("field")) for row in rows if isinstance(row, dict))
    for fault in unknown_fields(settings.rules, settings.customers_collection, settings.field_map, fields):
        yield Line(Word.FAULT, f"STRIPE_OPERATIONS: {fault}")
