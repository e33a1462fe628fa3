"""Writes a list while it is still being fetched, so that memory holds some pages and not the account.

An error before the first byte is raised and becomes an answer. What happens to a later one is each form's own.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import orjson
from aiohttp import web

from sidecar.core.envelope import error_body
from sidecar.core.listing import Leaf
from sidecar.errors import SidecarError

_log = logging.getLogger(__name__)
_WRITE_TIMEOUT = 60.0  # seconds that a client may take to read what was written


class BrokenOff(ConnectionError):
    """Ends a response that has begun, together with its connection."""


async def stream_array(request: web.Request, leaves: AsyncGenerator[Leaf]) -> web.StreamResponse:
    """Send everything as one JSON array.

    A late error raises BrokenOff: neither the array's end nor HTTP's last chunk is sent, so what was sent cannot be
    taken for the whole.
    """
    async with _begun(request, leaves, "application/json; charset=utf-8") as (response, pages):
        opening, separator = b"[", b""
        try:
            async for leaf in pages:
                await _write(response, opening + (separator if leaf.ids else b"") + leaf.payload)
                opening, separator = b"", b"," if leaf.ids else separator
        except SidecarError as error:
            _log_late(error)
            raise BrokenOff from error
        await _write(response, b"]")
        await response.write_eof()
        return response


async def stream_lines(request: web.Request, leaves: AsyncGenerator[Leaf], *, show_cursor: bool) -> web.StreamResponse:
    """Send an object a line; the last line says that this was all, or why not and where to go on."""
    async with _begun(request, leaves, "application/x-ndjson; charset=utf-8") as (response, pages):
        count, cursor = 0, None
        end: dict[str, object] = {}
        try:
            async for leaf in pages:
                await _write(response, leaf.payload)
                count, cursor = count + len(leaf.ids), leaf.ids[-1] if leaf.ids else cursor
        except SidecarError as error:
            _log_late(error)
            end = {**error_body(error), **({"starting_after": cursor} if show_cursor else {})}
        await _write(response, orjson.dumps({"complete": not end, "count": count, **end}) + b"\n")
        await response.write_eof()
        return response


@asynccontextmanager
async def _begun(
    request: web.Request, leaves: AsyncGenerator[Leaf], content_type: str
) -> AsyncIterator[tuple[web.StreamResponse, AsyncIterator[Leaf]]]:
    """Begin a response once its first page is there; the fetching ends with the response, whoever ends it."""
    async with aclosing(leaves):
        first = await anext(leaves, None)
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        yield response, _again(first, leaves)


async def _again(first: Leaf | None, leaves: AsyncIterator[Leaf]) -> AsyncIterator[Leaf]:
    yield first or Leaf(b"", (), more=False, newest=0, oldest=0)
    async for leaf in leaves:
        yield leaf


async def _write(response: web.StreamResponse, chunk: bytes) -> None:
    """Raises BrokenOff when the client does not read; aiohttp raises ConnectionError when it has gone."""
    try:
        async with asyncio.timeout(_WRITE_TIMEOUT):
            await response.write(chunk)
    except TimeoutError:
        raise BrokenOff from None


def _log_late(error: SidecarError) -> None:
    _log.warning("list broken off", extra={"code": error.code, "detail": error.detail})
