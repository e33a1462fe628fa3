"""A whole list, fetched over several stretches of time in parallel and given strictly in its order.

Two documented properties of lists carry it: `created` filters by whole seconds, and a cursor continues after an
object, whatever was created or deleted meanwhile (docs.stripe.com/api/pagination). The account's time is cut into
stretches that never split a second, and each stretch is read page by page to its own end, so together they have every
object once. Where the cuts are is a guess from the density of the last page. A wrong guess costs time, never an object:
the oldest stretch is always open below, so it steps over a gap of years by itself. A list that is not ordered by time
is not cut, or ends in an error where the disorder shows only after a cut.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from itertools import islice, pairwise

from sidecar.clients.lists.held import HeldBytes
from sidecar.clients.lists.stretch import Stretch
from sidecar.core.operations.list_query import MOST, RenderedPage, Span
from sidecar.errors import SidecarError, StripeRejected, StripeUnavailable

_ROOM = 8  # pages that may wait in memory, for each request that may be under way
_TARGET = 10 * MOST * 19 // 20  # objects of a stretch: ten pages, the last one nearly full, so that no eleventh follows
_WORTH = MOST  # objects that make a stretch of their own worthwhile
_SPARE = 8  # stretches that may be cut before a full page has come for each

Fetch = Callable[[Mapping[str, str]], Awaitable[RenderedPage]]


class ParallelList:
    """One whole list. At most `concurrency` requests are under way; 1 reads page after page.

    `on_disorder` is called for a list that is not ordered by time. Pages are counted in `held` until they are given;
    while there is no room, only the page is fetched that the reader waits for.
    """

    def __init__(
        self,
        fetch: Fetch,
        concurrency: int,
        on_disorder: Callable[[], None] = lambda: None,
        held: HeldBytes | None = None,
    ) -> None:
        self._fetch = fetch
        self._concurrency = concurrency
        self._on_disorder = on_disorder
        self._account = (held or HeldBytes()).account()
        self._usual = 0  # bytes of the last page
        self._stretches: deque[Stretch] = deque()
        self._whole = concurrency == 1
        self._full = self._cut = 0  # full pages so far, and stretches cut off so far

    async def pages(self, span: Span, after: Sequence[str] = ()) -> AsyncGenerator[RenderedPage]:
        """Give the pages newest first, beginning after the last of `after` that Stripe still knows.

        Raises the SidecarError of `fetch` after everything before the fault was given. Fetches no more than the
        reader takes.
        """
        self._stretches.append(Stretch(span, list(after)))
        try:
            while self._stretches:
                self._settle_all()
                self._begin_some()
                head = self._stretches[0]
                if head.ready:
                    yield self._take(head)
                elif head.fault is not None:
                    raise head.fault
                elif head.over:
                    self._stretches.popleft()
                else:
                    await asyncio.wait(self._under_way(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._account.close()
            tasks = self._under_way()
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

    def _begin_some(self) -> None:
        """Fetch pages in the order in which they will be given; the one that the reader waits for even without room."""
        under_way = len(self._under_way())
        room = _ROOM * self._concurrency - sum(len(stretch.ready) for stretch in self._stretches)
        for stretch in self._stretches:
            if stretch.fault is not None or under_way >= min(self._concurrency, max(room, 1)):
                return
            if stretch.task is None and not stretch.over:
                awaited = stretch is self._stretches[0] and not stretch.ready
                if not awaited and not self._account.has_room_for(self._usual):
                    return
                self._begin(stretch)
                under_way += 1

    def _begin(self, stretch: Stretch) -> None:
        stretch.task = asyncio.ensure_future(self._next(stretch))
        stretch.begun = True
        stretch.expected = self._usual
        self._account.add(stretch.expected)

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
        pages = [(stretch, self._settle(stretch, task)) for stretch, task in done]
        for stretch, page in pages:
            if page is not None and page.more and not self._whole:
                self._keep_a_share(stretch, page)

    def _settle(self, stretch: Stretch, task: asyncio.Task[RenderedPage]) -> RenderedPage | None:
        """Give the page that came; None where the stretch ended in a fault."""
        stretch.task = None
        self._account.remove(stretch.expected)
        try:
            page = task.result()
            self._judge_order(stretch, page)
            stretch.take(page)
        except SidecarError as error:
            stretch.fault = error
            return None
        if page.ids:
            self._usual = len(page.payload)
            self._account.add(self._usual)
        self._full += len(page.ids) == MOST
        return page

    def _judge_order(self, stretch: Stretch, page: RenderedPage) -> None:
        if stretch.goes_on_with(page):
            return
        self._on_disorder()
        if self._cut > 0:
            raise StripeUnavailable("Stripe's list is not in order. Ask again.", detail="not ordered by time")
        self._whole = True

    def _keep_a_share(self, stretch: Stretch, page: RenderedPage) -> None:
        """Keep as much time as the stretch's target needs, by the density of its last page; pass the rest on.

        Near the list's end, where places stay free, a stretch keeps half of its remaining time.
        """
        seconds, count = page.newest - page.oldest + 1, len(page.ids)
        worth = _WORTH * seconds // count
        share = max(0, _TARGET - stretch.seen) * seconds // count
        since = stretch.span.since
        if since is not None and page.oldest - since > worth and self._free() > 0 and self._end_in_sight():
            share = min(share, (page.oldest - since) // 2)
        border = page.oldest - share
        following = self._following(stretch)
        if border <= (since or 0):
            return
        if following is not None:
            following.span = Span(following.span.since, border)
        elif self._spare() > 0 and (since is None or border - since > worth):
            self._insert_after(stretch, self._parts(stretch, Span(since, border), worth))
        else:
            return
        stretch.span = Span(border, stretch.span.until)

    def _following(self, stretch: Stretch) -> Stretch | None:
        """Give the next stretch if it has not begun, so that its time can still grow."""
        following = next(islice(self._stretches, self._stretches.index(stretch) + 1, None), None)
        return None if following is None or following.begun else following

    def _parts(self, stretch: Stretch, rest: Span, worth: int) -> list[Span]:
        """Cut the rest into as many parts as there are places for, but no more than the full pages so far allow.

        A rest that is open below is cut into parts of one target each, by the density of everything that `stretch` has
        seen, gaps included; any other rest is halved.
        """
        until, free = rest.until or 0, min(self._free(), 1 + self._full)
        if rest.since is None:
            width = (stretch.newest - stretch.oldest + 1) * _TARGET // stretch.seen
            cuts = [until - width * number for number in range(1, free)]
        else:
            cuts = [(rest.since + until) // 2] if free > 1 else []
        ends = [until, *(cut for cut in cuts if cut > 0 and until - cut > worth), rest.since]
        return [Span(since, until) for until, since in pairwise(ends)]

    def _insert_after(self, stretch: Stretch, parts: Sequence[Span]) -> None:
        place = self._stretches.index(stretch) + 1
        for part in reversed(parts):
            self._stretches.insert(place, Stretch(part))
        self._cut += len(parts)

    def _end_in_sight(self) -> bool:
        last = self._stretches[-1]
        return last.over or last.span.since is not None

    def _free(self) -> int:
        """Give the number of stretches that there are places for."""
        return min(self._concurrency - sum(not stretch.over for stretch in self._stretches), self._spare())

    def _spare(self) -> int:
        """Give the number of stretches that may still be cut off.

        Each costs one page that is not full, so there may be one for each full page: cuts at the wrong places at most
        double the requests.
        """
        return self._full + _SPARE - self._cut
