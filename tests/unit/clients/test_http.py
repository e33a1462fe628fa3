"""Rules for every call to an upstream: bounds, no cookies, no proxy, no redirect."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import aiohttp
import pytest

from sidecar.clients.http import OversizedAnswer, open_session, read_bounded, retry_after
from tests.unit.clients.loopback import Answer, head, loopback, raw, whole


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(total=0.5, connect=0.2, connections=2) as opened:
        yield opened


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("60", 60),
        ("61", 60),
        ("99999", 60),
        ("100000", None),
        ("-1", None),
        ("1.5", None),
        ("\uff17", None),
        ("", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: int | None) -> None:
    """Whole seconds count, up to a minute; nothing else does."""
    assert retry_after({"Retry-After": value}) == seconds
    assert retry_after({}) is None


async def test_a_body_of_the_agreed_length_is_read(session: aiohttp.ClientSession) -> None:
    """The bound refuses only longer bodies; an answer with no encoding, or with identity, is read."""
    async with loopback(whole(b"x" * 100), whole(b"x" * 100, "Content-Encoding: identity")) as server:
        for _ in range(2):
            async with session.get(server.url) as response:
                assert await read_bounded(response, 100) == b"x" * 100


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (whole(b"x" * 101), OversizedAnswer),
        (raw(head("Content-Length: 9000000000"), *[b"x" * 65536] * 100), OversizedAnswer),
        (raw(head("Connection: close"), *[b"x" * 65536] * 100), OversizedAnswer),
        (raw(head("Transfer-Encoding: chunked"), *[b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 100), OversizedAnswer),
        (whole(gzip.compress(b"x" * 10_000_000), "Content-Encoding: gzip"), aiohttp.ClientPayloadError),
        (whole(b"x", "Content-Encoding: br"), aiohttp.ClientPayloadError),
        (raw(head("Content-Length: 50"), b"x" * 49), aiohttp.ClientPayloadError),
        (raw(head("Transfer-Encoding: chunked"), b"5\r\nxxxxx\r\n"), aiohttp.ClientPayloadError),
        (raw(head("Transfer-Encoding: chunked"), b"zz\r\n"), aiohttp.ClientError),
    ],
    ids=["longer", "9 GB", "unbounded", "chunks", "bomb", "compressed", "broken off", "last chunk", "no chunk"],
)
async def test_other_bodies_are_not_read(
    session: aiohttp.ClientSession, answer: Answer, error: type[Exception]
) -> None:
    """U1: A body that is too long, compressed or broken off is an error, and is neither kept nor inflated."""
    async with loopback(answer) as server:
        with pytest.raises(error):
            async with session.get(server.url) as response:
                await read_bounded(response, 100)


async def test_an_upstreams_cookies_are_not_kept(session: aiohttp.ClientSession) -> None:
    """P5: A cookie from one caller's answer is not sent with the next caller's question."""
    async with loopback(whole(b"", "Set-Cookie: directus_session_token=x; Path=/")) as server:
        named = server.url.replace("127.0.0.1", "localhost")  # no cookie is kept for a bare address anyway
        for _ in range(2):
            async with session.get(named) as response:
                await read_bounded(response, 100)

    assert all(b"cookie" not in request.lower() for request in server.requests)


async def test_no_proxy_comes_from_the_environment(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1: A proxy named in the environment does not see the tokens."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with loopback(whole(b"ok")) as server, session.get(server.url) as response:
        assert await read_bounded(response, 100) == b"ok"


async def test_a_request_describes_the_service(session: aiohttp.ClientSession) -> None:
    """P5: A request names the service without a version, and asks for uncompressed bodies."""
    async with loopback(whole(b"")) as server, session.get(server.url):
        pass

    assert b"\r\nUser-Agent: directus-stripe-sidecar\r\n" in server.requests[0]
    assert b"\r\nAccept-Encoding: identity\r\n" in server.requests[0]


async def test_a_pool_has_so_many_connections_and_no_more() -> None:
    """U5: Requests beyond the pool's size wait for a connection instead of opening another."""
    now, peak, two_at_once = 0, 0, asyncio.Event()

    async def together(writer: asyncio.StreamWriter) -> None:
        nonlocal now, peak
        now += 1
        peak = max(peak, now)
        if now == 2:
            two_at_once.set()
        await two_at_once.wait()
        for _ in range(200):  # turns of the loop in which a third could arrive
            await asyncio.sleep(0)
        now -= 1
        await whole(b"ok")(writer)

    async with open_session(total=5, connect=1, connections=2) as session, loopback(together) as server:
        await asyncio.gather(*(_get(session, server.url) for _ in range(6)))

    assert peak == 2


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as response:
        await read_bounded(response, 100)
