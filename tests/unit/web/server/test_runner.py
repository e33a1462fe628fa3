"""Connections that keep the server waiting, and its shutdown, with deadlines of a fraction of a second."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import web

from sidecar.web import keys
from tests.doubles.one_handler import ARRIVING, GET, NEVER, Serving, served
from tests.doubles.waiting import PATIENCE, eventually

pytestmark = pytest.mark.slow


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    async with served() as opened:
        yield opened


async def seconds_until_end(reader: asyncio.StreamReader) -> float:
    begun = asyncio.get_running_loop().time()
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            await reader.read()
    return asyncio.get_running_loop().time() - begun


@pytest.mark.parametrize("sent", [b"", b"GET", GET, GET + b"X: "], ids=["silent", "a word", "half", "half a header"])
async def test_no_whole_request(serving: Serving, sent: bytes) -> None:
    """L1: a connection without a whole request is closed at the deadline."""
    reader = await serving.connect(sent)

    assert ARRIVING - 0.05 < await seconds_until_end(reader) < 2
    assert serving.begun == 0


async def test_dripping_headers(serving: Serving) -> None:
    """L1: occasional bytes do not extend the deadline."""
    reader = await serving.connect(GET)
    writer = serving.connections[0]

    async def drip() -> None:
        while not reader.at_eof():
            writer.write(b"X-A: b\r\n")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    assert await seconds_until_end(reader) < 2
    await asyncio.wait([dripping], timeout=1)


async def test_many_requests(serving: Serving) -> None:
    """A connection in use stays open at any age."""
    reader = await serving.connect()
    for _ in range(5):
        serving.connections[0].write(GET + b"\r\n")
        await reader.readuntil(b"ok")
        await asyncio.sleep(ARRIVING / 2)

    assert serving.begun == 5


async def test_long_handler(serving: Serving) -> None:
    """A handler may take longer than the deadline for a request to arrive."""
    reader = await serving.connect(b"GET /paused HTTP/1.1\r\nHost: a\r\n\r\n")
    await eventually(lambda: serving.begun == 1)
    await asyncio.sleep(ARRIVING * 2)
    serving.release.set()

    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")


async def test_pipelined(serving: Serving) -> None:
    """A pipelined second request is answered after the first."""
    reader = await serving.connect(b"GET /paused HTTP/1.1\r\nHost: a\r\n\r\n" + GET + b"\r\n")
    await asyncio.sleep(ARRIVING * 1.5)
    serving.release.set()

    await reader.readuntil(b"ok")
    await reader.readuntil(b"ok")


@pytest.mark.parametrize("size", [50_000, 20_000_000], ids=["in a buffer", "more than fits"])
async def test_answer_that_the_client_does_not_read(serving: Serving, size: int) -> None:
    """L3: a client that does not read its answer is disconnected, and nothing stays behind."""
    serving.answer = lambda _: web.Response(body=b"x" * size)
    with socket.create_connection(("127.0.0.1", serving.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)  # noqa: FBT003 - the library's signature
        client.send(GET + b"Connection: close\r\n\r\n")
        await eventually(lambda: serving.begun == 1)

        manager = serving.runner._server
        assert manager is not None
        await eventually(lambda: not manager.connections)


async def test_answer_that_is_not_read_while_it_is_sent(log_lines: list[str]) -> None:
    """L3: The deadline for all but the last of an answer is the connection's own, and has its line in the log."""
    async with served(reading=NEVER) as serving:
        serving.answer = lambda _: web.Response(body=b"x" * 20_000_000)
        with socket.create_connection(("127.0.0.1", serving.port)) as client:
            client.send(b"GET /sent HTTP/1.1\r\nHost: a\r\n\r\n")
            await eventually(lambda: serving.begun == 1)

            manager = serving.runner._server
            assert manager is not None
            await eventually(lambda: not manager.connections)

    await eventually(lambda: any('"broken"' in line for line in log_lines))


async def test_an_unparsable_request(serving: Serving) -> None:
    """X4: an answer to an unparsable request has the headers of all others, and ends the connection."""
    reader = await serving.connect(b"\x16\x03\x01MARKED\r\n\r\n")
    answer = (await reader.read()).decode()

    assert " 400 " in answer.splitlines()[0]
    assert "Cache-Control: no-store" in answer
    assert "X-Content-Type-Options: nosniff" in answer
    assert "MARKED" not in answer


async def test_broken_answer_has_its_line(serving: Serving, log_lines: list[str]) -> None:
    """An answer that broke off has exactly one line in the log, like every other answer."""
    reader = await serving.connect(b"GET /broken?access_token=MARKED HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.read()

    [line] = [json.loads(line) for line in log_lines if "sidecar" in line]
    assert (line["message"], line["path"], line["status"]) == ("request", "/broken", "broken")
    assert "MARKED" not in str(line)


async def test_client_that_leaves_while_sending(serving: Serving, log_lines: list[str]) -> None:
    """A client that disconnects in the middle of its body causes no error of the parser."""
    await serving.connect(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
    await eventually(lambda: serving.begun == 1)
    serving.connections[0].transport.abort()

    await eventually(lambda: any('"broken"' in line for line in log_lines))
    assert not any("parser" in line for line in log_lines)


def drain(serving: Serving) -> None:
    serving.app[keys.HEALTH].draining = True


async def test_draining_announces_the_end(serving: Serving) -> None:
    """L4: during the drain each answer says that its connection ends, and it does."""
    reader = await serving.connect(GET + b"\r\n")
    assert b"Connection" not in await reader.readuntil(b"ok")
    drain(serving)
    serving.connections[0].write(GET + b"\r\n")

    assert b"Connection: close" in await reader.read()


async def test_connection_in_the_kernels_queue(serving: Serving) -> None:
    """L4: connections that wait to be accepted when the shutdown begins are served."""
    clients = [socket.create_connection(("127.0.0.1", serving.port)) for _ in range(50)]
    for client in clients:
        client.sendall(GET + b"\r\n")

    await serving.runner.cleanup()  # nothing was awaited since the first connection

    for client in clients:
        with client:
            client.settimeout(PATIENCE)
            assert client.recv(1000).startswith(b"HTTP/1.1 200")


async def test_connection_that_was_just_made(serving: Serving) -> None:
    """L4: a connection made before the shutdown is served even if its request comes a moment later."""
    readers = [await serving.connect() for _ in range(10)]
    ending = asyncio.create_task(serving.runner.cleanup())
    await asyncio.sleep(0.05)
    for writer in serving.connections:
        writer.write(GET + b"\r\n")

    for reader in readers:
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
    await ending


async def test_body_that_is_on_its_way(serving: Serving) -> None:
    """L4: the rest of a body may arrive after the shutdown has begun."""
    reader = await serving.connect(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf ")
    await eventually(lambda: serving.begun == 1)
    ending = asyncio.create_task(serving.runner.cleanup())
    await asyncio.sleep(0.05)
    serving.connections[0].write(b"half.")

    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    await ending


async def test_large_answer_at_the_end(serving: Serving) -> None:
    """L4: an answer that is still being read when the shutdown begins is read in full."""
    serving.answer = lambda _: web.Response(body=b"x" * 20_000_000)
    reader = await serving.connect(b"GET /paused HTTP/1.1\r\nHost: a\r\n\r\n")
    await eventually(lambda: serving.begun == 1)
    ending = asyncio.create_task(serving.runner.cleanup())
    await asyncio.sleep(0.05)
    serving.release.set()

    assert (await reader.read()).endswith(b"x" * 20_000_000)
    await ending


async def test_request_that_does_not_end(serving: Serving) -> None:
    """L4: unfinished requests are given up when the time is over, and only once; silent connections add no delay."""
    await serving.connect(b"GET /paused HTTP/1.1\r\nHost: a\r\n\r\n")
    await serving.connect()
    await eventually(lambda: serving.begun == 1)
    begun = asyncio.get_running_loop().time()
    await serving.runner.cleanup()

    assert asyncio.get_running_loop().time() - begun < 2


async def test_silent_connections_at_the_end() -> None:
    """L4: connections with nothing or half a request delay the shutdown for a moment, whatever time it has."""
    async with served(arriving=NEVER) as serving:
        for sent in (b"", GET):
            await serving.connect(sent)
        begun = asyncio.get_running_loop().time()
        await serving.runner.cleanup()

        assert asyncio.get_running_loop().time() - begun < 2
