"""Sends to clients that may not read: what is not sent yet takes memory, and its request keeps its place."""

import asyncio
from collections.abc import Awaitable

from aiohttp import web

_WRITE_TIMEOUT = 60.0  # seconds for the client to read all but the last of it


class BrokenOff(ConnectionError):
    """Ends a response that has begun, together with its connection."""


async def send(request: web.Request, response: web.StreamResponse, *, write_timeout: float = _WRITE_TIMEOUT) -> None:
    """Write an answer that is complete until the rest of it fits into the connection's buffer.

    Does nothing for a stream, which was written already. Raises as `in_time` does.
    """
    if not response.prepared:
        await in_time(request, _write(request, response), write_timeout)


async def in_time(request: web.Request, writing: Awaitable[None], limit: float) -> None:
    """Write within `limit` seconds.

    Raises BrokenOff when the client does not read in time; aiohttp raises ConnectionError when it has gone.
    """
    try:
        async with asyncio.timeout(limit):
            await writing
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()  # closing would wait for the client to read
        raise BrokenOff("the client does not read its answer") from None


async def _write(request: web.Request, response: web.StreamResponse) -> None:
    await response.prepare(request)
    await response.write_eof()
