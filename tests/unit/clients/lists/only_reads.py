"""The part of a double of Stripe that lists never use."""

from collections.abc import Mapping

from sidecar.core.interfaces import Sent
from sidecar.core.urgency import Urgency


class OnlyReads:
    """A Stripe that refuses every change."""

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
