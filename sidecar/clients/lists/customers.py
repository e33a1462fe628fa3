"""Lists of some customers only, in pages and whole.

The cost grows with what a caller owns, not with the account. A cursor must name an object of the caller's own, so the
answer does not tell whether a foreign object exists.
"""

from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, closing

from sidecar.clients.lists.account import rendered
from sidecar.clients.lists.held import Account, HeldBytes
from sidecar.clients.lists.merge import AT_A_CURSOR, WHOLE, Portion
from sidecar.clients.lists.own_objects import OwnObjects
from sidecar.clients.lists.waiting import Waiting, as_page
from sidecar.core.interfaces import Choice, Render, StripeReads, UnknownCustomers
from sidecar.core.operations.list_query import MOST, ListQuery, RenderedPage
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import InvalidQuery

Objects = AsyncGenerator[Waiting]


class CustomerLists:
    """The objects of a choice. With the attribute `id` each is retrieved by itself.

    What waits in memory is counted in `held`. `unknown` is told of customers that the Stripe account does not have, and
    the lists are those of the others.
    """

    def __init__(
        self, stripe: StripeReads, choice: Choice, unknown: UnknownCustomers, held: HeldBytes | None = None
    ) -> None:
        self._stripe = stripe
        self._choice = choice
        self._held = held or HeldBytes()
        self._unknown = unknown

    async def page(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Page:
        """Read the caller's list as far as the requested page."""
        limit = query.limit or MOST
        portion = Portion.of_page(limit) if query.cursor is None else AT_A_CURSOR
        with closing(self._held.account()) as account:
            objects = await self._objects(path, filters, query, self._own(account, Urgency.PAGE), portion)
            if query.ending_before is not None:
                before = await _before(objects, query.ending_before, limit + 1)
                return as_page(before[-limit:], more=len(before) > limit)
            page = await _first(_after(objects, query.starting_after), limit + 1)
            return as_page(page[:limit], more=len(page) > limit)

    async def whole(
        self, path: str, filters: Mapping[str, str], query: ListQuery, render: Render
    ) -> AsyncGenerator[RenderedPage]:
        with closing(self._held.account()) as account:
            objects = await self._objects(path, filters, query, self._own(account, Urgency.LIST), WHOLE)
            async with aclosing(_by_the_page(_after(objects, query.starting_after), account)) as pages:
                async for entries in pages:
                    page = await _rendered(entries, render)
                    with self._held.holding(len(page.payload)):
                        yield page
                    del page  # it was written; the next may take long to come

    def _own(self, account: Account, urgency: Urgency) -> OwnObjects:
        return OwnObjects(self._stripe, self._choice, account, urgency, self._unknown)

    async def _objects(
        self, path: str, filters: Mapping[str, str], query: ListQuery, own: OwnObjects, portion: Portion
    ) -> Objects:
        if self._choice.attribute == "id":
            return await own.retrieved(path, query.span)
        return await own.listed(path, {**filters, **query.span.filters()}, portion)


async def _before(objects: Objects, cursor: str, count: int) -> list[Waiting]:
    """Give the last `count` objects before the cursor."""
    before: deque[Waiting] = deque(maxlen=count)
    async with aclosing(objects):
        async for entry in objects:
            if entry.id == cursor:
                return list(before)
            before.append(entry)
    raise _no_such_cursor("ending_before")


async def _after(objects: Objects, cursor: str | None) -> Objects:
    found = cursor is None
    async with aclosing(objects):
        async for entry in objects:
            if found:
                yield entry
            found = found or entry.id == cursor
    if not found:
        raise _no_such_cursor("starting_after")


async def _first(objects: Objects, count: int) -> list[Waiting]:
    found: list[Waiting] = []
    async with aclosing(objects):
        async for entry in objects:
            found.append(entry)
            if len(found) == count:
                break
    return found


async def _by_the_page(objects: Objects, account: Account) -> AsyncGenerator[list[Waiting]]:
    """Give lists of a page's length, the last one shorter; the one being filled counts in `account`."""
    page: list[Waiting] = []
    async with aclosing(objects):
        async for entry in objects:
            page.append(entry)
            account.add(entry.size)
            if len(page) == MOST:
                yield _handed_over(page, account)
                page = []
    if page:
        yield _handed_over(page, account)


def _handed_over(page: list[Waiting], account: Account) -> list[Waiting]:
    account.remove(sum(entry.size for entry in page))
    return page


async def _rendered(entries: list[Waiting], render: Render) -> RenderedPage:
    """Render a page, and let go of its entries."""
    page = as_page(entries, more=len(entries) == MOST)
    entries.clear()
    return await rendered(page, render)


def _no_such_cursor(name: str) -> InvalidQuery:
    return InvalidQuery(f"{name}: is not an object of this list.")
