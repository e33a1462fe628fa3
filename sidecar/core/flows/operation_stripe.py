"""Stripe as one operation asks it: with parts of its object written out, or by the API version of a client's SDK."""

from dataclasses import dataclass, replace

from sidecar.core.interfaces import ChangeRequest, Sent, Stripe, StripeShows
from sidecar.core.operations.resources import StripeObject, address
from sidecar.core.urgency import Urgency


@dataclass(frozen=True, slots=True)
class OperationStripe:
    """Stripe for one request. `target` is the path of the operation's call: an object read from there is its own.

    `expand` names the parts of that object, and `version` is what its change is asked by; other objects are read as
    usual. Where that object is only shown, `shown` gives it.
    """

    stripe: Stripe
    target: str
    expand: tuple[str, ...] = ()
    version: str | None = None
    shown: StripeShows | None = None

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:
        if address(path, object_id) != self.target:
            return await self.stripe.retrieve(path, object_id, urgency=urgency)
        return await (self.shown or self.stripe).retrieve(path, object_id, urgency=urgency, expand=self.expand)

    async def send(self, request: ChangeRequest) -> Sent:
        values = {**request.parameters, "expand": list(self.expand)} if self.expand else request.parameters
        return await self.stripe.send(replace(request, parameters=values, version=self.version))
