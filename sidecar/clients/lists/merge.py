"""Merges lists at Stripe, each newest first, into one newest first, with few objects in memory.

A list is asked for again only when all that it gave was given, so each object is compared with the newest of every
other list.
"""

import heapq
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.clients.lists.fan_out import fan_out
from sidecar.clients.lists.held import Account
from sidecar.clients.lists.waiting import Waiting, waiting
from sidecar.core.operations.list_query import MOST
from sidecar.core.pages import Page

_FEW = 3  # objects; fewer would cost a call each
_GROWTH = 8  # times as many when a list is asked again
_USUAL = 2_000  # bytes of an object as JSON, as long as none has come


@dataclass(frozen=True, slots=True)
class Portion:
    """How many objects are asked for: `first` of all lists together at first, and `most` of one list at once."""

    first: int
    most: int = MOST

    @classmethod
    def of_page(cls, limit: int) -> "Portion":
        return cls(600, min(MOST, limit + 1))

    def of_each(self, lists: int) -> int:
        return min(self.most, max(_FEW, self.first // lists))


AT_A_CURSOR = Portion(2_400)  # how deep the cursor is cannot be known
WHOLE = Portion(1_000_000)  # all will be needed


class Source:
    """One of the lists. `check` raises for a page with an object that must not be in it; `waiting` is newest first."""

    def __init__(self, pages: CursorPages, check: Callable[[Page], None]) -> None:
        self._pages = pages
        self._check = check
        self.waiting: deque[Waiting] = deque()

    @property
    def is_dry(self) -> bool:
        return not (self.waiting or self._pages.over)

    async def fill(self, limit: int) -> int:
        """Ask for objects, and give the bytes that they count as."""
        page = await self._pages.next(limit)
        self._check(page)
        self.waiting.extend(waiting(page))
        return sum(entry.size for entry in self.waiting)


class Merge:
    """The objects of all `sources`; those that wait, and those asked for, are counted in `account`.

    A list is asked for no more than its part of what there is room for, but always for a few.
    """

    def __init__(self, sources: Sequence[Source], account: Account, portion: Portion) -> None:
        self._sources = sources
        self._account = account
        self._most = portion.most
        self._next = [portion.of_each(len(sources)) for _ in sources]
        self._came = self._bytes = 0  # objects so far

    async def begin(self) -> None:
        """Ask every list for its first objects."""
        await fan_out([partial(self._fill, index) for index in range(len(self._sources))])

    async def objects(self) -> AsyncGenerator[Waiting]:
        """Give all objects once it has begun, newest first; of equally old ones those of the first list first."""
        heap = [(-source.waiting[0].created, index) for index, source in enumerate(self._sources) if source.waiting]
        heapq.heapify(heap)
        while heap:
            index = heap[0][1]
            waiting = self._sources[index].waiting
            yield self._take(waiting)
            if self._sources[index].is_dry:
                await self._fill(index)
            if waiting:
                heapq.heapreplace(heap, (-waiting[0].created, index))
            else:
                heapq.heappop(heap)

    def _take(self, waiting: deque[Waiting]) -> Waiting:
        entry = waiting.popleft()
        self._account.remove(entry.size)
        return entry

    async def _fill(self, index: int) -> None:
        source, usual = self._sources[index], self._bytes // self._came if self._came else _USUAL
        limit = self._limit(index, usual)
        with self._account.expecting(limit * usual):
            size = await source.fill(limit)
        self._account.add(size)
        self._came, self._bytes = self._came + len(source.waiting), self._bytes + size

    def _limit(self, index: int, usual: int) -> int:
        room = self._account.share // (usual * len(self._sources))
        limit = min(self._next[index], max(_FEW, room))
        self._next[index] = min(self._most, limit * _GROWTH)
        return limit
