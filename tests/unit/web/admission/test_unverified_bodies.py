"""Bodies of unknown senders: bounded by number, bytes and time, and the one that was read for longest makes room."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import ContentTooLarge, Overloaded, RequestTimeout
from sidecar.web.admission.unverified_bodies import LONGEST, UnverifiedBodies

NEVER = 600.0


class Sender:
    """A body that arrives as the test says; `None` is its end."""

    def __init__(self, bodies: UnverifiedBodies, *chunks: bytes | None, length: int | None = None) -> None:
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.send(*chunks)
        self.reading = asyncio.create_task(bodies.read(self._stream(), length))
        self.reading.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody need ask for it

    def send(self, *chunks: bytes | None) -> None:
        for chunk in chunks:
            self._chunks.put_nowait(chunk)

    async def _stream(self) -> AsyncIterator[bytes]:
        while (chunk := await self._chunks.get()) is not None:
            yield chunk


async def settle() -> None:
    """Let every task run until it waits for something that only the test does."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_body_is_given_whole() -> None:
    """The chunks of a body are given together; an empty body is one too."""
    bodies = UnverifiedBodies(seconds=NEVER)

    assert await Sender(bodies, b"a", b"bc", None, length=3).reading == b"abc"
    assert await Sender(bodies, None).reading == b""


async def test_the_longest_reading_makes_room() -> None:
    """F1: Where one more arrives than may, the one that has been read for longest is ended, and no other."""
    bodies = UnverifiedBodies(most=2, seconds=NEVER)
    senders = [Sender(bodies, b"x") for _ in range(4)]
    await settle()
    ended = [sender.reading.done() for sender in senders]

    for sender in senders:
        sender.send(None)
    found = await asyncio.gather(*(sender.reading for sender in senders), return_exceptions=True)

    assert ended == [True, True, False, False]
    assert [type(each) for each in found] == [Overloaded, Overloaded, bytes, bytes]
    assert isinstance(found[0], Overloaded)
    assert found[0].retry_after == 1


async def test_whoever_arrives_at_once_gets_through() -> None:
    """F1: Among any number of slow bodies one that arrives at once is read, even if only one may be read at a time."""
    bodies = UnverifiedBodies(most=1, seconds=NEVER)
    slow = [Sender(bodies, b"x") for _ in range(50)]
    await settle()

    assert await Sender(bodies, b"event", None).reading == b"event"
    for sender in slow:
        sender.reading.cancel()


async def test_bytes_in_all() -> None:
    """F5: Where bytes in all become too many, those that have been read for longest are ended until they are not."""
    bodies = UnverifiedBodies(most_bytes=100, seconds=NEVER)
    senders = [Sender(bodies, b"x" * 40) for _ in range(2)]
    await settle()
    late = Sender(bodies, b"x" * 90)
    await settle()
    ended = [sender.reading.done() for sender in (*senders, late)]

    late.send(b"x" * 10, None)

    assert ended == [True, True, False]
    assert len(await late.reading) == 100
    assert bodies._bytes == 0


async def test_the_longest_reading_is_its_own_cause() -> None:
    """F5: A body whose own bytes are too many is ended itself if it has been read for longest."""
    bodies = UnverifiedBodies(most_bytes=100, seconds=NEVER)
    first, second = Sender(bodies, b"x" * 60), Sender(bodies, b"x" * 40)
    await settle()
    first.send(b"x")

    with pytest.raises(Overloaded):
        await first.reading
    second.send(None)

    assert len(await second.reading) == 40


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60) | st.none()), max_size=40))
def test_bounds_hold(steps: list[tuple[int, int | None]]) -> None:
    """F5: Whatever arrives in whatever order, there are never more bodies or bytes than may be; in the end none."""

    async def run() -> None:
        bodies = UnverifiedBodies(most=3, most_bytes=100, seconds=NEVER)
        senders: dict[int, Sender] = {}
        for number, size in steps:
            if number not in senders or senders[number].reading.done():
                senders[number] = Sender(bodies)
            senders[number].send(None if size is None else b"x" * size)
            await settle()
            assert len(bodies._reading) <= 3
            assert bodies._bytes == sum(len(body.content) for body in bodies._reading) <= 100
        for sender in senders.values():
            sender.reading.cancel()
        await asyncio.gather(*(sender.reading for sender in senders.values()), return_exceptions=True)
        assert (len(bodies._reading), bodies._bytes) == (0, 0)

    asyncio.run(run())


async def test_ended_when_it_is_whole_already() -> None:
    """A body that is ended in the turn of the loop in which its rest has come is given whole."""
    bodies = UnverifiedBodies(most=1, seconds=NEVER)
    first = Sender(bodies, b"a")
    await settle()

    second = Sender(bodies, None)
    first.send(b"b", None)

    assert (await first.reading, await second.reading) == (b"ab", b"")
    assert bodies._bytes == 0


@pytest.mark.parametrize("length", [None, LONGEST + 1], ids=["found out", "declared"])
async def test_too_long(length: int | None) -> None:
    """A body that is too long is refused, at once if its length is declared, and leaves nothing taken."""
    bodies = UnverifiedBodies(seconds=NEVER)

    with pytest.raises(ContentTooLarge):
        await Sender(bodies, *([b"x" * LONGEST, b"x"] if length is None else []), length=length).reading
    assert (len(bodies._reading), bodies._bytes) == (0, 0)


async def test_time() -> None:
    """A body that does not arrive in its time is a 408, and leaves nothing taken."""
    bodies = UnverifiedBodies(seconds=0)

    with pytest.raises(RequestTimeout):
        await Sender(bodies, b"x").reading
    assert (len(bodies._reading), bodies._bytes) == (0, 0)


@pytest.mark.parametrize("turns", range(5))
async def test_cut_at_each_await(turns: int) -> None:
    """F2: A sender that leaves while its body arrives gives everything back."""
    bodies = UnverifiedBodies(seconds=NEVER)
    sender = Sender(bodies, b"x", b"y")
    for _ in range(turns):
        await asyncio.sleep(0)

    sender.reading.cancel()
    ended = await asyncio.gather(sender.reading, return_exceptions=True)

    assert isinstance(ended[0], asyncio.CancelledError)
    assert (len(bodies._reading), bodies._bytes) == (0, 0)
