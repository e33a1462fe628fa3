"""Does the work that events of some types ask for: one event at a time for each subject, and each delivery once."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection

from cachetools import TTLCache

from sidecar.audit import audit
from sidecar.clients.stripe.event_turns import EventTurns
from sidecar.clients.stripe.signature import TOLERANCE
from sidecar.core.flows.events import Event, Result
from sidecar.core.flows.follow_customer import Change

_REMEMBERED = 10_000  # deliveries
_REMEMBERED_FOR = 2.0 * TOLERANCE + 60  # seconds; longer than a signature counts whose time is ahead of our clock


class Deliveries:
    """Remembers deliveries for as long as somebody could send them again as they came."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._known = TTLCache[tuple[str, int], bool](_REMEMBERED, _REMEMBERED_FOR, timer)

    def add(self, event: Event) -> None:
        self._known[event.delivery] = True

    def __contains__(self, event: Event) -> bool:
        return event.delivery in self._known


class EventListener:
    """`subject` says what an event is about, None if there is nothing to do; it may ask Stripe.

    `covering`: an event is only a reason to look at its subject, so of those that wait for one subject the first looks
    for all. Otherwise `work` is done for each event.
    """

    def __init__(
        self,
        types: Collection[str],
        subject: Callable[[Event], Awaitable[str | None]],
        work: Callable[[Event, str], AsyncIterator[Change]],
        *,
        covering: bool,
        turns: EventTurns | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.types = frozenset(types)
        self._subject, self._work, self._covering = subject, work, covering
        self._turns = turns or EventTurns()
        self._handled = Deliveries(timer)

    async def hear(self, event: Event) -> Result:
        """Give DONE, DUPLICATE or IGNORED. Raises SidecarError where the event has to come again."""
        if event in self._handled:
            return Result.DUPLICATE
        subject = await self._subject(event)
        if subject is None:
            return Result.IGNORED
        async with self._turns.turn(subject) as turn:
            if event in self._handled:
                return Result.DUPLICATE
            if not turn.covered:
                await self._do(event, subject)
                if self._covering:
                    turn.complete()
            self._handled.add(event)
        return Result.DONE

    async def _do(self, event: Event, subject: str) -> None:
        async for change in self._work(event, subject):
            audit(
                change.what,
                operation=event.type,
                object_id=subject,
                item=change.item,
                fields=list(change.fields),
                event=event.id,
            )
