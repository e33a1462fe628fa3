"""Changes that Stripe refuses because they are done: canceling what is canceled, deleting what is gone.

The first answer may have been lost, between Stripe and here or between here and the client, so the refusal of a
repetition is no failure: the object is read, and where it shows that the change is done, it is the answer.
"""

from http import HTTPStatus

from sidecar.core.interfaces import ChangeRequest, Sent, StripeCalls
from sidecar.core.operations.resources import StripeObject
from sidecar.core.operations.row import DELETED, Done, Operation
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeFailure, StripeRejected

# Stripe answers one of these to a change that is done. The others mean something else, whatever the object shows: that
# a card was declined, or that an idempotency key belongs to another request.
_REFUSED_AGAIN = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})


class RepeatableStripe:
    """Stripe for one operation on the object with this ID. `done` of the operation's row says what a done one shows."""

    def __init__(self, stripe: StripeCalls, operation: Operation, object_id: str | None) -> None:
        self._stripe, self._path, self._kind = stripe, operation.resource.path, operation.resource.kind
        self._done: Done | None = operation.done if operation.path_resource is operation.resource else None
        self._object_id = str(object_id)
        self._seen = False

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:
        found = await self._stripe.retrieve(path, object_id, urgency=urgency)
        self._seen |= (path, object_id) == (self._path, self._object_id)
        return found

    async def send(self, request: ChangeRequest) -> Sent:
        if self._done is not None and self._done.gone and not self._seen:
            await self.retrieve(self._path, self._object_id)
        try:
            return await self._stripe.send(request)
        except StripeRejected as refused:
            if self._done is None or refused.status not in _REFUSED_AGAIN:
                # With a key, the refusal is that of every attempt, unless another one is still under way.
                refused.uncertain &= request.key is None or refused.status == HTTPStatus.CONFLICT
                raise
            found = await self._now(refused)
            if found is None or not self._done.is_shown_by(found):
                refused.uncertain = False
                raise
            return Sent(found, replayed=True, uncertain=refused.uncertain)

    async def _now(self, refused: StripeRejected) -> StripeObject | None:
        """Read the object as it is now, None where there never was one.

        Raises StripeFailure: the refusal, unless the change may have happened and that cannot be found out.
        """
        try:
            return await self._stripe.retrieve(self._path, self._object_id)
        except StripeRejected as absent:
            if absent.status != HTTPStatus.NOT_FOUND:
                raise refused from absent
            return {"id": self._object_id, "object": self._kind, **DELETED} if self._seen else None
        except StripeFailure as failure:
            if not refused.uncertain:
                raise refused from failure
            failure.uncertain = True
            raise
