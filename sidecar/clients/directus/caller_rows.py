"""Asks Directus which rows a caller sees, with the caller's own token: only Directus interprets item rules.

The **value** that comes back counts, not the number of rows: a row that is visible through another policy can show
the field as null (Directus API reference, "Items: list"). The method is SEARCH, since Directus may cache answers to
GET (CACHE_ENABLED): a caller who lost access to a row would see it until the cached answer expires.
"""

from collections.abc import Collection, Mapping

from sidecar.clients.directus.client import DirectusClient, collection_path, segment
from sidecar.clients.directus.refusals import data_of, rows_of
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.access.scope import shown_fields
from sidecar.core.interfaces import PrimaryKey, Row
from sidecar.core.item_keys import unusable
from sidecar.core.operations.resources import is_customer_id
from sidecar.errors import TooManyCustomers

_PAGE = 100


class DirectusRows:
    """`fields` are those that map to an attribute at Stripe; `most` is how many customers a list may have."""

    def __init__(
        self,
        client: DirectusClient,
        *,
        collection: CustomersCollection,
        fields: Collection[str],
        most: int,
    ) -> None:
        self._client = client
        self._collection = collection
        self._path = collection_path(collection.name)
        self._fields = frozenset(fields) | {collection.key_field, collection.id_field}
        self._most = most

    async def find(self, credential: Credential, allowed: AllowedFields, customer_id: str) -> Row | None:
        query = {"filter": {self._collection.id_field: {"_eq": customer_id}}, "limit": 1}
        for row in await self._search(credential, allowed, query):
            if row.get(self._collection.id_field) == customer_id:
                return self._row(row, allowed)
        return None

    async def find_all(self, credential: Credential, allowed: AllowedFields) -> Mapping[str, Row]:
        id_field = self._collection.id_field
        found: dict[str, Row] = {}
        query = {"filter": {id_field: {"_nempty": True}}, "sort": [id_field], "limit": _PAGE}
        for page in range(1, self._most // _PAGE + 3):
            rows = await self._search(credential, allowed, {**query, "page": page})
            for row in rows:
                customer_id = row.get(id_field)
                if isinstance(customer_id, str) and is_customer_id(customer_id):
                    found[customer_id] = self._row(row, allowed)
            if len(found) > self._most:
                break
            if len(rows) < _PAGE:
                return found
        raise TooManyCustomers(
            f"Your items name more than {self._most} customers. Ask for one customer at a time, by its ID."
        )

    async def may(self, credential: Credential, action: Action, key: PrimaryKey) -> bool:
        """Ask Directus about the item itself: Directus alone knows which items a rule covers.

        The answer says nothing about `read`; `find` tells whether the caller may read a row.
        """
        if unusable(key) is not None:
            return False
        path = f"/permissions/me/{segment(self._collection.name)}/{segment(key)}"
        match data_of(await self._client.request(credential, "GET", path), "use this item"):
            case {action.value: {"access": True}}:
                return True
            case _:
                return False

    def _row(self, row: Mapping[str, object], allowed: AllowedFields) -> Row:
        key = row.get(self._collection.key_field)
        return Row(shown_fields(row, allowed), key if isinstance(key, int | str) else None)

    async def _search(
        self, credential: Credential, allowed: AllowedFields, query: Mapping[str, object]
    ) -> list[Mapping[str, object]]:
        fields = ["*"] if allowed.unrestricted else sorted(self._fields & allowed.names)
        body = {"query": {"fields": fields, **query}}
        rows = rows_of(await self._client.request(credential, "SEARCH", self._path, json=body), "read your items")
        return [row if isinstance(row, dict) else {} for row in rows]
