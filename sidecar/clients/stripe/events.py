"""Receives Stripe's events: verifies them, handles them one at a time per customer, and counts every outcome.

A delivery is handled once: the same signed body again is a replay, which needs no secret, and does nothing. The same
event signed anew comes from Stripe, because an answer was lost or because an operator sends it again: that is handled.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import orjson
from cachetools import TTLCache

from sidecar.audit import audit
from sidecar.clients.stripe.event_turns import EventTurns
from sidecar.clients.stripe.signature import TOLERANCE, Signatures, Unsigned
from sidecar.context import note
from sidecar.core.flows.events import FOLLOWED, Event, Result, foreign, parse_event
from sidecar.core.flows.follow_customer import Change
from sidecar.errors import EventFailed, InvalidPayload, SidecarError
from sidecar.metrics import Metrics

_OTHER = "other"  # the label for all types that are not followed
_REMEMBERED = 10_000  # deliveries
_REMEMBERED_FOR = 2.0 * TOLERANCE + 60  # seconds; longer than a signature counts whose time is ahead of our clock
_log = logging.getLogger(__name__)


class StripeWebhooks:
    """`follow` makes a customer's items agree with Stripe. `forget_lists` is awaited for each event of our account.

    `livemode` is the mode of our key; events of the other mode are ignored, as are those of any account but
    `own_account`, None meaning the key's own.
    """

    def __init__(
        self,
        signatures: Signatures,
        follow: Callable[[str], AsyncIterator[Change]],
        forget_lists: Callable[[], Awaitable[None]],
        *,
        livemode: bool,
        own_account: str | None = None,
        metrics: Metrics,
        turns: EventTurns | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._signatures = signatures
        self._follow, self._forget_lists = follow, forget_lists
        self._livemode, self._own_account, self._metrics = livemode, own_account, metrics
        self._handled = TTLCache[tuple[str, int], bool](_REMEMBERED, _REMEMBERED_FOR, timer)
        self._noticed = TTLCache[tuple[str, int], bool](_REMEMBERED, _REMEMBERED_FOR, timer)  # of types not followed
        self._turns = turns or EventTurns()
        for kind in (*FOLLOWED, _OTHER):  # monitoring cannot see an increase from no value
            for result in Result:
                metrics.webhooks.labels(kind, result)

    def verify(self, body: bytes, signatures: Sequence[str]) -> Event:
        """Count and log a refusal. A sender other than Stripe learns none of its details."""
        signed = self._signatures.signed(body, signatures)
        if isinstance(signed, Unsigned):
            raise self._refused(InvalidPayload("This body has no valid signature."), signed.reason, signed.detail)
        try:
            event = replace(parse_event(_parsed(body)), signed=signed)
        except InvalidPayload as unreadable:
            raise self._refused(unreadable, "body", unreadable.message) from None
        note("event", event.id)
        return event

    async def handle(self, event: Event) -> None:
        result = Result.FAILED
        try:
            result = await self._handle(event)
        except SidecarError as error:
            facts = {"event": event.id, "type": event.type, "customer": event.customer}
            _log.error("an event failed", extra={**facts, "code": error.code, "detail": error.detail})
            raise EventFailed("This event could not be handled yet. Send it again.", detail=error.detail) from error
        finally:
            self._count(event.type, result)

    def _refused(self, answer: InvalidPayload, reason: str, detail: str) -> InvalidPayload:
        self._count(_OTHER, Result.REFUSED)
        _log.warning("an event was refused", extra={"reason": reason, "detail": detail})
        return answer

    async def _handle(self, event: Event) -> Result:
        if (reason := foreign(event, livemode=self._livemode, own_account=self._own_account)) is not None:
            _log.info("an event was ignored", extra={"event": event.id, "type": event.type, "reason": reason})
            return Result.IGNORED
        if event.delivery in self._handled or event.delivery in self._noticed:
            return Result.DUPLICATE
        await self._forget_lists()
        if event.customer is None:
            self._noticed[event.delivery] = True
            return Result.IGNORED
        async with self._turns.turn(event.customer) as turn:
            if event.delivery in self._handled:
                return Result.DUPLICATE
            if not turn.covered:
                await self._look(event, event.customer)
                turn.complete()
            self._handled[event.delivery] = True
        return Result.DONE

    async def _look(self, event: Event, customer: str) -> None:
        async for change in self._follow(customer):
            audit(
                "item changed",
                operation=event.type,
                object_id=customer,
                item=change.item,
                fields=list(change.fields),
                event=event.id,
            )

    def _count(self, kind: str, result: Result) -> None:
        note("webhook", result)
        self._metrics.webhooks.labels(kind if kind in FOLLOWED else _OTHER, result).inc()


def _parsed(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except ValueError:
        raise InvalidPayload("This body is not valid JSON.") from None
