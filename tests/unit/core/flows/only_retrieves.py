"""The part of a double of Stripe that is not used where single objects are read."""

from collections.abc import Mapping

from sidecar.core.interfaces import Page, Sent
from sidecar.core.urgency import Urgency


class OnlyRetrieves:
    """A Stripe that refuses every list and every change."""

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        raise NotImplementedError

    async def send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object],
        idempotency_key: str | None = None,
        *,
        urgency: Urgency = Urgency.CALL,
    ) -> Sent:
        raise NotImplementedError
