"""Reads and writes items of the customers collection as the service, for Stripe's events and for `reconcile`.

Many items at once are read with SEARCH, since a hundred primary keys can be too long for a URL (Directus API
reference, "Items: SEARCH HTTP method").
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence

import orjson

from sidecar.clients.directus.client import DirectusClient, collection_path, field_list, segment
from sidecar.clients.directus.refusals import data_of, rows_of
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.flows.follow_customer import LinkedItem
from sidecar.core.interfaces import PermissionSource, PrimaryKey
from sidecar.errors import DirectusUnavailable

_PAGE = 100  # Directus's QUERY_LIMIT_MAX may be lower, so a short page need not be the last one
_MOST = 100  # a bound for an ID field that is not unique; one that `provision` made is


class DirectusLinkedItems:
    """`fields` are those that copy an attribute of a customer."""

    def __init__(
        self,
        client: DirectusClient,
        permissions: PermissionSource,
        service: Credential,
        *,
        collection: CustomersCollection,
        fields: Collection[str],
    ) -> None:
        self._client, self._permissions, self._service = client, permissions, service
        self._collection, self._path = collection, collection_path(collection.name)
        self._fields = frozenset(fields)

    async def changeable(self) -> AllowedFields:
        """Ask each time: events are rare, and the policy may have been corrected since the last one."""
        permissions = await self._permissions.permissions(self._service)
        read, update = (
            permissions.grant(self._collection.name, action).fields for action in (Action.READ, Action.UPDATE)
        )
        if read.unrestricted:
            return update
        return read if update.unrestricted else AllowedFields(read.names & update.names)

    async def linked(self, customer_id: str, fields: AllowedFields) -> Sequence[LinkedItem]:
        """The value that comes back counts: some databases find "cus_a" in a search for "cus_A"."""
        names = {self._collection.key_field, self._collection.id_field, *(self._fields & fields.names)}
        wanted = "*" if fields.unrestricted else field_list(sorted(names))
        wanted_id = segment(orjson.dumps({self._collection.id_field: {"_eq": customer_id}}).decode())
        path = f"{self._path}?fields={wanted}&filter={wanted_id}&limit={_MOST}"
        rows = rows_of(await self._client.request(self._service, "GET", path), "read the items")
        found = [row for row in rows if isinstance(row, dict) and row.get(self._collection.id_field) == customer_id]
        return [LinkedItem(self._key(row), row) for row in found]

    async def change(self, item: PrimaryKey, customer_id: str, values: Mapping[str, object]) -> bool:
        linked = {
            "_and": [{self._collection.key_field: {"_eq": item}}, {self._collection.id_field: {"_eq": customer_id}}]
        }
        body = {"query": {"filter": linked, "fields": [self._collection.key_field]}, "data": dict(values)}
        answer = await self._client.request(self._service, "PATCH", self._path, json=body)
        changed = data_of(answer, "update this item")
        return isinstance(changed, list) and len(changed) == 1

    def _key(self, row: Mapping[str, object]) -> PrimaryKey:
        key = row.get(self._collection.key_field)
        if not isinstance(key, int | str):
            raise DirectusUnavailable("the answer lacks fields of the items that were asked for")
        return key


class DirectusItemLists:
    """Both methods give primary keys as text and raise ItemRefused and DirectusUnavailable."""

    def __init__(self, client: DirectusClient, service: Credential, *, collection: CustomersCollection) -> None:
        self._client = client
        self._service = service
        self._collection = collection
        self._path = collection_path(collection.name)

    async def named(self, keys: Collection[str]) -> dict[str, str | None]:
        """Give the ID in each of up to a hundred items. An item that is missing here may exist: ask for it alone."""
        return await self._search({"filter": {self._collection.key_field: {"_in": list(keys)}}, "limit": len(keys)})

    async def linked(self) -> AsyncIterator[dict[str, str]]:
        """Give all items that contain an ID, page by page. An item deleted meanwhile can make a page skip another."""
        wanted = {
            "filter": {self._collection.id_field: {"_nempty": True}},
            "sort": [self._collection.key_field],
            "limit": _PAGE,
        }
        page = 1
        while rows := await self._search({**wanted, "page": page}):
            yield {key: customer_id for key, customer_id in rows.items() if customer_id is not None}
            page += 1

    async def _search(self, query: Mapping[str, object]) -> dict[str, str | None]:
        body = {"query": {**query, "fields": [self._collection.key_field, self._collection.id_field]}}
        rows = rows_of(await self._client.request(self._service, "SEARCH", self._path, json=body), "read the items")
        return dict(self._entry(row) for row in rows)

    def _entry(self, row: object) -> tuple[str, str | None]:
        match row:
            case {
                self._collection.key_field: int(key) | str(key),
                self._collection.id_field: None | str() as customer_id,
            }:
                return str(key), customer_id or None
            case _:
                raise DirectusUnavailable("the answer lacks fields of the items that were asked for")
