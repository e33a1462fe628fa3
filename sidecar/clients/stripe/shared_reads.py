"""Stripe, where equal reads of a page or an object at the same moment are one call. All else is passed on."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from sidecar import context
from sidecar.clients.changes import Changes
from sidecar.clients.shared_calls import SharedCalls
from sidecar.core.interfaces import ChangeRequest, Sent, Stripe
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency

Result = TypeVar("Result")
Keep = Callable[[Result, float], None]


class SharedReads:
    """What it gives belongs to several requests, so nobody may change it. Only equally urgent reads are one.

    A single page, or a whole list's first, that several asked for at once is also given to who asks within `moment`
    seconds of the first; what a decision rests on (`Urgency.CALL`) is not. `keep` is called with a new answer, and with
    since when it may be true, in the event loop's time.
    """

    def __init__(self, stripe: Stripe, changes: Changes | None = None, moment: float = 0.0) -> None:
        self._stripe = stripe
        self._pages = SharedCalls[Page](moment, changes)
        self._others = SharedCalls[Page](changes=changes)
        self._objects = SharedCalls[StripeObject](changes=changes)

    async def page(
        self,
        path: str,
        parameters: Mapping[str, str],
        *,
        urgency: Urgency = Urgency.PAGE,
        keep: Keep[Page] | None = None,
    ) -> Page:
        key = (path, frozenset(parameters.items()), urgency)
        first = urgency is Urgency.LIST and "starting_after" not in parameters
        pages = self._pages if first or urgency is Urgency.PAGE else self._others
        return await pages.get(key, partial(_kept, lambda: self._stripe.page(path, parameters, urgency=urgency), keep))

    async def retrieve(
        self,
        path: str,
        object_id: str,
        *,
        urgency: Urgency = Urgency.CALL,
        expand: Sequence[str] = (),
        keep: Keep[StripeObject] | None = None,
    ) -> StripeObject:
        key = (path, object_id, urgency, tuple(expand))
        call = partial(self._stripe.retrieve, path, object_id, urgency=urgency, expand=expand)
        return await self._objects.get(key, partial(_kept, call, keep))

    async def send(self, request: ChangeRequest) -> Sent:
        return await self._stripe.send(request)

    def forget(self) -> None:
        """Let nobody join a call that began before now."""
        for shared in (self._pages, self._others, self._objects):
            shared.forget()


async def _kept(call: Callable[[], Awaitable[Result]], keep: Keep[Result] | None) -> Result:
    if keep is None:
        return await call()
    made = asyncio.get_running_loop().time()
    result = await call()
    party = context.party.get()
    keep(result, made if party is None or party.began is None else party.began)
    return result
