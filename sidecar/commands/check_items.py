"""Tries to list items as the service does: by SEARCH or its fall-back, within Directus's QUERY_LIMIT_MAX."""

from collections.abc import AsyncIterator

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.item_pages import ItemPages
from sidecar.commands.lines import Line, Word
from sidecar.core.access.credentials import Credential
from sidecar.errors import DirectusUnavailable, ItemRefused
from sidecar.settings import Settings

_ENOUGH = 100  # with as many items a question, a few questions give most callers' rows


async def item_lines(settings: Settings, client: DirectusClient, service: Credential) -> AsyncIterator[Line]:
    """Ask for the IDs of one page of items."""
    collection = settings.customers_collection
    pages = ItemPages(client, collection.name)
    wanted = {"fields": [collection.id_field], "filter": {collection.id_field: {"_nnull": True}}}
    try:
        await pages.of(service, {**wanted, "sort": [collection.id_field]}, "read the items").next_page()
    except ItemRefused as refused:
        yield Line(Word.FAULT, f"Directus refuses a list of {collection.name} ({refused.code}): look at its log")
        return
    except DirectusUnavailable as error:
        yield Line(
            Word.FAULT,
            f"no list of {collection.name} can be read ({error.detail}): callers who may read some items only, events "
            "and `reconcile` need it; let SEARCH or GET through to Directus",
        )
        return
    yield _way_line(collection.name, by_get=pages.search.by_get)
    if pages.size < _ENOUGH:
        yield Line(
            Word.NOTE,
            f"Directus gives at most {pages.size} items a question (QUERY_LIMIT_MAX), so long lists need many; "
            f"{_ENOUGH} are enough",
        )


def _way_line(collection: str, *, by_get: bool) -> Line:
    if not by_get:
        return Line(Word.OK, f"lists of {collection} are read by SEARCH")
    return Line(
        Word.NOTE,
        f"something between here and Directus lets no SEARCH through: lists of {collection} are read by GET, each time "
        "with a new address, so that no cache answers",
    )
