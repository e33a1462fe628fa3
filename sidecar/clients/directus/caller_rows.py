"""Asks Directus which rows a caller sees, with the caller's own token: only Directus interprets item rules.

The **value** that comes back counts, not the number of rows: a row that is visible through another policy can show
the field as null (Directus API reference, "Items: list"). Such rows do not count, however many there are: where a
page has some and is not the last, the IDs are asked for alone, and then the fields of the rows with those IDs.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import copy

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.item_pages import ItemList, ItemPages
from sidecar.clients.directus.item_rights import may
from sidecar.clients.directus.item_search import Item, Query, chunks
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.access.scope import shown_fields
from sidecar.core.interfaces import FirstRows, PrimaryKey, Row
from sidecar.core.item_keys import unusable
from sidecar.core.operations.resources import is_customer_id
from sidecar.errors import TooManyCustomers

_OTHER_ROWS = 200  # that may contain an ID that is no customer's, or one that another row contains
_ROWS_OF_THESE = 10_000  # of one question about known customers: an ID field that is not unique has many for each


class DirectusRows:
    """`fields` are those that map to an attribute at Stripe; `most` is how many customers a list may have.

    `item` is the primary key of the one item that may be read, None for all that Directus lets a caller read.
    """

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
        self._pages = ItemPages(client, collection.name)
        self._fields = frozenset(fields) | {collection.key_field, collection.id_field}
        self._named: Query = {collection.id_field: {"_nempty": True}}
        self._most = most
        self.item: str | None = None

    def of_item(self, key: str) -> "DirectusRows":
        """Give the same for callers that may read this one item only."""
        rows = copy(self)
        rows.item = key
        return rows

    async def find(self, credential: Credential, allowed: AllowedFields, customer_id: str) -> Row | None:
        """The filter may find more than this customer: some databases find "cus_a" in a search for "cus_A"."""
        rows = await self._rows(credential, allowed, {self._collection.id_field: {"_eq": customer_id}})
        return rows.get(customer_id)

    async def find_first(self, credential: Credential, allowed: AllowedFields) -> FirstRows:
        """Ask once, and once more where the page has nothing but rows that name no customer."""
        rows = self._list(credential, allowed, self._named)
        found: dict[str, Row] = {}
        self._add(found, await rows.next_page(), allowed)
        whole = rows.ended or (not found and not await self._names_any(credential))
        return FirstRows(found, whole)

    async def find_all(self, credential: Credential, allowed: AllowedFields) -> Mapping[str, Row]:
        return await self._rows(credential, allowed, self._named)

    async def find_these(
        self, credential: Credential, allowed: AllowedFields, customer_ids: Collection[str]
    ) -> Mapping[str, Row]:
        return await self._rows_of(credential, allowed, sorted(customer_ids), _ROWS_OF_THESE)

    async def may(self, credential: Credential, action: Action, key: PrimaryKey) -> bool:
        """Directus says nothing about `read` here; `find` tells whether the caller may read a row."""
        if unusable(key) is not None:
            return False
        return await may(self._client, credential, self._collection.name, action, key, what="use this item")

    async def _rows(self, credential: Credential, allowed: AllowedFields, wanted: Query) -> dict[str, Row]:
        """Give the customers that the caller's rows name, each with its row."""
        found: dict[str, Row] = {}
        rows = self._list(credential, allowed, wanted)
        while not rows.ended:
            page = await rows.next_page()
            if not rows.ended and not all(self._shows_id(row) for row in page):
                return await self._rows_by_id(credential, allowed, wanted)
            self._add(found, page, allowed)
            self._bound(rows, len(found), self._most)
        return found

    async def _rows_by_id(self, credential: Credential, allowed: AllowedFields, wanted: Query) -> dict[str, Row]:
        """Do the same without reading rows that show no ID."""
        return await self._rows_of(credential, allowed, await self._ids(credential, wanted), self._most)

    async def _rows_of(
        self, credential: Credential, allowed: AllowedFields, customer_ids: Sequence[str], most: int
    ) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for chunk in chunks(customer_ids, max(1, self._pages.size - 1)):
            rows = self._list(credential, allowed, {self._collection.id_field: {"_in": chunk}})
            while not rows.ended:
                self._add(found, await rows.next_page(), allowed)
                self._bound(rows, len(found), most)
        return found

    async def _ids(self, credential: Credential, wanted: Query) -> list[str]:
        found: dict[str, None] = {}
        rows = self._list(credential, self._id_alone, wanted)
        while not rows.ended:
            page = await rows.next_page()
            found |= dict.fromkeys(customer_id for row in page if (customer_id := self._customer(row)) is not None)
            self._bound(rows, len(found), self._most)
        return list(found)

    async def _names_any(self, credential: Credential) -> bool:
        rows = self._list(credential, self._id_alone, self._named)
        while not rows.ended:
            if any(self._customer(row) is not None for row in await rows.next_page()):
                return True
            self._bound(rows, 0, self._most)
        return False

    @property
    def _id_alone(self) -> AllowedFields:
        return AllowedFields(frozenset({self._collection.id_field}))

    def _list(self, credential: Credential, allowed: AllowedFields, wanted: Query) -> ItemList:
        """Directus sorts only by fields that the caller may read."""
        key_field, id_field = self._collection.key_field, self._collection.id_field
        if self.item is not None:
            wanted = {"_and": [wanted, {key_field: {"_eq": self.item}}]}
        query = {
            "fields": ["*"] if allowed.unrestricted else sorted(self._fields & allowed.names),
            "filter": wanted,
            "sort": [id_field, key_field] if allowed.allow(key_field) else [id_field],
        }
        return self._pages.of(credential, query, "read your items")

    @staticmethod
    def _bound(rows: ItemList, customers: int, most: int) -> None:
        if customers > most or (rows.position > most + _OTHER_ROWS and not rows.ended):
            raise TooManyCustomers(
                f"Your items name more than {most} customers. Ask for one customer at a time, by its ID."
            )

    def _add(self, found: dict[str, Row], page: Collection[Item], allowed: AllowedFields) -> None:
        for item in page:
            if (customer_id := self._customer(item)) is not None:
                row = self._row(item, allowed)
                found[customer_id] = _joined(found[customer_id], row) if customer_id in found else row

    def _row(self, item: Item, allowed: AllowedFields) -> Row:
        key = item.get(self._collection.key_field)
        return Row(shown_fields(item, allowed), key if isinstance(key, int | str) else None)

    def _shows_id(self, item: Item) -> bool:
        return item.get(self._collection.id_field) is not None

    def _customer(self, item: Item) -> str | None:
        customer_id = item.get(self._collection.id_field)
        return customer_id if isinstance(customer_id, str) and is_customer_id(customer_id) else None


def _joined(one: Row, other: Row) -> Row:
    """Join two rows that name one customer: the caller sees both, so it sees the fields of both.

    The first row's key counts where an action needs one: another row may be one that the caller may not change.
    """
    same = one.key is not None and one.key == other.key  # read twice, on two pages
    return Row(
        one.fields.joined(other.fields),
        one.key if one.key is not None else other.key,
        alone=same and one.alone and other.alone,
    )
