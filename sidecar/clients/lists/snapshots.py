"""Reads a customer at Stripe with what belongs to it: only what the operator's map names, and each list whole."""

from collections.abc import AsyncIterator, Collection, Mapping
from functools import partial
from http import HTTPStatus

from sidecar.clients.lists.cursor_pages import CursorPages
from sidecar.core.interfaces import StripeReads
from sidecar.core.operations.list_query import MOST
from sidecar.core.operations.resources import CUSTOMER, PAYMENT_METHOD, SUBSCRIPTION, StripeObject
from sidecar.core.pages import Page
from sidecar.core.status.snapshot import Snapshot, belonging, counting, default_method
from sidecar.core.status.sources import Origin
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeRejected, StripeUnavailable

ENTITLEMENTS = "/v1/entitlements/active_entitlements"
_MOST_OF_ONE = 10_000  # objects in one list of one customer, 100 pages


class CustomerSnapshots:
    """Takes snapshots with what comes from `origins`, at most `most` objects of each kind. Raises StripeFailure."""

    def __init__(self, stripe: StripeReads, origins: Collection[Origin], most: int = _MOST_OF_ONE) -> None:
        self._stripe, self._origins, self._most = stripe, origins, most

    async def read(self, customer_id: str) -> Snapshot:
        """Read the customer, then what belongs to it. A subscription may name how its customer pays."""
        found = Snapshot(await self._stripe.retrieve(CUSTOMER.path, customer_id))
        if found.deleted:
            return found
        subscription = entitlements = method = None
        if not {Origin.SUBSCRIPTION, Origin.PAYMENT_METHOD}.isdisjoint(self._origins):
            subscription = await self._subscription(customer_id)
        if Origin.ENTITLEMENTS in self._origins:
            entitlements = await self._entitlements(customer_id)
        if Origin.PAYMENT_METHOD in self._origins:
            method = await self._method(found.customer, subscription)
        return Snapshot(found.customer, subscription, entitlements or (), method)

    async def _subscription(self, customer_id: str) -> StripeObject | None:
        """Without `status=all` Stripe leaves out canceled ones (docs.stripe.com/api/subscriptions/list)."""
        best: StripeObject | None = None
        async for entry in self._list(SUBSCRIPTION.path, {"customer": customer_id, "status": "all"}):
            best = counting([entry] if best is None else [best, entry])
        return best

    async def _entitlements(self, customer_id: str) -> tuple[str, ...]:
        found = [entry.get("lookup_key") async for entry in self._list(ENTITLEMENTS, {"customer": customer_id})]
        return tuple(key for key in found if isinstance(key, str))

    async def _method(self, customer: StripeObject, subscription: StripeObject | None) -> StripeObject | None:
        """Cards and bank accounts of before payment methods are read in the same place, and may be unknown there."""
        chosen = default_method(customer, subscription)
        if not PAYMENT_METHOD.is_id(chosen):
            return None
        try:
            return belonging(await self._stripe.retrieve(PAYMENT_METHOD.path, str(chosen)), str(customer.get("id")))
        except StripeRejected as rejected:
            if rejected.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    async def _list(self, path: str, filters: Mapping[str, str]) -> AsyncIterator[StripeObject]:
        pages, seen = CursorPages(partial(self._page, path, filters)), 0
        while not pages.over:
            page = await pages.next(MOST)
            seen += len(page.data)
            if seen > self._most:
                raise StripeUnavailable(
                    "This customer has too much at Stripe to be looked through.",
                    detail=f"more than {self._most} objects of one customer below {path}",
                )
            for entry in page.data:
                yield entry

    async def _page(self, path: str, filters: Mapping[str, str], parameters: Mapping[str, str]) -> Page:
        return await self._stripe.page(path, {**filters, **parameters}, urgency=Urgency.CALL)
