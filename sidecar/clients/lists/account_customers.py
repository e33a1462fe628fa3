"""The account's customers of a span of time, newest first, page by page (docs.stripe.com/api/customers/list)."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.core.interfaces import StripeReads
from sidecar.core.operations.list_query import MOST
from sidecar.core.operations.resources import CUSTOMER, StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeUnavailable

# Stripe keeps an idempotency key for at least 24 hours; the 25th is for clocks that differ.
_LATELY = 25 * 3600  # seconds
_MOST_LATELY = 20_000  # customers, 200 pages


async def pages_since(
    stripe: StripeReads, since: int | None, *, urgency: Urgency = Urgency.LIST
) -> AsyncIterator[Sequence[StripeObject]]:
    """Give every page back to `since`, in seconds of Unix time; None is the whole account. Raises StripeFailure."""
    filters = {} if since is None else {"created[gte]": str(since)}

    async def fetch(parameters: Mapping[str, str]) -> Page:
        return await stripe.page(CUSTOMER.path, {**filters, **parameters}, urgency=urgency)

    pages = CursorPages(fetch)
    while not pages.over:
        yield (await pages.next(MOST)).data


async def created_lately(stripe: StripeReads, clock: Callable[[], float] = time.time) -> AsyncIterator[StripeObject]:
    """Give the customers of the time for which Stripe keeps idempotency keys. Raises StripeFailure.

    Raises StripeUnavailable where there are too many to look through for one request.
    """
    seen = 0
    async for page in pages_since(stripe, int(clock()) - _LATELY, urgency=Urgency.CALL):
        seen += len(page)
        if seen > _MOST_LATELY:
            raise StripeUnavailable(
                "Too many customers were created today to tell whether one is this item's. Try tomorrow.",
                detail="while SIDECAR_SECRET names several secrets, the day's customers are looked through",
            )
        for customer in page:
            yield customer
