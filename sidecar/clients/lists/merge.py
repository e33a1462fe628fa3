"""Merges lists at Stripe, each newest first, into one newest first, with few objects in memory.

Objects wait as JSON, a third of what they take when parsed. A list is asked for again only when all that it gave was
given, so each object is compared with the newest of every other list.
"""

import heapq
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson

from sidecar.clients.lists.account import created
from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.clients.lists.fan_out import fan_out
from sidecar.clients.lists.held import Account
from sidecar.core.operations.list_query import MOST
from sidecar.core.operations.resources import StripeObject

_FEW = 3  # objects; fewer would cost a call each
_SPREAD = 600  # objects that a page asks of all its lists together at first
_GROWTH = 4  # times as many when a list is asked again
_USUAL = 4_000  # bytes of an object, as long as none has come


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
    return Packed(created(value), value.get("id"), orjson.dumps(value))


class Source:
    """One of the lists. `check` raises for an object that must not be in it; `waiting` has the newest first."""

    def __init__(self, pages: CursorPages, check: Callable[[StripeObject], None]) -> None:
        self._pages = pages
        self._check = check
        self.waiting: deque[Packed] = deque()

    async def fill(self, limit: Callable[[], int]) -> None:
        """Ask for more if nothing waits, until something does or there is no more."""
        while not (self.waiting or self._pages.over):
            found = await self._pages.next(limit())
            for entry in found:
                self._check(entry)
            self.waiting.extend(map(pack, found))


class Merge:
    """The objects of all `sources`; what waits is counted in `account`.

    `wanted` is how many objects a page can need, None for a whole list. A page asks each list for little at first and
    for more if that was not enough; a whole list asks for as much as there is room for, since all will be needed.
    """

    def __init__(self, sources: Sequence[Source], account: Account, wanted: int | None) -> None:
        self._sources = sources
        self._account = account
        self._most = MOST if wanted is None else min(MOST, wanted)
        first = self._most if wanted is None else max(_FEW, _SPREAD // max(1, len(sources)))
        self._next = [first] * len(sources)
        self._came = self._bytes = 0  # objects so far

    async def objects(self) -> AsyncGenerator[Packed]:
        """Give all objects, newest first; of equally old ones those of the first list first."""
        await fan_out([self._filling(index) for index in range(len(self._sources))])
        heap = [(-source.waiting[0].created, index) for index, source in enumerate(self._sources) if source.waiting]
        heapq.heapify(heap)
        while heap:
            index = heap[0][1]
            waiting = self._sources[index].waiting
            entry = waiting.popleft()
            self._account.remove(len(entry.body))
            yield entry
            await self._fill(index)
            if waiting:
                heapq.heapreplace(heap, (-waiting[0].created, index))
            else:
                heapq.heappop(heap)

    def _filling(self, index: int) -> Callable[[], Awaitable[None]]:
        return lambda: self._fill(index)

    async def _fill(self, index: int) -> None:
        waiting = self._sources[index].waiting
        if waiting:
            return
        await self._sources[index].fill(lambda: self._limit(index))
        size = sum(len(entry.body) for entry in waiting)
        self._account.add(size)
        self._came, self._bytes = self._came + len(waiting), self._bytes + size

    def _limit(self, index: int) -> int:
        """Say how much to ask of a list: no more than its part of what this merge may have in memory."""
        usual = self._bytes // self._came if self._came else _USUAL
        room = self._account.share // (usual * len(self._sources))
        limit = min(self._most, max(_FEW, room), self._next[index])
        self._next[index] = min(self._most, limit * _GROWTH)
        return limit
