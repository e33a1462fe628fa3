"""A whole list, fetched over several stretches of time at once and given strictly in its order.

It rests on what Stripe documents of lists and on nothing else: `created` filters by whole seconds, and a cursor
goes on after an object, whatever was created or deleted meanwhile (docs.stripe.com/api/pagination). The account's
time is cut into pieces that never split a second, and each piece is followed page by page to its own end: together
they hold every object once. Where the cuts are made is a guess from the density of the last page. A wrong guess
costs time, never an object; the oldest piece is always open below, so it steps over a gap of years by itself.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from sidecar.core.listing import MOST, Leaf, Span
from sidecar.errors import StripeRejected, StripeUnavailable

_PAGES = 8  # pages a piece should have
_TARGET = _PAGES * MOST * 19 // 20  # objects it should have, so that its last page is nearly full and there is no other
_WORTH = MOST * 3 // 2  # objects that are worth a piece of their own
_ROOM = _PAGES  # pages a piece may hold ready before its turn comes


Fetch = Callable[[Mapping[str, str]], Awaitable[Leaf]]


@dataclass(slots=True, eq=False)
class _Piece:
    """A stretch of the list. Not begun while `task` is None; over once the task is done and nothing is `ready`."""

    span: Span
    trail: list[str] = field(default_factory=list)  # where to go on, the newest cursor last
    seen: int = 0
    oldest: int | None = None
    ready: deque[Leaf] = field(default_factory=deque)
    room: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def query(self) -> dict[str, str]:
        cursor = {"starting_after": self.trail[-1]} if self.trail else {}
        return {"limit": str(MOST), **self.span.filters(), **cursor}

    def take(self, leaf: Leaf) -> None:
        if leaf.more and (not leaf.ids or leaf.ids[-1] in self.trail):
            raise StripeUnavailable("Stripe's list broke off in the middle. Ask again.", detail="no way on")
        if not leaf.ids:
            return
        if not (self.span.holds(leaf.newest) and self.span.holds(leaf.oldest)):
            raise StripeUnavailable("Stripe's list is not in order. Ask again.", detail="outside its time")
        self.trail = list(leaf.ids)
        self.seen += len(leaf.ids)
        self.oldest = leaf.oldest if self.oldest is None else min(self.oldest, leaf.oldest)
        self.ready.append(leaf)

    def step_back(self, error: StripeRejected) -> bool:
        """Go on after the object before, if Stripe no longer has the one at the cursor; the rest was deleted too."""
        facts = error.extensions.get("stripe")
        if not isinstance(facts, Mapping) or facts.get("param") != "starting_after" or self.seen == 0:
            return False
        self.trail.pop()
        return bool(self.trail)


class SideBySide:
    """One whole list. At most `concurrency` requests are under way; 1 is plain paging."""

    def __init__(self, fetch: Fetch, concurrency: int) -> None:
        self._fetch = fetch
        self._concurrency = concurrency
        self._places = asyncio.Semaphore(concurrency)
        self._pieces: deque[_Piece] = deque()
        self._changed = asyncio.Event()

    async def leaves(self, span: Span, after: str | None = None) -> AsyncIterator[Leaf]:
        """Give the list's pages newest first. Raises StripeFailure after all that stands before the fault."""
        self._pieces.append(_Piece(span, [] if after is None else [after]))
        try:
            while self._pieces:
                self._changed.clear()
                self._begin_some()
                head = self._pieces[0]
                if head.ready:
                    leaf = head.ready.popleft()
                    head.room.set()
                    yield leaf
                elif head.task is not None and head.task.done():
                    head.task.result()
                    self._pieces.popleft()
                else:
                    await self._changed.wait()
        finally:
            tasks = [piece.task for piece in self._pieces if piece.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begin_some(self) -> None:
        """Start the pieces that are given next; always the first, so that nobody waits for one that never begins."""
        for piece in list(islice(self._pieces, 2 * self._concurrency)):
            if piece.task is None:
                piece.task = asyncio.ensure_future(self._follow(piece))
                piece.task.add_done_callback(lambda _: self._changed.set())

    async def _follow(self, piece: _Piece) -> None:
        more = True
        while more:
            leaf = await self._next(piece)
            piece.take(leaf)
            more = leaf.more
            if more and self._concurrency > 1:
                self._keep_a_share(piece, leaf)
            self._changed.set()
            if more and len(piece.ready) >= _ROOM:
                piece.room.clear()
                await piece.room.wait()

    async def _next(self, piece: _Piece) -> Leaf:
        while True:
            try:
                async with self._places:
                    return await self._fetch(piece.query())
            except StripeRejected as error:
                if not piece.step_back(error):
                    raise

    def _keep_a_share(self, piece: _Piece, leaf: Leaf) -> None:
        """Let a piece follow as much time as its target needs, by the density of its last page; hand the rest on.

        While places are free a piece keeps half of what it has left.
        """
        seconds = leaf.newest - leaf.oldest + 1
        oldest = leaf.oldest if piece.oldest is None else piece.oldest
        share = max(0, _TARGET - piece.seen) * seconds // len(leaf.ids)
        since = piece.span.since
        if since is not None and self._free() and (oldest - since) * len(leaf.ids) > seconds * _WORTH:
            share = min(share, (oldest - since) // 2)
        border = oldest - share
        if since is None or border > since:
            self._hand_on(piece, border, seconds * _TARGET // len(leaf.ids))

    def _free(self) -> bool:
        """Whether fewer pieces are under way than there are places for."""
        return sum(piece.task is None or not piece.task.done() for piece in self._pieces) < self._concurrency

    def _hand_on(self, piece: _Piece, border: int, width: int) -> None:
        """Leave what is older than `border` to the next piece if it has not begun, else to new ones.

        What is open below becomes two pieces that begin at once: `width` seconds, and all that is older.
        """
        since, piece.span = piece.span.since, Span(border, piece.span.until)
        place = self._pieces.index(piece) + 1
        following = self._pieces[place] if place < len(self._pieces) else None
        if following is not None and following.task is None:
            following.span = Span(following.span.since, border)
        elif since is not None:
            self._pieces.insert(place, _Piece(Span(since, border)))
        else:
            self._pieces.insert(place, _Piece(Span(None, border - width)))
            self._pieces.insert(place, _Piece(Span(border - width, border)))
