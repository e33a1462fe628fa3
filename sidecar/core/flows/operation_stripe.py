"""Stripe as one operation asks it: with parts of its object written out, or by the API version of a client's SDK."""

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.core.interfaces import Page, Sent, StripeApi
from sidecar.core.operations.resources import StripeObject, address
from sidecar.core.urgency import Urgency


@dataclass(frozen=True, slots=True)
class OperationStripe:
    """Stripe for one request. `target` is the path of the operation's call: an object read from there is its own.

    `expand` names the parts of that object, and `version` is what its change is asked by; other objects are read as
    usual.
    """

    stripe: StripeApi
    target: str
    expand: tuple[str, ...] = ()
    version: str | None = None

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        return await self.stripe.page(path, parameters, urgency=urgency)

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:
        expand = self.expand if address(path, object_id) == self.target else ()
        return await self.stripe.retrieve(path, object_id, urgency=urgency, expand=expand)

    async def send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object],
        idempotency_key: str | None = None,
        *,
        urgency: Urgency = Urgency.CALL,
    ) -> Sent:
        values = {**parameters, "expand": list(self.expand)} if self.expand else parameters
        return await self.stripe.send(method, path, values, idempotency_key, urgency=urgency, version=self.version)
