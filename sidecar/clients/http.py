"""The rules for calls to any upstream.

A connection pool for each upstream, explicit timeouts, no cookies kept, no proxy from the environment, no redirect
followed, and a bound on what is read. Bodies are requested uncompressed and never inflated, so none can be a
decompression bomb.
"""

import re
from collections.abc import Mapping

import aiohttp
from yarl import URL

from sidecar import tracing

_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "directus-stripe-sidecar"}


class OversizedAnswer(aiohttp.ClientPayloadError):
    """The upstream sent more than the bound."""


def open_session(*, total: float | None, connect: float, connections: int, idle: float = 15.0) -> aiohttp.ClientSession:
    """Open the one session of an upstream, which the opener closes; times are in seconds.

    `idle` is how long an unused connection is kept; it must be below the upstream's own limit.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, limit_per_host=connections, keepalive_timeout=idle),
        timeout=aiohttp.ClientTimeout(total=total, connect=None, sock_connect=connect),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        trust_env=False,
        auto_decompress=False,
    )


async def read_bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read a whole body of at most `limit` bytes.

    Raises OversizedAnswer for a longer one and aiohttp.ClientPayloadError for a compressed or broken-off one.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise aiohttp.ClientPayloadError("the answer is compressed, although an uncompressed one was asked for")
    chunks: list[bytes] = []
    length = 0
    while chunk := await response.content.readany():
        chunks.append(chunk)
        length += len(chunk)
        if length > limit:
            response.close()
            raise OversizedAnswer(f"the answer is longer than {limit} bytes")
    return b"".join(chunks)


def traced_call(name: str, method: str, url: URL) -> tracing.Block:
    """Trace the block, which calls this service; the span has its address and nothing else of the URL."""
    block = tracing.span(name, calls=True)
    block.set("http.request.method", method)
    block.set("server.address", url.host or "")
    block.set("server.port", url.port or 0)
    return block


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Read `Retry-After` in whole seconds, a minute at most; None for HTTP's date form, which would need a clock."""
    seconds = re.fullmatch(r"[0-9]{1,5}", headers.get("Retry-After", ""))
    return min(int(seconds[0]), 60) if seconds else None
