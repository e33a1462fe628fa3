"""Notes about a request stay with that request."""

import asyncio

from sidecar import context
from sidecar.metrics import Metrics


async def test_requests_at_once() -> None:
    """Two concurrent requests do not see each other's notes, nor do tasks that started before them."""

    async def request(identity: str) -> dict[str, object]:
        notes = context.begin(identity)
        await asyncio.sleep(0)
        context.note("seen", context.request_id.get())
        return notes

    first, second = await asyncio.gather(request("first"), request("second"))

    assert first == {"request_id": "first", "seen": "first"}
    assert second == {"request_id": "second", "seen": "second"}
    assert context.request_id.get() is None


async def test_notes_of_a_task() -> None:
    """A note by a task that a request started belongs to that request."""
    notes = context.begin("first")
    await asyncio.create_task(_note())

    assert notes["here"] is True


async def _note() -> None:
    context.note("here", True)  # noqa: FBT003 - any value may be noted


async def test_outside() -> None:
    """Outside a request nothing is noted and nothing fails."""
    context.note("lost", 1)
    context.took("directus", 1.0)

    assert context.begin("first") == {"request_id": "first"}


async def test_times_add_up() -> None:
    """The times of several calls to an upstream add up to one number, in milliseconds."""
    notes = context.begin("first")
    metrics = Metrics(context.took)
    context.took("stripe", 0.1)
    context.took("stripe", 0.0234)
    with metrics.timed("directus"):
        pass

    assert notes["stripe_ms"] == 123.4
    assert isinstance(notes["directus_ms"], float)
