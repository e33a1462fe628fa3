"""Those that listen for events: every event has its work, one at a time for each subject, and each delivery once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from sidecar.clients.stripe.event_listener import EventListener
from sidecar.core.flows.events import Event, ObjectReference, Result, object_named
from sidecar.core.flows.follow_customer import Change
from sidecar.errors import DirectusUnavailable

PAID = Event("evt_1", "invoice.paid", livemode=False, object=ObjectReference("invoice", "in_1"), signed=1)


@dataclass
class Work:
    """Records the events whose work was begun, in order."""

    hold: asyncio.Event | None = None
    fails: int = 0
    begun: list[str] = field(default_factory=list)

    async def do(self, event: Event, subject: str) -> AsyncIterator[Change]:
        assert subject == "in_1"
        self.begun.append(event.id)
        await (self.hold.wait() if self.hold else asyncio.sleep(0))
        if self.fails > 0:
            self.fails -= 1
            raise DirectusUnavailable("down")
        yield Change(None, (), "flow started")


def listening(work: Work, *, covering: bool = False) -> EventListener:
    return EventListener([PAID.type], object_named, work.do, covering=covering)


@pytest.mark.parametrize(("covering", "begun"), [(False, ["evt_1", "evt_2", "evt_3"]), (True, ["evt_1", "evt_2"])])
async def test_those_that_wait(*, covering: bool, begun: list[str]) -> None:
    """Events that wait for one subject have each their own work, in order, unless one look is for all of them."""
    work = Work(hold=asyncio.Event())
    listener = listening(work, covering=covering)
    heard = [asyncio.create_task(listener.hear(replace(PAID, id=f"evt_{number}"))) for number in (1, 2, 3)]
    for _ in range(5):
        await asyncio.sleep(0)
    first = list(work.begun)

    assert work.hold is not None
    work.hold.set()
    results = await asyncio.gather(*heard)

    assert (first, work.begun, results) == (["evt_1"], begun, [Result.DONE] * 3)


async def test_a_copy_of_a_delivery() -> None:
    """A copy of a delivery does nothing, whether it comes during the work or after it."""
    work = Work(hold=asyncio.Event())
    listener = listening(work)
    heard = [asyncio.create_task(listener.hear(PAID)) for _ in range(2)]
    await asyncio.sleep(0)

    assert work.hold is not None
    work.hold.set()
    results = [*await asyncio.gather(*heard), await listener.hear(PAID)]

    assert (work.begun, results) == (["evt_1"], [Result.DONE, Result.DUPLICATE, Result.DUPLICATE])


async def test_what_failed_is_done_again() -> None:
    """A delivery whose work failed is not known; the same one may come again."""
    work = Work(fails=1)
    listener = listening(work)

    with pytest.raises(DirectusUnavailable):
        await listener.hear(PAID)

    assert (await listener.hear(PAID), work.begun) == (Result.DONE, ["evt_1"] * 2)


async def test_nothing_to_do() -> None:
    """An event without a subject has no work."""
    work = Work()

    assert (await listening(work).hear(replace(PAID, object=None)), work.begun) == (Result.IGNORED, [])
