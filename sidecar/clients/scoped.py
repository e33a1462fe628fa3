"""Lists of some customers only: asks Stripe for each, a bounded number at a time, and merges newest first.

The cost grows with what a caller owns, not with the account. Each source is in Stripe's order, newest first,
so the merged list is too (docs.stripe.com/api/pagination).
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from sidecar.core.interfaces import Pages, Stripe, StripeObject
from sidecar.errors import StripeRejected

_AT_ONCE = 6
_PAGE = 100
_NOT_FOUND = 404
Result = TypeVar("Result")


class ScopedLists:
    def __init__(self, stripe: Stripe) -> None:
        self._stripe = stripe

    async def customers(self, path: str, customer_ids: Sequence[str]) -> Pages:
        found = await _bounded([partial(self._customer, path, one) for one in customer_ids])
        present = [customer for customer in found if customer is not None]
        present.sort(key=_created, reverse=True)
        for start in range(0, len(present), _PAGE):
            yield present[start : start + _PAGE]

    async def filtered(self, path: str, customer_ids: Sequence[str]) -> Pages:
        sources = [_Source(self._stripe.pages(path, {"customer": one})) for one in customer_ids]
        await _bounded([source.fill for source in sources])
        heap = [(-source.newest, index) for index, source in enumerate(sources) if source.page]
        heapq.heapify(heap)
        page: list[StripeObject] = []
        while heap:
            source = sources[heap[0][1]]
            page.append(source.page.pop())
            await source.fill()
            if source.page:
                heapq.heapreplace(heap, (-source.newest, heap[0][1]))
            else:
                heapq.heappop(heap)
            if len(page) == _PAGE:
                yield page
                page = []
        if page:
            yield page

    async def _customer(self, path: str, customer_id: str) -> StripeObject | None:
        try:
            customer = await self._stripe.retrieve(path, customer_id)
        except StripeRejected as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return None if customer.get("deleted") is True else customer


class _Source:
    """One customer's list; `page` is what of it was fetched and not yet given, newest last."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.page: list[StripeObject] = []

    @property
    def newest(self) -> int:
        return _created(self.page[-1])

    async def fill(self) -> None:
        while not self.page:
            page = await anext(self._pages, None)
            if page is None:
                return
            self.page = page[::-1]


def _created(value: StripeObject) -> int:
    created = value.get("created")
    return created if isinstance(created, int) else 0


async def _bounded(calls: Sequence[Callable[[], Awaitable[Result]]]) -> list[Result]:
    """Run all calls, a few at a time, and give their results in order; the first failure ends the rest."""
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
