"""Reads many items of the customers collection at once, as the service: which customer's ID each holds.

Asked with SEARCH, since a hundred primary keys can be more than a URL may hold (Directus API reference, "Items:
SEARCH HTTP method").
"""

from collections.abc import AsyncIterator, Collection, Mapping

from sidecar.clients.directus import DirectusClient, collection_path
from sidecar.clients.items import data_of
from sidecar.core.credentials import Credential
from sidecar.errors import DirectusUnavailable

_PAGE = 100  # Directus's QUERY_LIMIT_MAX may be lower, so no page counts as the last one for being short


class DirectusItemLists:
    """`key_field` is the collection's primary key field, `id_field` the one for Stripe's customer ID.

    Both methods give primary keys as text and raise ItemRefused and DirectusUnavailable.
    """

    def __init__(
        self, client: DirectusClient, service: Credential, *, collection: str, key_field: str, id_field: str
    ) -> None:
        self._client = client
        self._service = service
        self._path = collection_path(collection)
        self._key_field, self._id_field = key_field, id_field

    async def named(self, keys: Collection[str]) -> dict[str, str | None]:
        """Give the ID that each of up to a hundred items holds. One that is missing may be there: ask for it alone."""
        return await self._search({"filter": {self._key_field: {"_in": list(keys)}}, "limit": len(keys)})

    async def holding(self) -> AsyncIterator[dict[str, str]]:
        """Go through all items that hold an ID. One that is deleted meanwhile can move another out of sight."""
        wanted = {"filter": {self._id_field: {"_nnull": True}}, "sort": [self._key_field], "limit": _PAGE}
        page = 1
        while rows := await self._search({**wanted, "page": page}):
            yield {key: held for key, held in rows.items() if held is not None}
            page += 1

    async def _search(self, query: Mapping[str, object]) -> dict[str, str | None]:
        body = {"query": {**query, "fields": [self._key_field, self._id_field]}}
        rows = data_of(await self._client.request(self._service, "SEARCH", self._path, json=body), "read the items")
        if not isinstance(rows, list):
            raise DirectusUnavailable("SEARCH was answered without a list")
        return dict(self._entry(row) for row in rows)

    def _entry(self, row: object) -> tuple[str, str | None]:
        match row:
            case {self._key_field: int(key) | str(key), self._id_field: None | str() as held}:
                return str(key), held
            case _:
                raise DirectusUnavailable("items were answered without the fields that were asked for")
