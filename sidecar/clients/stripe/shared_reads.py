"""Stripe, where equal reads of a page or an object at the same moment are one call. All else is passed on."""

from collections.abc import Mapping, Sequence

from sidecar.clients.changes import Changes
from sidecar.clients.shared_calls import SharedCalls
from sidecar.core.interfaces import ChangeRequest, Sent, Stripe
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency


class SharedReads:
    """What it gives belongs to several requests, so nobody may change it. Only equally urgent reads are one."""

    def __init__(self, stripe: Stripe, changes: Changes | None = None) -> None:
        self._stripe = stripe
        self._pages = SharedCalls[Page](changes=changes)
        self._objects = SharedCalls[StripeObject](changes=changes)

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        key = (path, frozenset(parameters.items()), urgency)
        return await self._pages.get(key, lambda: self._stripe.page(path, parameters, urgency=urgency))

    async def retrieve(
        self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL, expand: Sequence[str] = ()
    ) -> StripeObject:
        key = (path, object_id, urgency, tuple(expand))
        return await self._objects.get(
            key, lambda: self._stripe.retrieve(path, object_id, urgency=urgency, expand=expand)
        )

    async def send(self, request: ChangeRequest) -> Sent:
        return await self._stripe.send(request)

    def forget(self) -> None:
        """Let nobody join a call that began before now."""
        self._pages.forget()
        self._objects.forget()
