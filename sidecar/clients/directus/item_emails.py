"""Reads items with their e-mail addresses as the service, for `link`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.item_pages import ItemPages
from sidecar.clients.directus.item_search import Item
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential
from sidecar.errors import DirectusUnavailable

_READ = "read the items"


@dataclass(frozen=True, slots=True)
class ItemWithEmail:
    """`email` is whatever the field holds; `customer` is None where the ID field is empty."""

    key: str
    email: object
    customer: str | None


class ItemEmails:
    """All methods raise ItemRefused and DirectusUnavailable."""

    def __init__(
        self, client: DirectusClient, service: Credential, *, collection: CustomersCollection, field: str
    ) -> None:
        self._service, self._collection, self._field = service, collection, field
        self._pages = ItemPages(client, collection.name)

    def without_customer(self) -> AsyncIterator[Sequence[ItemWithEmail]]:
        return self._list({self._collection.id_field: {"_empty": True}})

    def with_customer(self) -> AsyncIterator[Sequence[ItemWithEmail]]:
        return self._list({self._collection.id_field: {"_nempty": True}})

    async def one(self, key: str) -> ItemWithEmail | None:
        """Give this very item; some databases find item 1 under "01" too."""
        async for page in self._list({self._collection.key_field: {"_eq": key}}):
            for item in page:
                if item.key == key:
                    return item
        return None

    async def _list(self, wanted: Mapping[str, object]) -> AsyncIterator[Sequence[ItemWithEmail]]:
        key_field, id_field = self._collection.key_field, self._collection.id_field
        query = {"fields": [key_field, id_field, self._field], "filter": wanted, "sort": [key_field]}
        rows = self._pages.of(self._service, query, _READ)
        while not rows.ended:
            yield [self._item(row) for row in await rows.next_page()]

    def _item(self, row: Item) -> ItemWithEmail:
        match row:
            case {
                self._collection.key_field: int(key) | str(key),
                self._collection.id_field: None | str() as customer,
                self._field: email,
            }:
                return ItemWithEmail(str(key), email, customer or None)
            case _:
                raise DirectusUnavailable("the answer lacks fields of the items that were asked for")
