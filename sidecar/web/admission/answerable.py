"""Who answers for a change: nothing is changed at Stripe, and no item, before Directus named the caller's user."""

from collections.abc import Awaitable, Callable, Mapping

from sidecar.core.interfaces import Page, Sent, Stripe
from sidecar.core.operations.resources import StripeObject
from sidecar.core.urgency import Urgency


class AnswerableStripe:
    """Stripe for one request.

    `named` gives the user's ID, None for a guest, or raises; it is asked once, right before the change.
    """

    def __init__(self, stripe: Stripe, named: Callable[[], Awaitable[str | None]]) -> None:
        self._stripe, self._named = stripe, named
        self._user: str | None = None
        self._asked = False

    async def user(self) -> str | None:
        """Raises PermissionDenied where Directus names no user, CredentialRefused and DirectusUnavailable."""
        if not self._asked:
            self._user, self._asked = await self._named(), True
        return self._user

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        return await self._stripe.page(path, parameters, urgency=urgency)

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:
        return await self._stripe.retrieve(path, object_id, urgency=urgency)

    async def send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object],
        idempotency_key: str | None = None,
        *,
        urgency: Urgency = Urgency.CALL,
    ) -> Sent:
        await self.user()
        return await self._stripe.send(method, path, parameters, idempotency_key, urgency=urgency)
