"""Reads and writes items of the customers collection with a given credential: the caller's or the service's.

Never interprets item rules, but asks Directus (its API reference, "Items", "Permissions").
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from sidecar.clients.directus.client import DirectusClient, collection_path, field_list, segment
from sidecar.clients.directus.item_rights import may
from sidecar.clients.directus.refusals import data_of
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Action
from sidecar.core.interfaces import PrimaryKey
from sidecar.core.item_keys import unusable
from sidecar.errors import DirectusUnavailable, ItemRefused

_FIRST_WAIT = 0.1  # seconds before the first repetition, doubled each time


class DirectusItems:
    """`claim_timeout` is how many seconds `claim` keeps trying to write an ID."""

    def __init__(
        self,
        client: DirectusClient,
        *,
        collection: CustomersCollection,
        claim_timeout: float,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._collection = collection
        self._path = collection_path(collection.name)
        self._claim_timeout, self._timer = claim_timeout, timer

    async def customer_id(self, credential: Credential, item: PrimaryKey) -> str | None:
        """Raises ItemRefused also where the item's primary key is not spelled like `item`.

        Some databases find item 1 under "01" and "0x1" too, and `/users/me` is the user who asks. With two spellings
        one item would have two idempotency keys, so two customers. A column that cannot be null is empty as "".
        """
        _require_usable(item)
        fields = field_list((self._collection.key_field, self._collection.id_field))
        path = f"{self._path}/{segment(item)}?fields={fields}"
        match data_of(await self._client.request(credential, "GET", path), "read this item"):
            case {self._collection.key_field: key} if str(key) != str(item):
                raise ItemRefused(
                    "item: write its primary key as Directus does.",
                    status=HTTPStatus.BAD_REQUEST,
                    code="INVALID_PAYLOAD",
                )
            case {self._collection.key_field: _, self._collection.id_field: None | ""}:
                return None
            case {self._collection.key_field: _, self._collection.id_field: str(customer_id)}:
                return customer_id
            case _:
                raise DirectusUnavailable("the answer lacks fields of the item that were asked for")

    async def may_update(self, credential: Credential, item: PrimaryKey) -> bool:
        _require_usable(item)
        return await may(self._client, credential, self._collection.name, Action.UPDATE, item, what="update this item")

    async def create(self, credential: Credential, values: Mapping[str, object]) -> PrimaryKey:
        answer = await self._client.request(credential, "POST", self._path, json=dict(values))
        match data_of(answer, "create an item"):
            case {self._collection.key_field: int(key) | str(key)}:
                _require_usable(key)
                return key
            case _:  # Directus answers 204 where the creator may not read the item: its key is unknown
                raise ItemRefused(
                    "The item was created, but you may not read it, so no customer could be created for it. "
                    f'Your policy must allow "read" of "{self._collection.key_field}" on items you create.',
                    status=HTTPStatus.FORBIDDEN,
                    code="FORBIDDEN",
                )

    async def claim(self, credential: Credential, item: PrimaryKey, customer_id: str) -> bool:
        """Write the ID into an empty field, repeated up to `claim_timeout` while Directus is unavailable.

        The customer exists already, so its ID must not be lost.
        """
        _require_usable(item)
        deadline, wait = self._timer() + self._claim_timeout, _FIRST_WAIT
        answer_lost = False
        while True:
            try:
                if await self._claim_once(credential, item, customer_id):
                    return True
                return answer_lost and await self.customer_id(credential, item) == customer_id
            except DirectusUnavailable:
                answer_lost = True
                if self._timer() + wait >= deadline:
                    raise
            await asyncio.sleep(wait)
            wait *= 2

    async def _claim_once(self, credential: Credential, item: PrimaryKey, customer_id: str) -> bool:
        empty = {"_and": [{self._collection.key_field: {"_eq": item}}, {self._collection.id_field: {"_empty": True}}]}
        change = {
            "query": {"filter": empty, "fields": [self._collection.key_field]},
            "data": {self._collection.id_field: customer_id},
        }
        changed = data_of(await self._client.request(credential, "PATCH", self._path, json=change), "update this item")
        return isinstance(changed, list) and len(changed) == 1


def _require_usable(item: PrimaryKey) -> None:
    """Raise ItemRefused for a key that would be another path on the way to Directus, or another value in a filter."""
    if (fault := unusable(item)) is not None:
        raise ItemRefused(
            f"This item's primary key {fault}, so the item cannot have a customer.",
            status=HTTPStatus.BAD_REQUEST,
            code="INVALID_PAYLOAD",
        )
