"""Sends an answer that is complete, so that its request keeps its place until the client has nearly all of it."""

from aiohttp import web

from sidecar.web.answers.sending import BrokenOff, in_time
from sidecar.web.server.connection import Connection

_WRITE_TIMEOUT = 60.0  # seconds for the client to read all but the last of it


async def send(request: web.Request, response: web.StreamResponse, *, write_timeout: float = _WRITE_TIMEOUT) -> None:
    """Write until the rest of the answer fits into the connection's buffer.

    Does nothing for a stream, which was written already. Raises BrokenOff where the client does not read in time, which
    cuts it off, and ConnectionError where it has gone.
    """
    if response.prepared:
        return
    if isinstance(request.protocol, Connection):
        request.protocol.expect_reader(write_timeout)  # most are written at once, and need no timer of their own
        await _write(request, response)
        if request.transport is None:  # aiohttp's waiting then ends as if all was well
            raise BrokenOff("the client has gone, or does not read its answer")
    else:
        await in_time(request, _write(request, response), write_timeout)


async def _write(request: web.Request, response: web.StreamResponse) -> None:
    await response.prepare(request)
    await response.write_eof()
