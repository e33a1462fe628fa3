"""Asks which rows a caller sees, with the caller's own token: item rules are Directus's to interpret.

The **value** that comes back counts, not the number of rows: a row that is visible through another policy
can show the field as null (Directus API reference, "Items: list"). Asked with SEARCH: what it answers to GET Directus
may keep (CACHE_ENABLED), and a row that was taken away would be shown until that runs out.
"""

from collections.abc import Collection, Mapping

from sidecar.clients.directus.client import DirectusClient, collection_path
from sidecar.clients.directus.items import data_of, segment
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.access.scope import shown_fields
from sidecar.core.operations.resources import is_customer_id
from sidecar.errors import DirectusUnavailable, TooManyCustomers

_PAGE = 100


class DirectusRows:
    """`fields` are those that stand for something at Stripe; `most` is how many customers a list may have."""

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
        self._fields = frozenset(fields) | {collection.id_field}
        self._most = most

    async def shown(self, credential: Credential, allowed: AllowedFields, customer_id: str) -> AllowedFields | None:
        for row in await self._rows(credential, allowed, self._one(customer_id)):
            if row.get(self._collection.id_field) == customer_id:
                return shown_fields(row, allowed)
        return None

    async def may(self, credential: Credential, action: Action, customer_id: str) -> bool:
        """Ask about the item itself: which of them an item rule covers is Directus's to say.

        Reading is not among what it answers there; that is what `shown` is for.
        """
        fields = [self._collection.key_field, self._collection.id_field]
        for row in await self._read(credential, {"fields": fields, **self._one(customer_id)}):
            key = row.get(self._collection.key_field)
            if row.get(self._collection.id_field) == customer_id and isinstance(key, int | str):
                path = f"/permissions/me/{self._collection.name}/{segment(key)}"
                answer = data_of(await self._client.request(credential, "GET", path), "use this item")
                match answer.get(action) if isinstance(answer, dict) else None:
                    case {"access": True}:
                        return True
        return False

    async def customers(self, credential: Credential, allowed: AllowedFields) -> Mapping[str, AllowedFields]:
        found: dict[str, AllowedFields] = {}
        named = {
            "filter": {self._collection.id_field: {"_nnull": True}},
            "sort": [self._collection.id_field],
            "limit": _PAGE,
        }
        for page in range(1, self._most // _PAGE + 3):
            rows = await self._rows(credential, allowed, {**named, "page": page})
            for row in rows:
                customer_id = row.get(self._collection.id_field)
                if isinstance(customer_id, str) and is_customer_id(customer_id):
                    found[customer_id] = shown_fields(row, allowed)
            if len(found) > self._most:
                break
            if len(rows) < _PAGE:
                return found
        raise TooManyCustomers(
            f"Your items name more than {self._most} customers. Ask for one customer at a time, by its ID."
        )

    def _one(self, customer_id: str) -> Mapping[str, object]:
        return {"filter": {self._collection.id_field: {"_eq": customer_id}}, "limit": 1}

    async def _rows(
        self, credential: Credential, allowed: AllowedFields, query: Mapping[str, object]
    ) -> list[Mapping[str, object]]:
        fields = ["*"] if allowed.unrestricted else sorted(self._fields & allowed.names)
        return await self._read(credential, {"fields": fields, **query})

    async def _read(self, credential: Credential, query: Mapping[str, object]) -> list[Mapping[str, object]]:
        answer = await self._client.request(credential, "SEARCH", self._path, json={"query": query})
        rows = data_of(answer, "read your items")
        if not isinstance(rows, list):
            raise DirectusUnavailable("a list of items was answered as something else")
        return [row if isinstance(row, dict) else {} for row in rows]
