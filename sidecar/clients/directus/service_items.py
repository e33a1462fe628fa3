"""Reads and writes items of the customers collection as the service, for Stripe's events and for `reconcile`."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from http import HTTPStatus

from sidecar.clients.directus.client import DirectusClient, collection_path, segment
from sidecar.clients.directus.item_pages import ItemPages
from sidecar.clients.directus.item_search import Item, chunks
from sidecar.clients.directus.refusals import data_of
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.flows.follow_customer import LinkedItem, Rights
from sidecar.core.interfaces import PermissionSource, PrimaryKey
from sidecar.errors import DirectusUnavailable, ItemRefused

_READ = "read the items"
_MOST = 10_000  # items at a time: linked to one customer by an ID field that is not unique, or with a status of nobody


class DirectusLinkedItems:
    """`fields` are those that repeat something of a customer."""

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
        self._pages = ItemPages(client, collection.name)
        self._fields = frozenset(fields)

    async def rights(self) -> Rights:
        """Ask each time: events are rare, and the policy may have been corrected since the last one."""
        permissions = await self._permissions.permissions(self._service)
        return Rights(
            *(permissions.grant(self._collection.name, action).fields for action in (Action.READ, Action.UPDATE))
        )

    async def types(self, fields: Collection[str]) -> Mapping[str, str]:
        """A field that is missing or may not be read is refused, each by itself: Directus lists them to few tokens."""
        answers = {name: await self._client.request(self._service, "GET", self._field(name)) for name in fields}
        found = {name: answer for name, answer in answers.items() if answer.status != HTTPStatus.FORBIDDEN}
        return {name: _type(data_of(answer, "read this field")) for name, answer in found.items()}

    async def linked(self, customer_id: str, fields: AllowedFields) -> Sequence[LinkedItem]:
        """The value that comes back counts: some databases find "cus_a" in a search for "cus_A"."""
        key_field, id_field = self._collection.key_field, self._collection.id_field
        names = {key_field, id_field, *(self._fields & fields.names)}
        query = {
            "fields": ["*"] if fields.unrestricted else sorted(names),
            "filter": {id_field: {"_eq": customer_id}},
            "sort": [key_field],
        }
        found: dict[PrimaryKey, Item] = {}
        rows = self._pages.of(self._service, query, _READ)
        while not rows.ended:
            page = [row for row in await rows.next_page() if row.get(id_field) == customer_id]
            found |= {self._key(row): row for row in page}
            if len(found) > _MOST:
                raise DirectusUnavailable(f"more than {_MOST} items are linked to one customer")
        return [LinkedItem(key, row) for key, row in found.items()]

    async def change(self, item: PrimaryKey, customer_id: str | None, values: Mapping[str, object]) -> bool:
        by_id = {"_empty": True} if customer_id is None else {"_eq": customer_id}
        linked = {"_and": [{self._collection.key_field: {"_eq": item}}, {self._collection.id_field: by_id}]}
        body = {"query": {"filter": linked, "fields": [self._collection.key_field]}, "data": dict(values)}
        answer = await self._client.request(self._service, "PATCH", self._path, json=body)
        if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and answer.code is not None:
            # Said where the database refuses a value with an error that Directus does not know, or where a hook does.
            raise ItemRefused("Directus could not update this item.", status=answer.status, code=answer.code)
        changed = data_of(answer, "update this item")
        return isinstance(changed, list) and len(changed) == 1

    def _field(self, name: str) -> str:
        return f"/fields/{segment(self._collection.name)}/{segment(name)}"

    def _key(self, row: Item) -> PrimaryKey:
        key = row.get(self._collection.key_field)
        if not isinstance(key, int | str):
            raise DirectusUnavailable("the answer lacks fields of the items that were asked for")
        return key


def _type(field: object) -> str:
    match field:
        case {"type": str(field_type)}:
            return field_type
        case _:
            raise DirectusUnavailable("the answer lacks the type of a field")


class DirectusItemLists:
    """All methods give primary keys as text and raise ItemRefused and DirectusUnavailable."""

    def __init__(self, client: DirectusClient, service: Credential, *, collection: CustomersCollection) -> None:
        self._service = service
        self._collection = collection
        self._pages = ItemPages(client, collection.name)

    async def named(self, keys: Collection[str]) -> dict[str, str | None]:
        """Give the ID in each of these items. An item that is missing here may exist: ask for it alone."""
        found: dict[str, str | None] = {}
        for chunk in chunks(list(keys), len(keys)):
            query = self._query({self._collection.key_field: {"_in": chunk}})
            rows = self._pages.of(self._service, query, _READ, most=len(chunk))
            while not rows.ended:
                found |= self._entries(await rows.next_page())
        return found

    async def holders(self, customer_id: str) -> set[str]:
        """Give the items that contain this ID; some databases find "cus_a" in a search for "cus_A"."""
        found: dict[str, str | None] = {}
        rows = self._pages.of(self._service, self._query({self._collection.id_field: {"_eq": customer_id}}), _READ)
        while not rows.ended:
            found |= self._entries(await rows.next_page())
        return {key for key, held in found.items() if held == customer_id}

    async def linked(self) -> AsyncIterator[dict[str, str]]:
        """Give all items that contain an ID, page by page."""
        rows = self._pages.of(self._service, self._with_id, _READ)
        while not rows.ended:
            yield self._named(await rows.next_page())

    async def ends(self, most: int) -> dict[str, str]:
        """Give the first and the last items by primary key that contain an ID, at most so many of each."""
        found: dict[str, str] = {}
        for sort in (self._collection.key_field, f"-{self._collection.key_field}"):
            rows = self._pages.of(self._service, {**self._with_id, "sort": [sort]}, _READ, most)
            found |= self._named(await rows.next_page())
        return found

    @property
    def _with_id(self) -> Mapping[str, object]:
        return self._query({self._collection.id_field: {"_nempty": True}})

    async def unlinked(self, fields: Collection[str]) -> Sequence[str]:
        """Give items without a customer's ID in which one of these fields holds something; some only, if very many."""
        of_nobody = {self._collection.id_field: {"_empty": True}}
        holding = {"_or": [{name: {"_nnull": True}} for name in sorted(fields)]}
        rows = self._pages.of(self._service, self._query({"_and": [of_nobody, holding]}), _READ)
        found: dict[str, None] = {}
        while not rows.ended and len(found) < _MOST:
            found |= dict.fromkeys(self._entries(await rows.next_page()))
        return list(found)

    def _query(self, wanted: Mapping[str, object]) -> Mapping[str, object]:
        key_field, id_field = self._collection.key_field, self._collection.id_field
        return {"fields": [key_field, id_field], "filter": wanted, "sort": [key_field]}

    def _named(self, page: Collection[Item]) -> dict[str, str]:
        return {key: customer_id for key, customer_id in self._entries(page).items() if customer_id is not None}

    def _entries(self, page: Collection[Item]) -> dict[str, str | None]:
        return dict(self._entry(row) for row in page)

    def _entry(self, row: object) -> tuple[str, str | None]:
        match row:
            case {
                self._collection.key_field: int(key) | str(key),
                self._collection.id_field: None | str() as customer_id,
            }:
                return str(key), customer_id or None
            case _:
                raise DirectusUnavailable("the answer lacks fields of the items that were asked for")
