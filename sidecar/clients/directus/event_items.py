"""Reads and writes the items that events ask for, as the service, each found by the ID of Stripe's object."""

from collections.abc import Collection, Mapping, Sequence

from sidecar.clients.directus.client import DirectusClient, collection_path
from sidecar.clients.directus.item_pages import ItemPages
from sidecar.clients.directus.item_search import Item
from sidecar.clients.directus.refusals import data_of
from sidecar.core.access.credentials import Credential
from sidecar.core.flows.event_rules import ItemTarget
from sidecar.errors import DirectusUnavailable, ItemRefused

_NOT_UNIQUE = "RECORD_NOT_UNIQUE"
_MOST = 1_000  # items with one ID, where the field is not unique


class DirectusEventItems:
    """`provision` lets the service read and write the fields that are named, and sees that the key is unique."""

    def __init__(self, client: DirectusClient, service: Credential) -> None:
        self._client, self._service = client, service
        self._pages: dict[str, ItemPages] = {}

    async def find(self, target: ItemTarget, object_id: str, fields: Collection[str]) -> Sequence[Item]:
        """The value that comes back counts: some databases find "in_a" in a search for "in_A"."""
        pages = self._pages.setdefault(target.collection, ItemPages(self._client, target.collection))
        query = {"fields": [target.key, *fields], "filter": {target.key: {"_eq": object_id}}, "sort": [target.key]}
        rows = pages.of(self._service, query, "read this item")
        found: list[Item] = []
        while not rows.ended:
            found += [row for row in await rows.next_page() if row.get(target.key) == object_id]
            if len(found) > _MOST:
                raise DirectusUnavailable(f"more than {_MOST} items of {target.collection} have one {target.key}")
        return found

    async def create(self, target: ItemTarget, object_id: str, values: Mapping[str, object]) -> bool:
        body = {**values, target.key: object_id}
        try:
            data_of(
                await self._client.request(self._service, "POST", self._path(target), json=body), "create this item"
            )
        except ItemRefused as refused:
            if refused.code != _NOT_UNIQUE:
                raise
            return False
        return True

    async def change(self, target: ItemTarget, object_id: str, values: Mapping[str, object]) -> None:
        """Directus names the items that it changed to those alone who may read their primary keys."""
        body = {
            "query": {"filter": {target.key: {"_eq": object_id}}, "fields": [target.key]},
            "data": dict(values),
        }
        answer = await self._client.request(self._service, "PATCH", self._path(target), json=body)
        data_of(answer, "change this item")

    @staticmethod
    def _path(target: ItemTarget) -> str:
        return collection_path(target.collection)
