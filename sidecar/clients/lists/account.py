"""The account's lists: one page as Stripe gives it, or the whole list fetched in parallel; readers share either."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from sidecar.clients.lists.parallel import ParallelList
from sidecar.clients.lists.shapes import Guide, LocalShapes, Shapes, list_name
from sidecar.clients.lists.shared import SharedStreams
from sidecar.core.interfaces import Render, StripeReads
from sidecar.core.operations.endpoints import endpoint
from sidecar.core.operations.list_query import ListQuery, RenderedPage
from sidecar.core.operations.resources import CUSTOMER
from sidecar.core.operations.row import Kind, Operation
from sidecar.core.operations.table import OPERATIONS
from sidecar.core.pages import Listed, Page
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeUnavailable


def unordered() -> set[str]:
    """Name the endpoints that Stripe does not order by time, or does not filter by it."""
    return {endpoint("GET", row.target(CUSTOMER.example)) for row in OPERATIONS if _is_unordered(row)}


@dataclass(frozen=True, slots=True, eq=False)
class AccountLists:
    """Only for callers who may see every customer: nothing here is limited to somebody's own.

    No list is stored; `shared` has what is being read, for others to join, and `shapes` how lists that were read were
    spread over time. `single` gives single pages, and the first one of each list. `unordered` are the endpoints that
    Stripe does not order by time, or does not filter by it: they are read page after page.
    """

    stripe: StripeReads
    concurrency: int
    shared: SharedStreams[RenderedPage]
    single: StripeReads
    shapes: Shapes = field(default_factory=LocalShapes)
    unordered: set[str] = field(default_factory=unordered)

    async def page(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Page:
        return await self.single.page(path, {**filters, **query.page_parameters()})

    def whole(
        self, path: str, filters: Mapping[str, str], query: ListQuery, render: Render
    ) -> AsyncGenerator[RenderedPage]:
        async def fetch(parameters: Mapping[str, str]) -> RenderedPage:
            stripe = self.stripe if "starting_after" in parameters else self.single
            page = await stripe.page(path, {**filters, **parameters}, urgency=Urgency.LIST)
            return await rendered(page, render)

        def begin(last: RenderedPage | None) -> AsyncGenerator[RenderedPage]:
            after = last.ids if last is not None else (query.starting_after,) if query.starting_after else ()
            name = endpoint("GET", path)
            concurrency = 1 if name in self.unordered else self.concurrency
            guide = Guide(self.shapes, list_name(path, filters, query.span))
            whole = ParallelList(fetch, concurrency, partial(self.unordered.add, name), self.shared.held, guide)
            return whole.pages(query.span, after)

        return self.shared.join((path, frozenset(filters.items()), query, render), begin)


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
