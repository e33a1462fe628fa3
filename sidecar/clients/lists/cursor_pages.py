"""Follows one list at Stripe by cursor, in pages of any size (docs.stripe.com/api/pagination)."""

from collections.abc import Awaitable, Callable, Mapping

from sidecar.core.pages import Page
from sidecar.errors import StripeRejected, StripeUnavailable

Fetch = Callable[[Mapping[str, str]], Awaitable[Page]]


class CursorPages:
    """`over`: Stripe said that there are no more. A list that was cut short never looks over.

    `after` is the object that the first page follows.
    """

    def __init__(self, fetch: Fetch, after: str | None = None) -> None:
        self._fetch = fetch
        self._trail = [] if after is None else [after]  # the last page's IDs without those that Stripe no longer knows
        self._cursors = set(self._trail)
        self.over = False

    async def next(self, limit: int) -> Page:
        """Give the next page, of at most `limit` objects.

        Raises StripeUnavailable where Stripe repeats itself, or has more and gives no object to go on from.
        """
        page = await self._after_cursor(limit)
        ids = [entry.id for entry in page.listed if entry.id is not None]
        if not self._cursors.isdisjoint(ids):
            raise _broken_off("an ID came twice")
        if page.more and (not ids or ids[-1] != page.listed[-1].id):
            raise _broken_off("no cursor")
        self._trail = ids
        self._cursors.update(ids[-1:])
        self.over = not page.more
        return page

    async def _after_cursor(self, limit: int) -> Page:
        while True:
            cursor = {"starting_after": self._trail[-1]} if self._trail else {}
            try:
                return await self._fetch({"limit": str(limit), **cursor})
            except StripeRejected as error:
                if not step_back(self._trail, error):
                    raise


def step_back(trail: list[str], error: StripeRejected) -> bool:
    """Take the cursor off the trail if Stripe no longer knows it and there is one before it; False otherwise."""
    if error.parameter != "starting_after" or len(trail) < 2:  # noqa: PLR2004 - the cursor and one before it
        return False
    trail.pop()
    return True


def _broken_off(detail: str) -> StripeUnavailable:
    return StripeUnavailable("Stripe's list broke off in the middle. Ask again.", detail=detail)
