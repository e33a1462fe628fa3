"""Writes a list while it is still being fetched, so that memory contains some pages and not the account.

An error before the first byte is raised and becomes an answer. Each form reports a later one in its own way; an
unforeseen one breaks the connection in both.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import orjson
from aiohttp import web

from sidecar.core.envelope import error_body
from sidecar.core.operations.list_query import RenderedPage
from sidecar.errors import SidecarError
from sidecar.web.answers.sending import BrokenOff, in_time

_log = logging.getLogger(__name__)
_WRITE_TIMEOUT = 60.0  # seconds that a client may take to read a page
_PIECE = 2**16  # bytes; of a whole page the connection's buffer would keep a copy for a slow client


@dataclass(frozen=True, slots=True)
class _Body:
    """A response that has begun, and the pages for it. `limit` is in seconds, for each page."""

    request: web.Request
    response: web.StreamResponse
    pages: AsyncIterator[RenderedPage]
    limit: float

    async def write(self, before: bytes, payload: bytes) -> None:
        await in_time(self.request, self._write_in_pieces(before, payload), self.limit)

    async def end(self, chunk: bytes) -> None:
        await in_time(self.request, self.response.write_eof(chunk), self.limit)

    async def _write_in_pieces(self, before: bytes, payload: bytes) -> None:
        await self.response.write(before + payload[:_PIECE])
        rest = memoryview(payload)
        for start in range(_PIECE, len(payload), _PIECE):
            await self.response.write(rest[start : start + _PIECE])


async def stream_array(
    request: web.Request, pages: AsyncGenerator[RenderedPage], *, write_timeout: float = _WRITE_TIMEOUT
) -> web.StreamResponse:
    """Send everything as one JSON array.

    A late error raises BrokenOff: neither the array's end nor HTTP's last chunk is sent, so the client cannot mistake
    a part for the whole.
    """
    async with _begun(request, pages, "application/json; charset=utf-8", write_timeout) as body:
        before = b"["
        try:
            async for page in body.pages:
                await body.write(before, page.payload)
                before = b","
                del page  # it is not counted any more once the next one is asked for
        except SidecarError as error:
            _log_late(error)
            raise BrokenOff from error
        await body.end(b"[]" if before == b"[" else b"]")
        return body.response


async def stream_lines(
    request: web.Request,
    pages: AsyncGenerator[RenderedPage],
    *,
    show_cursor: bool,
    write_timeout: float = _WRITE_TIMEOUT,
) -> web.StreamResponse:
    """Send one object per line; the last line says that the list is complete, or why not and where to continue."""
    async with _begun(request, pages, "application/x-ndjson; charset=utf-8", write_timeout) as body:
        count, cursor = 0, None
        end: dict[str, object] = {}
        try:
            async for page in body.pages:
                await body.write(b"", page.payload)
                count, cursor = count + len(page.ids), page.ids[-1]
                del page
        except SidecarError as error:
            _log_late(error)
            end = {**error_body(error), **({"starting_after": cursor} if show_cursor else {})}
        await body.end(orjson.dumps({"complete": not end, "count": count, **end}) + b"\n")
        return body.response


@asynccontextmanager
async def _begun(
    request: web.Request, pages: AsyncGenerator[RenderedPage], content_type: str, write_timeout: float
) -> AsyncIterator[_Body]:
    """Begin a response once its first page has come; fetching stops when the response ends, for whatever reason."""
    async with aclosing(pages):
        first = await _first(pages)
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        try:
            yield _Body(request, response, _again(first, pages), write_timeout)
        except ConnectionError:
            raise
        except Exception as error:  # the middleware would write its answer into the middle of this response
            _log.exception("unexpected error")
            raise BrokenOff from error


async def _first(pages: AsyncIterator[RenderedPage]) -> list[RenderedPage]:
    async for page in pages:
        return [page]
    return []


async def _again(first: list[RenderedPage], rest: AsyncIterator[RenderedPage]) -> AsyncIterator[RenderedPage]:
    """Give the first page, which is in memory here no longer than the others, and the rest."""
    while first:
        yield first.pop()
    async for page in rest:
        yield page
        del page


def _log_late(error: SidecarError) -> None:
    _log.warning("list broken off", extra={"code": error.code, "detail": error.detail})
