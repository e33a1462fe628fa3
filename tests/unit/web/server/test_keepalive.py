"""L1, L4: connections that wait for another request, or have half of one.

Where a test waits for a deadline, the other one is so long that it would end the test instead.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tests.doubles.one_handler import ARRIVING, GET, NEVER, Serving, served
from tests.doubles.waiting import PATIENCE, eventually

pytestmark = pytest.mark.slow

WHOLE = GET + b"\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
BODY = POST + b"Content-Length: 4\r\n\r\nbody"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
UNREAD = GET + b"Content-Length: 4\r\n\r\nbody"  # the handler of GET reads no body


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    async with served(keepalive=NEVER) as opened:
        yield opened


async def ended(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(NEVER / 10):
        with suppress(ConnectionError):
            assert await reader.read() == b""


async def connected(serving: Serving, *parts: bytes, answers: int = 1) -> tuple[asyncio.StreamReader, int]:
    """Send the parts of requests, each in a segment of its own, and read the answers."""
    reader = await serving.connect()
    writer = serving.connections[-1]
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0)
    for _ in range(answers):
        await reader.readuntil(b"\r\n\r\nok")
    return reader, len(serving.connections) - 1


async def a_deadline_passes(serving: Serving) -> None:
    """Wait as long as a connection has for its first request."""
    await ended(await serving.connect(GET))


COMPLETE = {
    "get": ([WHOLE], 1),
    "get in parts": ([GET[:7], GET[7:] + b"\r", b"\n"], 1),
    "body": ([BODY], 1),
    "body in parts": ([POST, b"Content-Length: 4\r\n\r", b"\nbo", b"dy"], 1),
    "chunked": ([CHUNKED], 1),
    "chunked in parts": ([CHUNKED[:-20], CHUNKED[-20:-2], CHUNKED[-2:]], 1),
    "two at once": ([WHOLE + WHOLE], 2),
    "a body and another request": ([BODY + WHOLE], 2),
    "blank lines before": ([WHOLE, b"\r\n" + WHOLE], 2),
    "one after another": ([WHOLE, BODY, CHUNKED, WHOLE], 4),
    "a body that nobody reads": ([UNREAD], 1),
    "a body that nobody reads, late": ([UNREAD[:-2], UNREAD[-2:]], 1),
}


@pytest.mark.parametrize(("parts", "answers"), COMPLETE.values(), ids=COMPLETE)
async def test_waiting_is_not_limited_as_arriving(serving: Serving, parts: list[bytes], answers: int) -> None:
    """L1: a connection on which whole requests were answered waits longer than a request may take to arrive."""
    reader, number = await connected(serving, *parts, answers=answers)

    await a_deadline_passes(serving)
    serving.connections[number].write(WHOLE)

    assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200")


HALVES = {
    "a byte": b"G",
    "a line": GET[:16],
    "no blank line": GET,
    "half a header": GET + b"X: ",
    "half a body": POST + b"Content-Length: 4\r\n\r\nbo",
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
async def test_half_of_a_second_request(serving: Serving, half: bytes) -> None:
    """L1: from its first byte a further request must arrive as soon as a first one."""
    reader, number = await connected(serving, WHOLE)
    serving.connections[number].write(half)

    if half == HALVES["half a body"]:
        await eventually(lambda: serving.begun == 2)  # its handler limits the time
    else:
        await ended(reader)
        assert serving.begun == 1


@pytest.mark.parametrize("whole", [WHOLE, BODY, CHUNKED], ids=["get", "body", "chunked"])
async def test_half_a_request_behind_a_whole_one(serving: Serving, whole: bytes) -> None:
    """L1: the same holds for half a request that came together with a whole one."""
    reader, _ = await connected(serving, whole + GET)

    await ended(reader)


async def test_half_a_request_during_another_one(serving: Serving) -> None:
    """L1: the same holds for half a request that came while another one was worked on."""
    reader = await serving.connect(b"GET /paused HTTP/1.1\r\nHost: a\r\n\r\n")
    await eventually(lambda: serving.begun == 1)
    serving.connections[0].write(GET)
    await a_deadline_passes(serving)
    serving.release.set()
    await reader.readuntil(b"ok")

    await ended(reader)


async def test_dripping_second_request(serving: Serving) -> None:
    """L1: occasional bytes do not extend the deadline of a second request either."""
    reader, number = await connected(serving, WHOLE)
    writer = serving.connections[number]
    writer.write(GET)

    async def drip() -> None:
        while not reader.at_eof():
            writer.write(b"X-A: b\r\n")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    await ended(reader)
    await asyncio.wait([dripping])


async def test_waiting_ends() -> None:
    """L1: a connection that waits too long for another request is closed."""
    async with served(arriving=NEVER, keepalive=ARRIVING) as serving:
        reader, _ = await connected(serving, WHOLE)

        await ended(reader)
        await eventually(lambda: not serving.runner._kept)


async def test_a_request_in_time() -> None:
    """Each request gives a connection the whole time again, and a long handler takes none of it."""
    async with served(arriving=NEVER, keepalive=ARRIVING) as serving:
        reader, number = await connected(serving, WHOLE)
        serving.connections[number].write(b"GET /paused HTTP/1.1\r\nHost: a\r\n\r\n")
        await eventually(lambda: serving.begun == 2)
        await ended((await connected(serving, WHOLE))[0])
        serving.release.set()

        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")


async def test_body_during_a_long_handler() -> None:
    """The rest of a body, come while its handler works, does not make the connection one that waits."""
    async with served(arriving=NEVER, keepalive=ARRIVING) as serving:
        reader, number = await connected(serving, WHOLE)
        paused = b"POST /paused HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
        serving.connections[number].write(paused + b"bo")
        await eventually(lambda: serving.begun == 2)
        serving.connections[number].write(b"dy")
        await ended((await connected(serving, WHOLE))[0])
        serving.release.set()

        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")


async def test_rest_of_a_refused_request(serving: Serving) -> None:
    """A client that sends all of a head that is too long, and reads then, reads the refusal."""

    def send() -> bytes:
        with socket.create_connection(("127.0.0.1", serving.port), timeout=PATIENCE) as client:
            client.sendall(GET + b"X: " + b"x" * 2**23 + b"\r\n\r\n")
            return client.recv(1000)

    assert b" 431 " in (await asyncio.to_thread(send)).splitlines()[0]


async def test_most_connections_that_wait() -> None:
    """L1: beyond a number of connections that wait, answers end theirs, and no connection that waits is closed."""
    async with served(keepalive=NEVER, most_kept=2) as serving:
        waiting = [await connected(serving, WHOLE) for _ in range(2)]
        await eventually(lambda: len(serving.runner._kept) == 2)
        further = await serving.connect(WHOLE)

        assert b"Connection: close" in await further.read()
        for reader, number in waiting:
            serving.connections[number].write(WHOLE)
            assert b"Connection: close" not in await reader.readuntil(b"ok")


async def test_waiting_connections_at_the_end() -> None:
    """L4: connections that wait for another request do not delay the shutdown."""
    async with served(arriving=NEVER, keepalive=NEVER) as serving:
        for _ in range(10):
            await connected(serving, WHOLE)
        async with asyncio.timeout(NEVER / 10):
            await serving.runner.cleanup()

        assert not serving.runner._kept


async def test_second_request_that_is_on_its_way(serving: Serving) -> None:
    """L4: the rest of a second request may arrive after the shutdown has begun."""
    reader, number = await connected(serving, WHOLE)
    serving.connections[number].write(GET)
    await eventually(lambda: not serving.runner._kept)
    ending = asyncio.create_task(serving.runner.cleanup())
    await asyncio.sleep(0.05)
    serving.connections[number].write(b"\r\n")

    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    await ending
