"""Sends to clients that may not read: what is not sent yet takes memory, and its request keeps its place."""

import asyncio
from collections.abc import Awaitable

from aiohttp import web


class BrokenOff(ConnectionError):
    """Ends a response that has begun, together with its connection."""


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
