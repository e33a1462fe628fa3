"""Stripe for one request, of what it only shows to its caller: that may have been asked a moment ago.

Nothing may be decided by it, and nothing changed: what is read for that is asked anew, of `SharedReads`.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from sidecar.clients.stripe.recent_answers import RecentAnswers
from sidecar.clients.stripe.shared_reads import SharedReads
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency


class ShownReads:
    """`recent` is None where nothing is remembered. `secrets`: the request may show secrets, which are not remembered.

    Pages of whole lists are always new, as are objects with parts written out. `age` is how many seconds ago Stripe was
    asked for the oldest of what was given; None where all of it is new.
    """

    def __init__(self, stripe: SharedReads, recent: RecentAnswers | None, *, secrets: bool) -> None:
        self._stripe, self._recent, self._secrets = stripe, recent, secrets
        self.age: float | None = None

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        if self._recent is None or urgency is not Urgency.PAGE:
            return await self._stripe.page(path, parameters, urgency=urgency)
        key = (path, frozenset(parameters.items()))
        found = await self._recent.page(key, secrets=self._secrets)
        if found is None:
            keep = partial(self._recent.keep_page, key)
            return await self._stripe.page(path, parameters, urgency=urgency, keep=keep)
        self._grow(found.age)
        return found.page

    async def retrieve(
        self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL, expand: Sequence[str] = ()
    ) -> StripeObject:
        if self._recent is None or expand or urgency is Urgency.LIST:
            return await self._stripe.retrieve(path, object_id, urgency=urgency, expand=expand)
        key = (path, object_id)
        found = await self._recent.object(key, secrets=self._secrets)
        if found is None:
            keep = partial(self._recent.keep_object, key)
            return await self._stripe.retrieve(path, object_id, urgency=urgency, keep=keep)
        self._grow(found.age)
        return found.object

    def _grow(self, age: float) -> None:
        self.age = age if self.age is None else max(age, self.age)
