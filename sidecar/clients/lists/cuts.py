"""Decides where the time of a whole list is cut into stretches. Nothing here fetches.

Each stretch costs at most one page that is not full, so a cut needs a reason:

- A list is read page by page until its second full page. Then one stretch is cut off, beyond 1,200 objects as far as
  can be told. However the objects lie, two stretches cost one request more than plain paging at most.
- Where that stretch begins with a full page, as dense as the first ones, or where 1,000 objects have come, the list is
  long: it is cut into as many stretches as may be read at once, each of some nine pages; near its end the longest are
  halved. A list of up to 1,000 that only looks long costs one request more for each stretch, so five where six may be
  read at once.
- Where the shape of an earlier list is known, the list is cut by that, into pieces of whole pages; one of up to 1,000
  objects is cut once, and does not count as long before its tenth full page.

What is far ahead of the reader waits in memory and would use up the room that the pages before it need. So only
stretches within a window before the reader are read.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

from sidecar.clients.lists.shapes import Shape
from sidecar.clients.lists.stretch import Stretch
from sidecar.core.operations.list_query import MOST, RenderedPage, Span

_FIRST = 2  # full pages before the first cut
_FAR = 12 * MOST  # objects before that cut
_LONG = 10  # full pages after which a list is long
_LIKE = 3, 2  # how much denser one of both may be, as a fraction
_TARGET = 9 * MOST  # objects of a stretch of a long list
_WINDOW = 12 * MOST  # objects before the reader, for each request that may be under way
_WORTH, _WORTH_EARLY = MOST, _TARGET  # objects that are worth a cut, near the list's end and before
_SPARE = 8  # stretches that may be cut before a full page has come for each
_GOOD = 8 * MOST // 10  # objects of a page as a shape foretells it
_ALMOST = MOST // 5  # objects that the last page of a half should lack, so that no other follows


class Cuts:
    """`stretches` are those of the list in its order, without those that were given whole."""

    def __init__(self, first: Stretch, concurrency: int) -> None:
        self.stretches = deque([first])
        self.any = False
        self._concurrency = concurrency
        self._since = first.span.since
        self._first = first
        self._full = self._good = self._made = 0  # pages that were full, or nearly, and stretches cut off, so far
        self._likely = False

    def learn(self, stretch: Stretch, page: RenderedPage) -> None:
        """Learn from the next page of a stretch, which has taken it."""
        self._full += len(page.ids) == MOST
        self._good += len(page.ids) >= _GOOD
        far = (
            stretch is not self._first and not stretch.by_shape and stretch.seen == len(page.ids) == MOST and page.more
        )
        self._likely = self._likely or (far and not self._first.over and self._is_like_first(page))

    @property
    def _long(self) -> bool:
        return self._likely or self._full >= _LONG

    def _is_like_first(self, page: RenderedPage) -> bool:
        first = self._first
        here = len(page.ids) * (first.newest - first.oldest + 1)
        there = first.seen * (page.newest - page.oldest + 1)
        most, least = _LIKE
        return here * least <= there * most and there * least <= here * most

    def follow(self, shape: Shape) -> None:
        """Cut the rest of the first stretch as an earlier list was spread."""
        first = self._first
        if first.over or first.fault is not None:
            return
        borders = [
            (border, count)
            for border, count in shape.borders(first.oldest if first.seen else first.span.until, self._concurrency)
            if border > (self._since or 0)
        ]
        if not borders:
            return
        ends = [*borders, (self._since, shape.count)]
        parts = [
            Stretch(Span(since, until), expected=count - before, by_shape=True)
            for (until, before), (since, count) in pairwise(ends)
        ]
        first.span, first.expected = Span(borders[0][0], first.span.until), borders[0][1]
        self._insert_after(first, parts)

    def begin(self, stretch: Stretch) -> None:
        """Call it before the first page of a stretch is fetched. A shape that proves wrong is followed no further."""
        if stretch.by_shape:
            if self._trust() <= 0:
                self._join_from(stretch)
            self._made += 1
        stretch.begun = True

    def _trust(self) -> int:
        """Give the number of pieces of a shape that may still begin; good pages speak for it."""
        return self._good + _SPARE - self._made

    def _join_from(self, stretch: Stretch) -> None:
        """Join a stretch with all that follow it, of which none has begun."""
        stretch.span, stretch.by_shape = Span(self._since, stretch.span.until), False
        while self.stretches[-1] is not stretch:
            self.stretches.pop()

    def window(self) -> Iterator[Stretch]:
        """Give the stretches that may be read now, always the first that is not over."""
        ahead, trust = 0, self._trust()
        for stretch in self.stretches:
            if stretch.fault is not None or ahead >= _WINDOW * self._concurrency:
                return
            if not stretch.over:
                if stretch.by_shape and not stretch.begun:
                    trust -= 1
                    if ahead > 0 and trust < 0:
                        return
                yield stretch
            ahead += len(stretch.ready) * MOST + stretch.left

    def cut_some(self) -> None:
        """Cut while more could be read at once; call it when no page has come that was not learned from."""
        while (free := self._free()) > 0 and self._cut(free):
            pass

    def _free(self) -> int:
        return min(self._concurrency - sum(1 for _ in self.window()), self._spare())

    def _spare(self) -> int:
        """Give the number of stretches that may still be cut off.

        On a long list there may be one for each full page: cuts at the wrong places at most double the requests.
        """
        if self._full >= _LONG:
            return self._full + _SPARE - self._made
        return (self._concurrency - 1 if self._likely else int(self._full >= _FIRST)) - self._made

    def _cut(self, free: int) -> bool:
        within = [stretch for stretch in self.window() if stretch.divisible]
        last = self.stretches[-1]
        if last in within and self._cut_last(last, free):
            return True
        return self._long and self._halve([stretch for stretch in within if stretch.span.since is not None])

    def _cut_last(self, last: Stretch, free: int) -> bool:
        """Cut from the last stretch, whose end nobody knows, as many as there are places for."""
        if not self._long:
            free, keep = 1, _FAR - last.seen
        else:
            keep = _TARGET - last.seen if last.seen <= _TARGET - _WORTH else _TARGET
        cuts = [last.oldest - last.seconds_of(keep + _TARGET * number) for number in range(free)]
        least = (self._since or 0) + (last.seconds_of(_WORTH) if self._since is not None else 0)
        cuts = sorted({cut for cut in cuts if cut > least}, reverse=True)
        if not cuts:
            return False
        parts = [Stretch(Span(since, until), expected=_TARGET) for until, since in pairwise([*cuts, self._since])]
        last.span = Span(cuts[0], last.span.until)
        self._made += len(parts)
        self._insert_after(last, parts)
        return True

    def _halve(self, within: Sequence[Stretch]) -> bool:
        """Cut the longest rest in two."""
        longest = max(within, key=lambda stretch: stretch.left, default=None)
        if longest is None or longest.left <= (_WORTH if self._end_is_known() else _WORTH_EARLY):
            return False
        since, left = longest.span.since or 0, longest.left
        half = left // 2 if left < 2 * MOST else (-(-left // MOST) + 1) // 2 * MOST - _ALMOST
        border = longest.oldest - longest.seconds_of(half)
        if border <= since:
            border = (longest.oldest + since) // 2
        if border <= since:
            return False
        part = Stretch(Span(since, border), expected=left - half)
        longest.span = Span(border, longest.span.until)
        self._made += 1
        self._insert_after(longest, [part])
        return True

    def _end_is_known(self) -> bool:
        return self.stretches[-1].over or self._since is not None

    def _insert_after(self, stretch: Stretch, parts: Sequence[Stretch]) -> None:
        place = self.stretches.index(stretch) + 1
        for part in reversed(parts):
            self.stretches.insert(place, part)
        self.any = True
