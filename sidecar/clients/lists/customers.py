"""Lists of some customers only: a bounded fan-out over the customers, merged newest first.

The cost grows with what a caller owns, not with the account. A cursor must name an object of the caller's own, so the
answer does not tell whether a foreign object exists.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from sidecar.clients.lists.account import created, rendered
from sidecar.core.interfaces import Page, Pages, Render, Stripe
from sidecar.core.operations.list_query import MOST, ListQuery, RenderedPage
from sidecar.core.operations.resources import StripeObject, reference
from sidecar.errors import InvalidQuery, StripeRejected, StripeUnavailable

_AT_ONCE = 6  # calls of one request
Objects = AsyncIterator[StripeObject]
Result = TypeVar("Result")


class CustomerLists:
    """The objects whose `attribute` has one of these values; Stripe's list takes a parameter of that name.

    With the attribute `id` each object is retrieved by itself. An object with another value is never given, whatever
    Stripe answers.
    """

    def __init__(self, stripe: Stripe, attribute: str, values: Collection[str]) -> None:
        self._stripe = stripe
        self._attribute = attribute
        self._values = sorted(values)

    async def page(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Page:
        """Read the caller's list as far as the requested page."""
        limit = query.limit or MOST
        if query.ending_before is not None:
            return await self._page_before(self._objects(path, filters, query), query.ending_before, limit)
        objects = self._after(path, filters, query)
        page = [entry async for entry in _first(objects, limit + 1)]
        return Page(page[:limit], len(page) > limit)

    async def whole(
        self, path: str, filters: Mapping[str, str], query: ListQuery, render: Render
    ) -> AsyncGenerator[RenderedPage]:
        page: list[StripeObject] = []
        async for entry in self._after(path, filters, query):
            page.append(entry)
            if len(page) == MOST:
                yield await rendered(page, render, more=True)
                page = []
        if page:
            yield await rendered(page, render, more=False)

    async def _page_before(self, objects: Objects, cursor: str, limit: int) -> Page:
        before: deque[StripeObject] = deque(maxlen=limit + 1)
        async for entry in objects:
            if entry.get("id") == cursor:
                return Page(list(before)[-limit:], len(before) > limit)
            before.append(entry)
        raise _no_such_cursor("ending_before")

    async def _after(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Objects:
        found = query.starting_after is None
        async for entry in self._objects(path, filters, query):
            if found:
                yield entry
            found = found or entry.get("id") == query.starting_after
        if not found:
            raise _no_such_cursor("starting_after")

    def _objects(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Objects:
        if self._attribute == "id":
            return self._identities(path, query)
        return self._merged(path, {**filters, **query.span.filters()})

    async def _identities(self, path: str, query: ListQuery) -> Objects:
        found = await _fan_out([partial(self._customer, path, one) for one in self._values])
        present = [customer for customer in found if customer is not None and query.span.contains(created(customer))]
        for customer in sorted(present, key=created, reverse=True):
            yield customer

    async def _customer(self, path: str, customer_id: str) -> StripeObject | None:
        """Give None for a customer that is unknown or deleted: Stripe's own list leaves those out too."""
        try:
            customer = await self._stripe.retrieve(path, customer_id)
        except StripeRejected as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        if customer.get("id") != customer_id:
            raise StripeUnavailable(
                "Stripe answered with something else than was asked for.", detail="another's object"
            )
        return None if customer.get("deleted") is True else customer

    async def _merged(self, path: str, filters: Mapping[str, str]) -> Objects:
        """Merge the customers' lists, each newest first (docs.stripe.com/api/pagination), into one newest first."""
        sources = [self._source(path, filters, one) for one in self._values]
        await _fan_out([source.fill for source in sources])
        heap = [(-source.newest, index) for index, source in enumerate(sources) if source.page]
        heapq.heapify(heap)
        while heap:
            index = heap[0][1]
            source = sources[index]
            yield source.page.pop()
            await source.fill()
            if source.page:
                heapq.heapreplace(heap, (-source.newest, index))
            else:
                heapq.heappop(heap)

    def _source(self, path: str, filters: Mapping[str, str], value: str) -> "_Source":
        return _Source(self._stripe.pages(path, {**filters, self._attribute: value}), self._attribute, value)


class _Source:
    """One list of objects with this value; `page` has the objects fetched and not given yet, newest last."""

    def __init__(self, pages: Pages, attribute: str, value: str) -> None:
        self._pages = pages
        self._attribute, self._value = attribute, value
        self.page: list[StripeObject] = []

    @property
    def newest(self) -> int:
        return created(self.page[-1])

    async def fill(self) -> None:
        while not self.page:
            page = await anext(self._pages, None)
            if page is None:
                return
            if any(reference(entry, self._attribute) != self._value for entry in page):
                raise StripeUnavailable("Stripe listed something else than was asked for.", detail="another's object")
            self.page = page[::-1]


def _no_such_cursor(name: str) -> InvalidQuery:
    return InvalidQuery(f"{name}: is not an object of this list.")


async def _first(objects: Objects, count: int) -> Objects:
    async for entry in objects:
        yield entry
        count -= 1
        if count == 0:
            return


async def _fan_out(calls: Sequence[Callable[[], Awaitable[Result]]]) -> list[Result]:
    """Run all calls, a few at a time, and give their results in order; the first failure cancels the rest."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def placed(call: Callable[[], Awaitable[Result]]) -> Result:
        async with places:
            return await call()

    tasks = [asyncio.ensure_future(placed(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
