"""Who answers for a change: nothing is changed at Stripe, and no item, before Directus named the caller's user.

And every change is in the audit before anything else happens, so whatever fails afterwards loses no line.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from sidecar.audit import audit
from sidecar.core.interfaces import ChangeRequest, Sent, StripeCalls
from sidecar.core.operations.resources import StripeObject, identity_of
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeFailure


@dataclass(frozen=True, slots=True)
class Subject:
    """What the audit says of a change: the operation's name, the ID in the request's path, and the line's message."""

    operation: str
    object_id: str | None
    message: str


class AnswerableStripe:
    """Stripe for one request.

    `named` gives the user's ID, None for a guest, or raises; it is asked once, right before the change.
    """

    def __init__(self, stripe: StripeCalls, named: Callable[[], Awaitable[str | None]], subject: Subject) -> None:
        self._stripe, self._named, self._subject = stripe, named, subject
        self._user: str | None = None
        self._asked = False

    async def user(self) -> str | None:
        """Raises PermissionDenied where Directus names no user, CredentialRefused and DirectusUnavailable."""
        if not self._asked:
            self._user, self._asked = await self._named(), True
        return self._user

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:
        return await self._stripe.retrieve(path, object_id, urgency=urgency)

    async def send(self, request: ChangeRequest) -> Sent:
        note = partial(audit, operation=self._subject.operation, user=await self.user())
        try:
            sent = await self._stripe.send(request)
        except (StripeFailure, asyncio.CancelledError) as ended:
            if not isinstance(ended, StripeFailure) or ended.uncertain:
                note("perhaps changed at Stripe", object_id=self._subject.object_id, uncertain=True)
            raise
        note(self._subject.message, object_id=identity_of(sent.object), new=sent.first)
        return sent
