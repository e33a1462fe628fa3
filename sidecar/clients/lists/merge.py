"""Merges lists at Stripe, each newest first, into one newest first, with few objects in memory.

A list is asked for again only when all that it gave was given, so each object is compared with the newest of every
other list.
"""

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.clients.lists.fan_out import fan_out
from sidecar.clients.lists.held import Account
from sidecar.clients.lists.waiting import Waiting, size_of, waiting
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
        """A list that gave the whole page need not be asked for the object after it: Stripe says if there is one."""
        return cls(600, limit)

    @classmethod
    def after_cursor(cls, limit: int) -> "Portion":
        """As many as if the lists were read from the top, so that it takes no more calls."""
        return cls(FROM_THE_TOP.first, limit)

    def of_each(self, lists: int) -> int:
        return min(self.most, max(_FEW, self.first // lists))


FROM_THE_TOP = Portion(2_400)  # how deep the cursor is cannot be known
WHOLE = Portion(1_000_000)  # all will be needed


class Source:
    """One of the lists. `check` raises for a page with an object that must not be in it; `waiting` is newest first."""

    def __init__(self, pages: CursorPages, check: Callable[[Page], None]) -> None:
        self._pages = pages
        self._check = check
        self.waiting: deque[Waiting] = deque()

    @property
    def over(self) -> bool:
        """Whether Stripe has no more than what waits."""
        return self._pages.over

    async def fill(self, limit: int) -> int:
        """Ask for objects, and give the bytes that they count as."""
        page = await self._pages.next(limit)
        self._check(page)
        self.waiting.extend(waiting(page))
        return size_of(self.waiting)


class Merge:
    """The objects of all `sources`, newest first; of equally old ones those of the first list first.

    Those that wait, and those asked for, are counted in `account`. A list is asked for no more than its part of what
    there is room for, but always for a few.
    """

    def __init__(self, sources: Sequence[Source], account: Account, portion: Portion) -> None:
        self._sources = sources
        self._account = account
        self._most = portion.most
        self._next = [portion.of_each(len(sources)) for _ in sources]
        self._came = self._bytes = 0  # objects so far
        self._heap: list[tuple[int, int]] = []  # of each list that has objects waiting: how new, and which it is
        self._dry: int | None = None  # the list that has given all that it had, but is not over

    @property
    def more(self) -> bool:
        """Whether there are objects that were not given."""
        return self._dry is not None or bool(self._heap)

    async def begin(self) -> None:
        """Ask every list for its first objects."""
        await fan_out([partial(self._fill, index) for index in range(len(self._sources))])
        waiting = enumerate(source.waiting for source in self._sources)
        self._heap = [(-entries[0].created, index) for index, entries in waiting if entries]
        heapq.heapify(self._heap)

    async def take(self, count: int) -> list[Waiting]:
        """Give the next objects, fewer than `count` only where there are no more."""
        taken: list[Waiting] = []
        while True:
            self._merge(taken, count)
            if len(taken) == count or self._dry is None:
                break
            await self._refill(self._dry)
        self._account.remove(size_of(taken))
        return taken

    def _merge(self, taken: list[Waiting], count: int) -> None:
        """Take objects until there are `count`, or a list is dry."""
        heap = self._heap
        while heap and len(taken) < count and self._dry is None:
            index = heap[0][1]
            waiting = self._sources[index].waiting
            taken.append(waiting.popleft())
            if waiting:
                heapq.heapreplace(heap, (-waiting[0].created, index))
            else:
                heapq.heappop(heap)
                self._dry = None if self._sources[index].over else index

    async def _refill(self, index: int) -> None:
        await self._fill(index)
        self._dry = None
        if waiting := self._sources[index].waiting:
            heapq.heappush(self._heap, (-waiting[0].created, index))

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
