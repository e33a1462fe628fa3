"""Merges lists at Stripe, each newest first, into one newest first, with few objects in memory.

Objects wait as JSON, a third of what they take when parsed. A list is asked for again only when all that it gave was
given, so each object is compared with the newest of every other list.
"""

import heapq
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from sidecar.clients.lists.account import created
from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.clients.lists.fan_out import fan_out
from sidecar.clients.lists.held import Account
from sidecar.core.operations.list_query import MOST
from sidecar.core.operations.resources import StripeObject

_FEW = 3  # objects; fewer would cost a call each
_GROWTH = 8  # times as many when a list is asked again
_USUAL = 4_000  # bytes of an object, as long as none has come


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


@dataclass(frozen=True, slots=True)
class Packed:
    """An object as JSON, with what it is found and ordered by."""

    created: int
    id: object
    body: bytes

    def unpack(self) -> StripeObject:
        value: StripeObject = orjson.loads(self.body)
        return value


def pack(value: StripeObject) -> Packed:
    """Raises StripeUnavailable for an object without a date."""
    written = orjson.dumps(value)
    # A copy: orjson leaves what it wrote in the buffer it wrote to, which has 16 KiB where 1 KiB is needed.
    return Packed(created(value), value.get("id"), bytes(memoryview(written)))


class Source:
    """One of the lists. `check` raises for an object that must not be in it; `waiting` has the newest first."""

    def __init__(self, pages: CursorPages, check: Callable[[StripeObject], None]) -> None:
        self._pages = pages
        self._check = check
        self.waiting: deque[Packed] = deque()

    @property
    def is_dry(self) -> bool:
        return not (self.waiting or self._pages.over)

    async def fill(self, limit: int) -> None:
        found = await self._pages.next(limit)
        for entry in found:
            self._check(entry)
        self.waiting.extend(map(pack, found))


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

    async def objects(self) -> AsyncGenerator[Packed]:
        """Give all objects, newest first; of equally old ones those of the first list first."""
        await fan_out([partial(self._fill, index) for index in range(len(self._sources))])
        heap = [(-source.waiting[0].created, index) for index, source in enumerate(self._sources) if source.waiting]
        heapq.heapify(heap)
        while heap:
            index = heap[0][1]
            waiting = self._sources[index].waiting
            entry = waiting.popleft()
            self._account.remove(len(entry.body))
            yield entry
            if self._sources[index].is_dry:
                await self._fill(index)
            if waiting:
                heapq.heapreplace(heap, (-waiting[0].created, index))
            else:
                heapq.heappop(heap)

    async def _fill(self, index: int) -> None:
        source, usual = self._sources[index], self._bytes // self._came if self._came else _USUAL
        limit = self._limit(index, usual)
        with self._account.expecting(limit * usual):
            await source.fill(limit)
        size = sum(len(entry.body) for entry in source.waiting)
        self._account.add(size)
        self._came, self._bytes = self._came + len(source.waiting), self._bytes + size

    def _limit(self, index: int, usual: int) -> int:
        room = self._account.share // (usual * len(self._sources))
        limit = min(self._next[index], max(_FEW, room))
        self._next[index] = min(self._most, limit * _GROWTH)
        return limit
