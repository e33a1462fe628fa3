"""A whole list, fetched over several stretches of time in parallel and given strictly in its order.

Two documented properties of lists carry it: `created` filters by whole seconds, and a cursor continues after an
object, whatever was created or deleted meanwhile (docs.stripe.com/api/pagination). The account's time is cut into
stretches that never split a second, and each stretch is read page by page to its own end, so together they have every
object once. Where the cuts are is a guess (`cuts`). A wrong guess costs time, never an object: the oldest stretch is
always open below, so it steps over a gap of years by itself. A list that is not ordered by time is not cut, or ends in
an error where the disorder shows only after a cut.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

from sidecar.clients.lists.cuts import Cuts
from sidecar.clients.lists.held import HeldBytes
from sidecar.clients.lists.shapes import Guide, Shape, ShapeRecord
from sidecar.clients.lists.stretch import Stretch
from sidecar.core.operations.list_query import RenderedPage, Span
from sidecar.errors import SidecarError, StripeRejected, StripeUnavailable

_ROOM = 8  # pages that may wait in memory, for each request that may be under way

Fetch = Callable[[Mapping[str, str]], Awaitable[RenderedPage]]


class ParallelList:
    """One whole list. At most `concurrency` requests are under way; 1 reads page after page.

    `on_disorder` is called for a list that is not ordered by time. Pages are counted in `held` until they are given;
    while there is no room, only the page is fetched that the reader waits for. `guide` knows the list's shape.
    """

    def __init__(
        self,
        fetch: Fetch,
        concurrency: int,
        on_disorder: Callable[[], None] = lambda: None,
        held: HeldBytes | None = None,
        guide: Guide | None = None,
    ) -> None:
        self._fetch = fetch
        self._concurrency = concurrency
        self._on_disorder = on_disorder
        self._account = (held or HeldBytes()).account()
        self._guide = guide if concurrency > 1 else None
        self._search: asyncio.Task[Shape | None] | None = None
        self._looked = False
        self._usual = 0  # bytes of the last page
        self._whole = concurrency == 1

    async def pages(self, span: Span, after: Sequence[str] = ()) -> AsyncGenerator[RenderedPage]:
        """Give the pages newest first, beginning after the last of `after` that Stripe still knows.

        Raises the SidecarError of `fetch` after everything before the fault was given. Fetches no more than the
        reader takes.
        """
        self._cuts = Cuts(Stretch(span, list(after)), self._concurrency)
        self._stretches = self._cuts.stretches
        record = ShapeRecord()
        known = None if self._guide is None else self._guide.known()
        if known is not None and not after:
            self._cuts.follow(known)
        try:
            while self._stretches:
                self._settle_all()
                self._begin_some()
                head = self._stretches[0]
                if head.ready:
                    page = self._take(head)
                    record.add(page)
                    yield page
                    del page
                elif head.fault is not None:
                    raise head.fault
                elif head.over:
                    self._stretches.popleft()
                else:
                    await asyncio.wait(self._awaited(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._close()
        if self._guide is not None and not self._whole and not after and (record.pages > 1 or known is not None):
            self._guide.keep(record.shape)

    async def _close(self) -> None:
        self._account.close()
        tasks = self._awaited()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, head: Stretch) -> RenderedPage:
        """Take the next page; from here on its reader counts it."""
        page = head.ready.popleft()
        self._account.remove(len(page.payload))
        return page

    def _under_way(self) -> list[asyncio.Task[RenderedPage]]:
        return [stretch.task for stretch in self._stretches if stretch.task is not None]

    def _awaited(self) -> list[asyncio.Task[RenderedPage] | asyncio.Task[Shape | None]]:
        return [*self._under_way(), *([] if self._search is None else [self._search])]

    def _begin_some(self) -> None:
        """Fetch pages in the order in which they will be given; the one that the reader waits for even without room."""
        if self._search is not None:
            return
        under_way = len(self._under_way())
        room = _ROOM * self._concurrency - sum(len(stretch.ready) for stretch in self._stretches)
        most = min(self._concurrency, max(room, 1))
        if under_way >= most:
            return
        for stretch in list(self._cuts.window()):
            if under_way >= most:
                return
            if stretch.task is None:
                awaited = stretch is self._stretches[0] and not stretch.ready
                if not awaited and not self._account.has_room_for(self._usual):
                    return
                self._begin(stretch)
                under_way += 1
            if stretch is self._stretches[-1]:  # also one that beginning made the last
                return

    def _begin(self, stretch: Stretch) -> None:
        if not stretch.begun:
            self._cuts.begin(stretch)
        stretch.task = asyncio.ensure_future(self._next(stretch))
        stretch.counted = self._usual
        self._account.add(stretch.counted)

    async def _next(self, stretch: Stretch) -> RenderedPage:
        while True:
            try:
                return await self._fetch(stretch.query())
            except StripeRejected as error:
                if not stretch.step_back(error):
                    raise

    def _settle_all(self) -> None:
        """Take all pages that have come, then decide on cuts: only then it is known which stretches are over."""
        done = [
            (stretch, stretch.task) for stretch in self._stretches if stretch.task is not None and stretch.task.done()
        ]
        for stretch, task in done:
            self._settle(stretch, task)
        self._look_for_shape()
        if done and self._search is None and not self._whole:
            self._cuts.cut_some()

    def _settle(self, stretch: Stretch, task: asyncio.Task[RenderedPage]) -> None:
        stretch.task = None
        self._account.remove(stretch.counted)
        try:
            page = task.result()
            self._judge_order(stretch, page)
            stretch.take(page)
        except SidecarError as error:
            stretch.fault = error
            return
        if page.ids:
            self._usual = len(page.payload)
            self._account.add(self._usual)
        self._cuts.learn(stretch, page)

    def _judge_order(self, stretch: Stretch, page: RenderedPage) -> None:
        if stretch.goes_on_with(page):
            return
        self._on_disorder()
        if self._cuts.any:
            raise StripeUnavailable("Stripe's list is not in order. Ask again.", detail="not ordered by time")
        self._whole = True

    def _look_for_shape(self) -> None:
        """Look for the list's shape once its first page has come and has more; nothing else begins meanwhile."""
        if self._search is not None and self._search.done():
            shape, self._search = self._search.result(), None
            if shape is not None and not self._whole:
                self._cuts.follow(shape)
        elif self._guide is not None and not self._looked and not self._cuts.any and self._stretches[0].divisible:
            self._looked = True
            self._search = asyncio.ensure_future(self._guide.find())
