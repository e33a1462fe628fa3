"""A whole list, fetched over several stretches of time at once and given strictly in its order.

It rests on what Stripe documents of lists and on nothing else: `created` filters by whole seconds, and a cursor
goes on after an object, whatever was created or deleted meanwhile (docs.stripe.com/api/pagination). The account's
time is cut into pieces that never split a second, and each piece is followed page by page to its own end: together
they hold every object once. Where the cuts are made is a guess from the density of the last page. A wrong guess
costs time, never an object; the oldest piece is always open below, so it steps over a gap of years by itself.
A list that is not ordered by time is not cut, or ends in an error where that shows only later.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from itertools import islice, pairwise

from sidecar.clients.lists.stretch import Piece
from sidecar.core.operations.list_query import MOST, Leaf, Span
from sidecar.errors import StripeFailure, StripeRejected, StripeUnavailable

_ROOM = 8  # pages that may be held ready, for each request that may be under way
_TARGET = 10 * MOST * 19 // 20  # objects of a piece: ten pages, the last one nearly full, so that no other follows
_WORTH = MOST  # objects that are worth a piece of their own
_SPARE = 8  # pieces there may be before there is a full page for each

Fetch = Callable[[Mapping[str, str]], Awaitable[Leaf]]


class SideBySide:
    """One whole list. At most `concurrency` requests are under way; 1 is plain paging.

    `on_disorder` is told of a list that is not ordered by time.
    """

    def __init__(self, fetch: Fetch, concurrency: int, on_disorder: Callable[[], None] = lambda: None) -> None:
        self._fetch = fetch
        self._concurrency = concurrency
        self._on_disorder = on_disorder
        self._pieces: deque[Piece] = deque()
        self._whole = concurrency == 1
        self._full = self._cut = 0  # full pages there were, and pieces that were cut off

    async def leaves(self, span: Span, after: Sequence[str] = ()) -> AsyncGenerator[Leaf]:
        """Give the list's pages newest first, from behind the last of `after` that Stripe still knows.

        Raises StripeFailure after all that stands before the fault. Asks for no more than the reader takes.
        """
        self._pieces.append(Piece(span, list(after)))
        try:
            while self._pieces:
                self._settle_all()
                self._begin_some()
                head = self._pieces[0]
                if head.ready:
                    yield head.ready.popleft()
                elif head.fault is not None:
                    raise head.fault
                elif head.over:
                    self._pieces.popleft()
                else:
                    await asyncio.wait(self._under_way(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = self._under_way()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _under_way(self) -> list[asyncio.Task[Leaf]]:
        return [piece.task for piece in self._pieces if piece.task is not None]

    def _begin_some(self) -> None:
        """Ask for pages in the order in which they will be given; for the first piece even if there is no room."""
        under_way = len(self._under_way())
        room = _ROOM * self._concurrency - sum(len(piece.ready) for piece in self._pieces)
        for piece in self._pieces:
            if piece.fault is not None or under_way >= min(self._concurrency, max(room, 1)):
                return
            if piece.task is None and not piece.over:
                piece.task = asyncio.ensure_future(self._next(piece))
                piece.begun = True
                under_way += 1

    async def _next(self, piece: Piece) -> Leaf:
        while True:
            try:
                return await self._fetch(piece.query())
            except StripeRejected as error:
                if not piece.step_back(error):
                    raise

    def _settle_all(self) -> None:
        """Take all pages that have come, then decide on cuts: by then it is known which pieces are over."""
        done = [(piece, piece.task) for piece in self._pieces if piece.task is not None and piece.task.done()]
        pages = [(piece, self._settle(piece, task)) for piece, task in done]
        for piece, page in pages:
            if page is not None and page.more and not self._whole:
                self._keep_a_share(piece, page)

    def _settle(self, piece: Piece, task: asyncio.Task[Leaf]) -> Leaf | None:
        """Give the page that came, or None where the piece ended in a fault."""
        piece.task = None
        try:
            leaf = task.result()
            self._judge_order(piece, leaf)
            piece.take(leaf)
        except StripeFailure as error:
            piece.fault = error
            return None
        self._full += len(leaf.ids) == MOST
        return leaf

    def _judge_order(self, piece: Piece, leaf: Leaf) -> None:
        if piece.goes_on_with(leaf):
            return
        self._on_disorder()
        if self._cut > 0:
            raise StripeUnavailable("Stripe's list is not in order. Ask again.", detail="not ordered by time")
        self._whole = True

    def _keep_a_share(self, piece: Piece, leaf: Leaf) -> None:
        """Let a piece follow as much time as its target needs, by the density of its last page; hand the rest on.

        Near the list's end, where places stay free, a piece keeps half of what it has left.
        """
        seconds, count = leaf.newest - leaf.oldest + 1, len(leaf.ids)
        worth = _WORTH * seconds // count
        share = max(0, _TARGET - piece.seen) * seconds // count
        since = piece.span.since
        if since is not None and leaf.oldest - since > worth and self._free() > 0 and self._end_in_sight():
            share = min(share, (leaf.oldest - since) // 2)
        border = leaf.oldest - share
        following = self._following(piece)
        if border <= (since or 0):
            return
        if following is not None:
            following.span = Span(following.span.since, border)
        elif self._spare() > 0 and (since is None or border - since > worth):
            self._insert_after(piece, self._parts(piece, Span(since, border), worth))
        else:
            return
        piece.span = Span(border, piece.span.until)

    def _following(self, piece: Piece) -> Piece | None:
        """Give the next piece if it has not begun, so that it can take more."""
        following = next(islice(self._pieces, self._pieces.index(piece) + 1, None), None)
        return None if following is None or following.begun else following

    def _parts(self, piece: Piece, rest: Span, worth: int) -> list[Span]:
        """Cut a rest into as many parts as there are places for, but no more than the full pages so far allow.

        What is open below is cut where a piece's worth of it ends, by the density of all that `piece` has seen, gaps
        included; else it is halved.
        """
        until, free = rest.until or 0, min(self._free(), 1 + self._full)
        if rest.since is None:
            width = (piece.newest - piece.oldest + 1) * _TARGET // piece.seen
            cuts = [until - width * number for number in range(1, free)]
        else:
            cuts = [(rest.since + until) // 2] if free > 1 else []
        ends = [until, *(cut for cut in cuts if cut > 0 and until - cut > worth), rest.since]
        return [Span(since, until) for until, since in pairwise(ends)]

    def _insert_after(self, piece: Piece, parts: Sequence[Span]) -> None:
        place = self._pieces.index(piece) + 1
        for part in reversed(parts):
            self._pieces.insert(place, Piece(part))
        self._cut += len(parts)

    def _end_in_sight(self) -> bool:
        last = self._pieces[-1]
        return last.over or last.span.since is not None

    def _free(self) -> int:
        """How many more pieces there are places for."""
        return min(self._concurrency - sum(not piece.over for piece in self._pieces), self._spare())

    def _spare(self) -> int:
        """How many more pieces there may be.

        Each costs one page that is not full, and so may there be one for each that is: cutting at the wrong places
        at most doubles the requests.
        """
        return self._full + _SPARE - self._cut
