"""Receives Stripe's events: verifies them, gives them to those that listen for their type, and counts every outcome.

A delivery is handled once: the same signed body again is a replay, which needs no secret, and does nothing. The same
event signed anew comes from Stripe, because an answer was lost or because an operator sends it again: that is handled.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import orjson

from sidecar.clients.stripe.event_listener import Deliveries, EventListener
from sidecar.clients.stripe.signature import Signatures, Unsigned
from sidecar.context import note
from sidecar.core.flows.events import PING, Event, Result, foreign, parse_event
from sidecar.errors import EventFailed, InvalidPayload, SidecarError
from sidecar.metrics import Metrics

_OTHER = "other"  # the label for all types that nobody listens for
_log = logging.getLogger(__name__)


class StripeWebhooks:
    """The `listeners` of a type handle an event one after the other; if one fails, the others wait for the next time.

    `forget_lists` is awaited for each event of our account. `livemode` is the mode of our key; events of the other mode
    are ignored, as are those of any account but `own_account`, None meaning the key's own.
    """

    def __init__(
        self,
        signatures: Signatures,
        listeners: Sequence[EventListener],
        forget_lists: Callable[[], Awaitable[None]],
        *,
        livemode: bool,
        metrics: Metrics,
        own_account: str | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._signatures = signatures
        self._listeners, self._forget_lists = tuple(listeners), forget_lists
        self._followed = frozenset[str]().union(*(listener.types for listener in listeners))
        self._livemode, self._own_account, self._metrics = livemode, own_account, metrics
        self._ended = Deliveries(timer)
        for kind in (*self._followed, PING, _OTHER):  # monitoring cannot see an increase from no value
            for result in Result:
                metrics.webhooks.labels(kind, result)

    def verify(self, body: bytes, signatures: Sequence[str]) -> Event:
        """Count and log a refusal. A sender other than Stripe learns none of its details."""
        signed = self._signatures.signed(body, signatures)
        if isinstance(signed, Unsigned):
            raise self._refused(InvalidPayload("This body has no valid signature."), signed.reason, signed.detail)
        try:
            event = replace(parse_event(_parsed(body), self._followed), signed=signed)
        except InvalidPayload as unreadable:
            raise self._refused(unreadable, "body", unreadable.message) from None
        note("event", event.id)
        return event

    async def handle(self, event: Event) -> None:
        result = Result.FAILED
        try:
            result = await self._handle(event)
        except SidecarError as error:
            about = None if event.object is None else event.object.id
            facts = {"event": event.id, "type": event.type, "object": about, "customer": event.customer}
            _log.error("an event failed", extra={**facts, "code": error.code, "detail": error.detail})
            raise EventFailed("This event could not be handled yet. Send it again.", detail=error.detail) from error
        finally:
            self._count(event.type, result)

    def _refused(self, answer: InvalidPayload, reason: str, detail: str) -> InvalidPayload:
        self._count(_OTHER, Result.REFUSED)
        _log.warning("an event was refused", extra={"reason": reason, "detail": detail})
        return answer

    async def _handle(self, event: Event) -> Result:
        if event.type == PING:
            return Result.DONE
        if (reason := foreign(event, livemode=self._livemode, own_account=self._own_account)) is not None:
            _log.info("an event was ignored", extra={"event": event.id, "type": event.type, "reason": reason})
            return Result.IGNORED
        if event in self._ended:
            return Result.DUPLICATE
        await self._forget_lists()
        results = {await each.hear(event) for each in self._listeners if event.type in each.types}
        self._ended.add(event)
        return next((result for result in (Result.DONE, Result.DUPLICATE) if result in results), Result.IGNORED)

    def _count(self, kind: str, result: Result) -> None:
        note("webhook", result)
        self._metrics.webhooks.labels(kind if kind in self._followed or kind == PING else _OTHER, result).inc()


def _parsed(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except ValueError:
        raise InvalidPayload("This body is not valid JSON.") from None
