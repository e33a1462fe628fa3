"""The account's lists: one page as it is, or all of it side by side, shared by all who ask for the same at once."""

from collections.abc import AsyncGenerator, Mapping
from functools import partial
from itertools import pairwise

from sidecar.clients.lists.parallel import SideBySide
from sidecar.clients.lists.shared import Broadcast
from sidecar.core.interfaces import Page, Render, Stripe
from sidecar.core.operations.list_query import Leaf, ListQuery
from sidecar.core.operations.resources import RESOURCES, StripeObject
from sidecar.errors import StripeUnavailable


class AccountLists:
    """Knows no scope: only for callers who may see every customer.

    No row and no list is ever kept; `shared` are the lists that are under way, for others to join.
    """

    def __init__(self, stripe: Stripe, concurrency: int, shared: Broadcast[Leaf]) -> None:
        self._stripe = stripe
        self._concurrency = concurrency
        self._shared = shared
        # Lists that Stripe does not order by time, or not cut by it: they are paged plainly.
        self._disordered = {resource.path for resource in RESOURCES.values() if not resource.dated}

    async def page(self, path: str, filters: Mapping[str, str], query: ListQuery) -> Page:
        return await self._stripe.page(path, {**filters, **query.page_parameters()})

    def whole(self, path: str, filters: Mapping[str, str], query: ListQuery, render: Render) -> AsyncGenerator[Leaf]:
        async def fetch(parameters: Mapping[str, str]) -> Leaf:
            page = await self._stripe.page(path, {**filters, **parameters})
            return leaf(page.data, render, more=page.more)

        def begin(last: Leaf | None) -> AsyncGenerator[Leaf]:
            after = last.ids if last is not None else (query.starting_after,) if query.starting_after else ()
            concurrency = 1 if path in self._disordered else self._concurrency
            return SideBySide(fetch, concurrency, partial(self._disordered.add, path)).leaves(query.span, after)

        return self._shared.join((path, frozenset(filters.items()), query, render), begin)


def leaf(data: list[StripeObject], render: Render, *, more: bool) -> Leaf:
    """Render a page. Raises StripeUnavailable for objects without ID or date: no list can be ordered by those."""
    times, ids = [created(entry) for entry in data], [entry.get("id") for entry in data]
    named = tuple(name for name in ids if isinstance(name, str))
    if len(named) != len(data):
        raise StripeUnavailable("Stripe listed something without an ID. Ask again.", detail="no id")
    in_order = all(newer >= older for newer, older in pairwise(times))
    return Leaf(render(data), named, more, max(times, default=0), min(times, default=0), in_order)


def created(value: StripeObject) -> int:
    """Raises StripeUnavailable where there is none."""
    seconds = value.get("created")
    if not isinstance(seconds, int):
        raise StripeUnavailable("Stripe listed something without a date. Ask again.", detail="no created")
    return seconds
