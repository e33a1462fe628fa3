"""Stripe, where equal questions about one object at the same moment are one call. All else is passed on."""

from collections.abc import Mapping

from sidecar.clients.shared_calls import SharedCalls
from sidecar.core.interfaces import Page, Pages, Sent, Stripe
from sidecar.core.operations.resources import StripeObject
from sidecar.core.urgency import Urgency


class SharedReads:
    """The objects that it gives belong to several requests, so nobody may change them."""

    def __init__(self, stripe: Stripe) -> None:
        self._stripe = stripe
        self._calls = SharedCalls[StripeObject]()

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        return await self._stripe.page(path, parameters, urgency=urgency)

    def pages(self, path: str, filters: Mapping[str, str]) -> Pages:
        return self._stripe.pages(path, filters)

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:
        """Share one call among all who ask for this object with the same urgency."""
        return await self._calls.get(
            (path, object_id, urgency), lambda: self._stripe.retrieve(path, object_id, urgency=urgency)
        )

    async def send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object],
        idempotency_key: str | None = None,
        *,
        urgency: Urgency = Urgency.CALL,
    ) -> Sent:
        return await self._stripe.send(method, path, parameters, idempotency_key, urgency=urgency)

    def forget(self) -> None:
        """Let nobody join a call that began before now."""
        self._calls.forget()
