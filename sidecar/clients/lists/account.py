"""The account's lists: one page as Stripe gives it, or the whole list fetched in parallel; readers share either."""

from collections.abc import AsyncGenerator, Mapping
from functools import partial
from itertools import pairwise

from sidecar.clients.lists.parallel import ParallelList
from sidecar.clients.lists.shapes import Guide, LocalShapes, Shapes, list_name
from sidecar.clients.lists.shared import SharedStreams
from sidecar.clients.shared_calls import SharedCalls
from sidecar.core.interfaces import Render, StripeReads
from sidecar.core.operations.endpoints import endpoint
from sidecar.core.operations.list_query import ListQuery, RenderedPage
from sidecar.core.operations.resources import CUSTOMER
from sidecar.core.operations.row import Kind, Operation
from sidecar.core.operations.table import OPERATIONS
from sidecar.core.pages import Listed, Page
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeUnavailable


class AccountLists:
    """Only for callers who may see every customer: nothing here is limited to somebody's own.

    No list is stored; `shared` and `pages` have what is being read, for others to join. `shapes` has of lists that were
    read how they were spread over time.
    """

    def __init__(
        self,
        stripe: StripeReads,
        concurrency: int,
        shared: SharedStreams[RenderedPage],
        pages: SharedCalls[Page],
        shapes: Shapes | None = None,
    ) -> None:
        self._stripe = stripe
        self._concurrency = concurrency
        self._shared, self._pages = shared, pages
        self._shapes = shapes or LocalShapes()
        # Stripe does not order these by time, or does not filter them by it: they are read page after page.
        self._unordered = {endpoint("GET", row.target(CUSTOMER.example)) for row in OPERATIONS if _is_unordered(row)}

    async def page(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Page:
        parameters = {**filters, **query.page_parameters()}
        key = (path, frozenset(parameters.items()))
        return await self._pages.get(key, lambda: self._stripe.page(path, parameters))

    def whole(
        self, path: str, filters: Mapping[str, str], query: ListQuery, render: Render
    ) -> AsyncGenerator[RenderedPage]:
        async def fetch(parameters: Mapping[str, str]) -> RenderedPage:
            page = await self._stripe.page(path, {**filters, **parameters}, urgency=Urgency.LIST)
            return await rendered(page, render)

        def begin(last: RenderedPage | None) -> AsyncGenerator[RenderedPage]:
            after = last.ids if last is not None else (query.starting_after,) if query.starting_after else ()
            name = endpoint("GET", path)
            concurrency = 1 if name in self._unordered else self._concurrency
            guide = Guide(self._shapes, list_name(path, filters, query.span))
            whole = ParallelList(fetch, concurrency, partial(self._unordered.add, name), self._shared.held, guide)
            return whole.pages(query.span, after)

        return self._shared.join((path, frozenset(filters.items()), query, render), begin)


def _is_unordered(operation: Operation) -> bool:
    return operation.kind is Kind.LIST and not operation.resource.dated


async def rendered(page: Page, render: Render) -> RenderedPage:
    """Render a page. Raises StripeUnavailable for an object without ID or date, by which no list can be ordered."""
    times = [created(entry) for entry in page.listed]
    named = tuple(entry.id for entry in page.listed if entry.id is not None)
    if len(named) != len(times):
        raise StripeUnavailable("Stripe listed something without an ID. Ask again.", detail="no id")
    in_order = all(newer >= older for newer, older in pairwise(times))
    payload = await render(page)
    return RenderedPage(payload, named, page.more, max(times, default=0), min(times, default=0), in_order)


def created(entry: Listed) -> int:
    """Give an object's time. Raises StripeUnavailable where it has none."""
    if entry.time is None:
        raise StripeUnavailable("Stripe listed something without a date. Ask again.", detail="no created")
    return entry.time
