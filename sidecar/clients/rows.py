"""Asks which rows a caller sees, with the caller's own token: item rules are Directus's to interpret.

The **value** that comes back counts, not the number of rows: a row that is visible through another policy
can show the field as null (Directus API reference, "Items: list").
"""

from urllib.parse import urlencode

from sidecar.clients.directus import DirectusClient, collection_path
from sidecar.clients.items import data_of
from sidecar.core.credentials import Credential
from sidecar.core.operations import is_customer_id
from sidecar.errors import DirectusUnavailable, TooManyCustomers

_PAGE = 100


class DirectusRows:
    """`most` is how many customers a caller may have before lists are refused to it."""

    def __init__(self, client: DirectusClient, *, collection: str, id_field: str, most: int) -> None:
        self._client = client
        self._path = collection_path(collection)
        self._id_field = id_field
        self._most = most

    async def holds(self, credential: Credential, customer_id: str) -> bool:
        rows = await self._rows(credential, {f"filter[{self._id_field}][_eq]": customer_id, "limit": "1"})
        return customer_id in rows

    async def customer_ids(self, credential: Credential) -> tuple[str, ...]:
        found: dict[str, None] = {}
        named = {f"filter[{self._id_field}][_nnull]": "true", "sort": self._id_field, "limit": str(_PAGE)}
        for page in range(1, self._most // _PAGE + 3):
            rows = await self._rows(credential, {**named, "page": str(page)})
            found |= dict.fromkeys(value for value in rows if isinstance(value, str) and is_customer_id(value))
            if len(found) > self._most:
                break
            if len(rows) < _PAGE:
                return tuple(found)
        raise TooManyCustomers(
            f"Your items name more than {self._most} customers. Ask for one customer at a time, by its ID."
        )

    async def _rows(self, credential: Credential, query: dict[str, str]) -> list[object]:
        """Read the ID field of the rows; one that Directus leaves out reads as None."""
        target = f"{self._path}?{urlencode({'fields': self._id_field, **query})}"
        rows = data_of(await self._client.request(credential, "GET", target), "read your items")
        if not isinstance(rows, list):
            raise DirectusUnavailable("a list of items was answered as something else")
        return [row.get(self._id_field) if isinstance(row, dict) else None for row in rows]
