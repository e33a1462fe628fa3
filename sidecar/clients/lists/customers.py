"""Lists of some customers only, in pages and whole.

The cost grows with what a caller owns, not with the account. A cursor must name an object of the caller's own, so the
answer does not tell whether a foreign object exists.
"""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import closing
from typing import Protocol, TypeVar

from sidecar.clients.lists.account import rendered
from sidecar.clients.lists.held import Account, HeldBytes
from sidecar.clients.lists.merge import FROM_THE_TOP, WHOLE, Portion
from sidecar.clients.lists.own_objects import OwnObjects
from sidecar.clients.lists.starts import Starts, Wanted, no_such_cursor
from sidecar.clients.lists.waiting import Waiting, as_page
from sidecar.core.interfaces import Choice, Render, StripeReads, UnknownCustomers
from sidecar.core.operations.list_query import MOST, ListQuery, RenderedPage
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeFailure, StripeRejected

Result = TypeVar("Result")
_CURSORS = frozenset({"starting_after", "ending_before"})


class Objects(Protocol):
    """Objects that are given in their order, in pieces of any length."""

    @property
    def more(self) -> bool:
        """Whether there are objects that were not given."""

    async def take(self, count: int) -> list[Waiting]:
        """Give the next objects, fewer than `count` only where there are no more. Raises StripeFailure."""


class CustomerLists:
    """The objects of a choice. With the attribute `id` each is retrieved by itself.

    They are newest first, and equally old ones in the order of their customers' IDs, then in Stripe's. What waits in
    memory is counted in `held`. `unknown` is told of customers that the Stripe account does not have, and the lists
    are those of the others. `starts` has the ends of pages, for all callers.
    """

    def __init__(
        self,
        stripe: StripeReads,
        choice: Choice,
        unknown: UnknownCustomers,
        held: HeldBytes | None = None,
        starts: Starts | None = None,
    ) -> None:
        self._stripe = stripe
        self._choice = choice
        self._held = held or HeldBytes()
        self._unknown = unknown
        self._starts = Starts(stripe) if starts is None else starts

    async def page(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Page:
        """Ask each list for what the page can need, from the cursor on where that is known."""
        with closing(self._held.account()) as account:
            page = await self._page(path, filters, query, self._own(account, Urgency.PAGE))
        self._starts.remember(path, self._choice, page)
        return page

    async def whole(
        self, path: str, filters: Mapping[str, str], query: ListQuery, render: Render
    ) -> AsyncGenerator[RenderedPage]:
        with closing(self._held.account()) as account:
            own = self._own(account, Urgency.LIST)
            objects, entries = await self._begin(own, await self._wanted(path, filters, query, own), query, MOST, WHOLE)
            while entries:
                page = await _rendered(entries, render)
                with self._held.holding(len(page.payload)):
                    yield page
                del page  # it was written; the next may take long to come
                entries = await objects.take(MOST)

    async def _page(self, path: str, filters: Mapping[str, str], query: ListQuery, own: OwnObjects) -> Page:
        limit, wanted = query.limit or MOST, await self._wanted(path, filters, query, own)
        known = query.cursor is None or wanted.start is not None
        if known and self._choice.attribute != "id" and len(self._choice.values) == 1:
            return await self._going_on(wanted, query, own.page(wanted, limit, query.ending_before))
        if query.ending_before is not None:
            return await _before(await self._objects(own, wanted, FROM_THE_TOP), query, limit)
        portion = Portion.of_page(limit) if query.cursor is None else Portion.after_cursor(limit)
        objects, entries = await self._begin(own, wanted, query, limit, portion if known else FROM_THE_TOP)
        return as_page(entries, more=objects.more)

    def _own(self, account: Account, urgency: Urgency) -> OwnObjects:
        return OwnObjects(self._stripe, self._choice, account, urgency, self._unknown)

    async def _wanted(self, path: str, filters: Mapping[str, str], query: ListQuery, own: OwnObjects) -> Wanted:
        start = await self._starts.find(path, self._choice, query, own.urgency)
        return Wanted(path, filters, query.span, start)

    async def _begin(
        self, own: OwnObjects, wanted: Wanted, query: ListQuery, count: int, portion: Portion
    ) -> tuple[Objects, list[Waiting]]:
        """Give the objects, and the first `count` of those that are wanted."""
        objects = await self._going_on(wanted, query, self._objects(own, wanted, portion))
        if query.starting_after is None or wanted.start is not None:
            return objects, await objects.take(count)
        return objects, await _after(objects, query, count)

    async def _going_on(self, wanted: Wanted, query: ListQuery, first: Awaitable[Result]) -> Result:
        """Await what Stripe is asked first. Raises InvalidQuery where the cursor is gone by then."""
        try:
            return await first
        except StripeFailure as failure:
            self._starts.forget(wanted, self._choice)
            if wanted.start is None or not isinstance(failure, StripeRejected) or failure.parameter not in _CURSORS:
                raise
            raise no_such_cursor(query) from failure

    async def _objects(self, own: OwnObjects, wanted: Wanted, portion: Portion) -> Objects:
        if self._choice.attribute == "id":
            return await own.retrieved(wanted.path, wanted.span)
        return await own.listed(wanted, portion)


async def _before(objects: Objects, query: ListQuery, count: int) -> Page:
    """Give the last `count` objects before the cursor."""
    before: deque[Waiting] = deque(maxlen=count + 1)
    while entries := await objects.take(1):
        if entries[0].id == query.ending_before:
            return as_page(list(before)[-count:], more=len(before) > count)
        before.extend(entries)
    raise no_such_cursor(query)


async def _after(objects: Objects, query: ListQuery, count: int) -> list[Waiting]:
    """Give the first `count` objects after the cursor."""
    while entries := await objects.take(1):
        if entries[0].id == query.starting_after:
            return await objects.take(count)
    raise no_such_cursor(query)


async def _rendered(entries: list[Waiting], render: Render) -> RenderedPage:
    """Render a page, and let go of its entries."""
    page = as_page(entries, more=len(entries) == MOST)
    entries.clear()
    return await rendered(page, render)
