"""What lists keep in memory while their clients read slowly."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pytest
from aiohttp import web

from sidecar.core.operations.list_query import RenderedPage
from sidecar.web.answers.streams import stream_array, stream_lines
from tests.doubles.running_app import CLERK, OpenApp, RunningApp, bearer
from tests.doubles.waiting import eventually
from tests.doubles.wire import exchange, request_bytes
from tests.unit.web.answers.test_lists_bounded import streaming

pytestmark = pytest.mark.slow


class Payload(bytes):
    """Counts itself while it is in memory."""

    alive = 0

    def __new__(cls, content: bytes) -> Self:
        cls.alive += 1
        return super().__new__(cls, content)

    def __del__(self) -> None:
        type(self).alive -= 1


@pytest.mark.parametrize("lines", [False, True])
async def test_pages_that_were_written_are_gone(*, lines: bool) -> None:
    """F5: No page that was written is in memory while the next one is awaited, not even the first."""
    alive: list[int] = []

    async def pages() -> AsyncGenerator[RenderedPage]:
        for number in range(5):
            yield RenderedPage(Payload(b'"x"'), (f"pi_{number}",), more=number < 4)
            alive.append(Payload.alive)

    async def handler(request: web.Request) -> web.StreamResponse:
        if lines:
            return await stream_lines(request, pages(), show_cursor=True)
        return await stream_array(request, pages())

    async with streaming(handler) as (port, ends):
        await exchange(port, request_bytes("GET", "/", [], None))

    assert ends == ["whole"]
    assert alive == [0] * 5


@pytest.mark.parametrize("size", [0, 1, 65_533, 65_534, 65_535, 131_070, 131_071, 1_000_000])
async def test_pages_of_any_size(size: int) -> None:
    """A page arrives as it is, however many pieces it is written in."""

    async def pages() -> AsyncGenerator[RenderedPage]:
        for number in range(3):
            yield RenderedPage(b'"' + b"xyz"[number : number + 1] * size + b'"', (f"pi_{number}",))

    async def handler(request: web.Request) -> web.StreamResponse:
        return await stream_array(request, pages())

    async with streaming(handler) as (port, _):
        answer = await exchange(port, request_bytes("GET", "/", [], None))

    assert answer.json() == ["x" * size, "y" * size, "z" * size]


async def test_buffer_of_a_slow_client() -> None:
    """F5: The connection of a client that reads nothing keeps some pieces of a page, and no copy of it."""
    requests: list[web.Request] = []

    async def pages() -> AsyncGenerator[RenderedPage]:
        yield RenderedPage(b"x" * 16_000_000, ("pi_1",))

    async def handler(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        return await stream_array(request, pages())

    def waiting() -> int:
        transport = requests[0].transport if requests else None
        return transport.get_write_buffer_size() if isinstance(transport, asyncio.WriteTransport) else 0

    async with streaming(handler) as (port, _):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(request_bytes("GET", "/", [], None))
        await eventually(lambda: waiting() > 0)

        assert waiting() <= 200_000
        writer.transport.abort()


async def held(app: RunningApp) -> float:
    text = (await app.call(target="/metrics")).body.decode()
    [value] = [line.split()[1] for line in text.splitlines() if line.startswith("sidecar_held_bytes ")]
    return float(value)


@asynccontextmanager
async def slow_readers(app: RunningApp, number: int) -> AsyncIterator[None]:
    """Ask for so many different lists, and read the beginning of each answer."""
    writers: list[asyncio.StreamWriter] = []
    for moment in range(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", app.port, limit=1024)
        writers.append(writer)
        target = f"/stripe/payments?created[gte]={moment}"
        writer.write(request_bytes("GET", target, [bearer(CLERK.token)], None))
        await reader.readexactly(10)
    try:
        yield
    finally:
        for writer in writers:
            writer.transport.abort()


async def test_slow_readers_are_bounded(open_app: OpenApp) -> None:
    """F5, L3: Lists of clients that stop reading hold the cap and a page each at most; once they left, nothing."""
    app = await open_app(MAX_HELD_BYTES=str(2**20))
    ids = app.stripe.add_payments(1_000, description="d" * 5_000)
    page = 100 * 7_000
    most = 0.0

    async with slow_readers(app, 5):
        asked = -1
        while asked != len(app.stripe.asked):
            asked = len(app.stripe.asked)
            for _ in range(20):
                most = max(most, await held(app))
        another = await app.call(CLERK)

    assert 100 * 5_000 <= most <= 2**20 + 6 * page
    assert [payment["id"] for payment in json.loads(another.body)] == ids

    async def nothing_held() -> bool:
        return await held(app) == 0

    await eventually(nothing_held)
