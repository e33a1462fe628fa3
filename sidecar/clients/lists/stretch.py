"""One stretch of a list between two moments: how far it was read, and the pages that came."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from sidecar.clients.lists.cursor_pages import step_back
from sidecar.core.operations.list_query import MOST, RenderedPage, Span
from sidecar.errors import SidecarError, StripeRejected, StripeUnavailable

_MOST_LEFT = 20 * MOST


@dataclass(slots=True, eq=False)
class Stretch:
    """`trail` has the last page's IDs without those that Stripe no longer knows; the last one is the cursor.

    `expected` is how many objects it may have, as was thought when it was cut; `by_shape`: an earlier list had them.
    `top` is when its newest object was created; `newest` is the end of its time where it has one. `ready` has the pages
    fetched and not given yet. `fault` ends the stretch after these. `counted` is the number of bytes that the page of
    `task` counts as until it comes.
    """

    span: Span
    trail: list[str] = field(default_factory=list)
    expected: int = MOST
    by_shape: bool = False
    seen: int = 0
    top: int = 0
    newest: int = 0
    oldest: int = 0
    ready: deque[RenderedPage] = field(default_factory=deque)
    task: asyncio.Task[RenderedPage] | None = None
    counted: int = 0
    begun: bool = False
    over: bool = False
    fault: SidecarError | None = None
    _cursors: set[str] = field(default_factory=set)

    @property
    def divisible(self) -> bool:
        """Whether its rest may be cut now: no page of it is under way, and it is known how dense it is."""
        return self.task is None and self.seen > 0 and not self.over and self.fault is None

    @property
    def left(self) -> int:
        """Estimate how many objects are still to come, at least one before its end."""
        if self.over:
            return 0
        if self.seen == 0 or self.span.since is None or (self.by_shape and self.seen < self.expected):
            return max(1, self.expected - self.seen)
        return max(1, min(_MOST_LEFT, (self.oldest - self.span.since) * self.seen // self._seconds))

    def seconds_of(self, objects: int) -> int:
        """Give the time that has so many objects, by the density of what was seen."""
        return objects * self._seconds // self.seen

    @property
    def _seconds(self) -> int:
        """Give the seconds of what was seen, with the gap before it only where all of it is of one second."""
        return (self.top if self.top > self.oldest else self.newest) - self.oldest + 1

    def query(self) -> dict[str, str]:
        cursor = {"starting_after": self.trail[-1]} if self.trail else {}
        return {"limit": str(MOST), **self.span.filters(), **cursor}

    def goes_on_with(self, page: RenderedPage) -> bool:
        """Say whether the page is in order of time, and older than everything seen before."""
        return page.in_order and (self.seen == 0 or not page.ids or page.newest <= self.oldest)

    def take(self, page: RenderedPage) -> None:
        """Add the next page. Raises StripeUnavailable for one that cannot be next, or has more and no cursor."""
        if page.more and not page.ids:
            raise _unusable("broke off in the middle", "no cursor")
        if len({*page.ids, *self.trail}) < len(page.ids) + len(self.trail) or self._cursors & {*page.ids[-1:]}:
            raise _unusable("repeats itself", "an ID came twice")
        if page.ids and not (self.span.contains(page.newest) and self.span.contains(page.oldest)):
            raise _unusable("has objects that were not asked for", "outside its time")
        self.over = not page.more
        if page.ids:
            self._add(page)

    def _add(self, page: RenderedPage) -> None:
        self.trail = list(page.ids)
        self._cursors.add(page.ids[-1])
        if self.seen == 0:
            self.top = page.newest
            self.newest = page.newest if self.span.until is None else self.span.until
        self.seen += len(page.ids)
        self.oldest = page.oldest
        self.ready.append(page)

    def step_back(self, error: StripeRejected) -> bool:
        """Move the cursor to the object before, if Stripe no longer knows the one at it; False if there is none."""
        return step_back(self.trail, error)


def _unusable(what: str, detail: str) -> StripeUnavailable:
    return StripeUnavailable(f"Stripe's list {what}. Ask again.", detail=detail)
