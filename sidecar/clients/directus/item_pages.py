"""Reads whole lists of items, page after page: never a short list, whatever QUERY_LIMIT_MAX is.

Directus refuses a `limit` above QUERY_LIMIT_MAX (its `validateQuery`), and reads -1 as that maximum without a word. So
every question has a limit that Directus accepted, and a page with fewer items is the last.

Pages are chosen by `offset`, and each begins with the last item of the page before. If items before it were deleted
meanwhile, another item stands there: then the list goes back until it meets an item that it has read. So an item that
is there from the beginning to the end is read, at least once. This needs only a stable order; pages by `_gt` would
need a database that compares as it sorts, which Oracle does not, and IDs that differ in any collation.
"""

from collections.abc import Sequence

import orjson

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.item_search import Item, ItemSearch, Query
from sidecar.clients.directus.server_info import NO_LISTS, PATH, ServerInfo
from sidecar.core.access.credentials import Credential
from sidecar.errors import DirectusUnavailable, ItemRefused

_FIRST_SIZE = 100
_INVALID = "INVALID_QUERY"  # Directus's code for a limit that is too large, and for an impossible primary key
_REMEMBERED = 10_000  # items; many more than are inserted between two questions
_MOST_STEPS_BACK = 20


class ItemPages:
    """Lists of one collection; `size` is the largest limit that this Directus is known to accept."""

    def __init__(self, client: DirectusClient, collection: str) -> None:
        self._client = client
        self.search = ItemSearch(client, collection)
        self.size = _FIRST_SIZE

    def of(self, credential: Credential, query: Query, what: str, most: int | None = None) -> "ItemList":
        """Begin a list; `query` has fields, filter and sort; `most` is how many items there can be."""
        return ItemList(self, credential, query, what, most)

    async def page(self, credential: Credential, query: Query, what: str, most: int | None) -> tuple[int, list[Item]]:
        """Give the limit that was used, and one page of at most that many items."""
        limit = first = self.size if most is None else min(self.size, most)
        while True:
            try:
                items = await self.search.items(credential, {**query, "limit": limit}, what)
            except ItemRefused as refused:
                lower = limit if refused.code != _INVALID else await self._lower(credential, limit)
                if lower == limit:
                    raise
                limit = lower
            else:
                self.size = self.size if limit == first else min(self.size, limit)
                return limit, items

    async def _lower(self, credential: Credential, limit: int) -> int:
        """Give the limit to try next; the same one where it is not what Directus refused."""
        answer = await self._client.request(credential, "GET", PATH)
        info = ServerInfo.from_directus(answer.data)
        if info.gives_no_list:
            raise DirectusUnavailable(NO_LISTS)
        if info.query_limit is None:
            return max(1, limit // 2)
        return int(info.query_limit) if 1 <= info.query_limit < limit else limit


class ItemList:
    """One list under way. `ended`: every item was given."""

    def __init__(self, pages: ItemPages, credential: Credential, query: Query, what: str, most: int | None) -> None:
        self._pages, self._credential, self._query, self._what = pages, credential, query, what
        self._most, self._given = most, 0
        self._read: dict[int, None] = {}  # hashes of the items that were read last, in order
        self._steps_back = 0
        self.position = 0  # of the next question
        self.ended = False

    async def next_page(self) -> list[Item]:
        """Give the items of the next page that no page had before. Raises ItemRefused and DirectusUnavailable."""
        while True:
            query = {**self._query, "offset": self.position}
            limit, items = await self._pages.page(self._credential, query, self._what, self._most)
            marks = [hash(orjson.dumps(item)) for item in items]
            # A page of one item cannot begin with the last one and have another.
            if self.position == 0 or limit == 1 or (marks and marks[0] in self._read):
                break
            self._step_back(limit)
        self.position += max(len(items) - 1, 0) if limit > 1 else len(items)
        new = self._new(items, marks)
        self._given += len(new)
        self.ended = len(items) < limit or self._given == self._most
        return new

    def _step_back(self, limit: int) -> None:
        """Go back by one page, then by two, four, …"""
        if self._steps_back == _MOST_STEPS_BACK:
            raise DirectusUnavailable("the items change faster than they can be read")
        self.position = max(0, self.position - (limit << self._steps_back))
        self._steps_back += 1

    def _new(self, items: Sequence[Item], marks: Sequence[int]) -> list[Item]:
        new = [item for item, mark in zip(items, marks, strict=True) if mark not in self._read]
        self._read |= dict.fromkeys(marks)
        while len(self._read) > _REMEMBERED:
            del self._read[next(iter(self._read))]
        return new
