"""Sends an answer that is complete, while its request still has its place: what is not sent yet takes memory."""

import asyncio

from aiohttp import web

_WRITE_TIMEOUT = 60.0  # seconds for the client to read all but the last of it


async def send(request: web.Request, response: web.StreamResponse, *, write_timeout: float = _WRITE_TIMEOUT) -> None:
    """Write the answer until the rest of it fits into the connection's buffer.

    Does nothing for a stream, which was written already. Raises ConnectionError when the client has gone, or does not
    read in time.
    """
    if response.prepared:
        return
    try:
        async with asyncio.timeout(write_timeout):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()  # closing would wait for the client to read
        raise ConnectionError("the client does not read its answer") from None
