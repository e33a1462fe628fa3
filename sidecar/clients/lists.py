"""The account's lists: one page as it is, or all of it side by side, shared by all who ask for the same at once."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping

from sidecar.clients.broadcast import Broadcast
from sidecar.clients.side_by_side import SideBySide
from sidecar.core.interfaces import Page, Render, Stripe, StripeObject
from sidecar.core.listing import Leaf, ListQuery
from sidecar.errors import StripeUnavailable


class AccountLists:
    """Knows no scope: only for callers who may see every customer."""

    def __init__(self, stripe: Stripe, concurrency: int) -> None:
        self._stripe = stripe
        self._concurrency = concurrency
        self._shared = Broadcast[Leaf]()

    async def page(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Page:
        return await self._stripe.page(path, {**filters, **query.page_parameters()})

    def whole(self, path: str, filters: Mapping[str, str], query: ListQuery, render: Render) -> AsyncGenerator[Leaf]:
        async def fetch(parameters: Mapping[str, str]) -> Leaf:
            page = await self._stripe.page(path, {**filters, **parameters})
            return leaf(page.data, render, more=page.more)

        def begin() -> AsyncIterator[Leaf]:
            return SideBySide(fetch, self._concurrency).leaves(query.span, query.starting_after)

        return self._shared.join((path, frozenset(filters.items()), query, render), begin)


def leaf(data: list[StripeObject], render: Render, *, more: bool) -> Leaf:
    """Render a page. Raises StripeUnavailable for objects without ID or date: no list can be ordered by those."""
    times, ids = [created(entry) for entry in data], [str(entry["id"]) for entry in data if "id" in entry]
    if len(ids) != len(data):
        raise StripeUnavailable("Stripe listed something without an ID. Ask again.", detail="no id")
    return Leaf(render(data), tuple(ids), more, max(times, default=0), min(times, default=0))


def created(value: StripeObject) -> int:
    """Raises StripeUnavailable where there is none."""
    seconds = value.get("created")
    if not isinstance(seconds, int):
        raise StripeUnavailable("Stripe listed something without a date. Ask again.", detail="no created")
    return seconds
