"""The real whole list before a Stripe of one list, in virtual time: each page takes the same time, and is counted."""

import asyncio
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidecar.clients.lists.parallel import ParallelList
from sidecar.clients.lists.shapes import Guide, LocalShapes, Shapes
from sidecar.core.operations.list_query import MOST, RenderedPage, Span
from tests.doubles.virtual_time import VirtualTimeLoop

LATENCY = 0.06  # seconds a page
CONCURRENCY = 6


@dataclass(frozen=True, slots=True)
class Schedule:
    """What one reading of a list of `objects` took; `rounds` is its time in pages."""

    objects: int
    requests: int
    rounds: int

    @property
    def plain(self) -> int:
        """Give the requests of plain paging, which are its rounds too."""
        return max(1, math.ceil(self.objects / MOST))

    @property
    def speed(self) -> float:
        return self.plain / self.rounds

    @property
    def cost(self) -> float:
        return self.requests / self.plain


class SimulatedStripe:
    """`times` are newest first; an object's ID is its place."""

    def __init__(self, times: Sequence[int]) -> None:
        self._times = times
        self.asked = self.under_way = self.most_under_way = 0

    async def fetch(self, parameters: Mapping[str, str]) -> RenderedPage:
        self.asked += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(LATENCY)
        finally:
            self.under_way -= 1
        return self._page(parameters)

    def _page(self, parameters: Mapping[str, str]) -> RenderedPage:
        start, end = 0, len(self._times)
        if "created[lt]" in parameters:
            start = self._first_older_than(int(parameters["created[lt]"]))
        if "created[gte]" in parameters:
            end = self._first_older_than(int(parameters["created[gte]"]))
        if "starting_after" in parameters:
            start = max(start, int(parameters["starting_after"]) + 1)
        stop = min(start + MOST, end)
        if start >= stop:
            return RenderedPage()
        ids = tuple(map(str, range(start, stop)))
        return RenderedPage(b"", ids, stop < end, self._times[start], self._times[stop - 1])

    def _first_older_than(self, moment: int) -> int:
        return bisect_right(self._times, -moment, key=lambda time: -time)


def read(times: Sequence[int], shapes: Shapes | None = None, concurrency: int = CONCURRENCY) -> Schedule:
    """Read a whole list to its end. Raises ValueError for one that is not exactly this list."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_read(times, shapes or LocalShapes(), concurrency))


async def _read(times: Sequence[int], shapes: Shapes, concurrency: int) -> Schedule:
    stripe, place = SimulatedStripe(times), 0
    began = asyncio.get_running_loop().time()
    guide = Guide(shapes, ("simulated",))
    async for page in ParallelList(stripe.fetch, concurrency, guide=guide).pages(Span()):
        if page.ids != tuple(map(str, range(place, place + len(page.ids)))):
            raise ValueError("another object was next")
        place += len(page.ids)
    if place != len(times) or stripe.most_under_way > concurrency:
        raise ValueError("objects are missing, or too many requests were under way")
    took = asyncio.get_running_loop().time() - began
    return Schedule(place, stripe.asked, round(took / LATENCY))
