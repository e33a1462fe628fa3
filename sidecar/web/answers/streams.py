"""Writes a list while it is still being fetched, so that memory contains some pages and not the account.

A list of one short page is one answer. An error before the first byte is raised and becomes an answer. Each form
reports a later one in its own way; an unforeseen one breaks the connection in both.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

import orjson
from aiohttp import hdrs, web

from sidecar.core.envelope import error_body
from sidecar.core.operations.list_query import RenderedPage
from sidecar.errors import SidecarError
from sidecar.web.answers.coding import Gzip
from sidecar.web.answers.sending import BrokenOff, in_time

_log = logging.getLogger(__name__)
_ARRAY, _LINES = "application/json; charset=utf-8", "application/x-ndjson; charset=utf-8"
_VARIES = {hdrs.VARY: hdrs.ACCEPT_ENCODING}
_WRITE_TIMEOUT = 60.0  # seconds that a client may take to read a page
_PIECE = 2**16  # bytes; of a whole page the connection's buffer would keep a copy for a slow client
_AT_ONCE = 2**18  # bytes of a page that is sent as one answer, as a page is that was asked for with `limit`


@dataclass(frozen=True, slots=True)
class _Body:
    """A response that has begun, and the pages for it. `limit` is in seconds, for each page."""

    request: web.Request
    response: web.StreamResponse
    pages: AsyncIterator[RenderedPage]
    limit: float
    gzip: Gzip | None

    async def write(self, before: bytes, payload: bytes) -> None:
        writing = self._write_in_pieces if self.gzip is None else self._write_compressed
        await in_time(self.request, writing(before, payload), self.limit)

    async def end(self, chunk: bytes) -> None:
        last = chunk if self.gzip is None else self.gzip.end(chunk)
        await in_time(self.request, self.response.write_eof(last), self.limit)

    async def _write_in_pieces(self, before: bytes, payload: bytes) -> None:
        await self.response.write(before + payload[:_PIECE])
        rest = memoryview(payload)
        for start in range(_PIECE, len(payload), _PIECE):
            await self.response.write(rest[start : start + _PIECE])

    async def _write_compressed(self, before: bytes, payload: bytes) -> None:
        assert self.gzip is not None  # noqa: S101 - see `write`
        for piece in self.gzip.page(before + payload):
            if piece:
                await self.response.write(piece)
            await asyncio.sleep(0)  # others have their turn between two pieces of a long page


async def stream_array(
    request: web.Request,
    pages: AsyncGenerator[RenderedPage],
    *,
    gzip: bool = False,
    write_timeout: float = _WRITE_TIMEOUT,
) -> web.StreamResponse:
    """Send everything as one JSON array, with `gzip` compressed where it is not one short page.

    A late error raises BrokenOff: neither the array's end nor HTTP's last chunk is sent, nor that of the compressed
    stream, so the client cannot mistake a part for the whole.
    """
    async with aclosing(pages):
        first, whole = await _first(pages)
        if whole:
            return _answer(_ARRAY, b"[", *(page.payload for page in first), b"]")
        async with _begun(request, _again(first, pages), _ARRAY, write_timeout, gzip=gzip) as body:
            before = b"["
            try:
                async for page in body.pages:
                    await body.write(before, page.payload)
                    before = b","
                    del page  # it is not counted any more once the next one is asked for
            except SidecarError as error:
                _log_late(error)
                raise BrokenOff from error
            await body.end(b"]")
            return body.response


async def stream_lines(
    request: web.Request,
    pages: AsyncGenerator[RenderedPage],
    *,
    show_cursor: bool,
    gzip: bool = False,
    write_timeout: float = _WRITE_TIMEOUT,
) -> web.StreamResponse:
    """Send one object per line; the last line says that the list is complete, or why not and where to continue."""
    async with aclosing(pages):
        first, whole = await _first(pages)
        if whole:
            end = _last_line(sum(len(page.ids) for page in first))
            return _answer(_LINES, *(page.payload for page in first), end)
        async with _begun(request, _again(first, pages), _LINES, write_timeout, gzip=gzip) as body:
            count, cursor = 0, None
            fault: dict[str, object] = {}
            try:
                async for page in body.pages:
                    await body.write(b"", page.payload)
                    count, cursor = count + len(page.ids), page.ids[-1]
                    del page
            except SidecarError as error:
                _log_late(error)
                fault = {**error_body(error), **({"starting_after": cursor} if show_cursor else {})}
            await body.end(_last_line(count, fault))
            return body.response


def without_body(*, lines: bool) -> web.StreamResponse:
    """Give the head of a whole list's answer; how long the list is, and if it is compressed, only the list tells."""
    return web.Response(headers={hdrs.CONTENT_TYPE: _LINES if lines else _ARRAY, **_VARIES})


def _last_line(count: int, fault: Mapping[str, object] = MappingProxyType({})) -> bytes:
    return orjson.dumps({"complete": not fault, "count": count, **fault}) + b"\n"


def _answer(content_type: str, *parts: bytes) -> web.Response:
    return web.Response(body=b"".join(parts), headers={hdrs.CONTENT_TYPE: content_type, **_VARIES})


@asynccontextmanager
async def _begun(
    request: web.Request, pages: AsyncIterator[RenderedPage], content_type: str, write_timeout: float, *, gzip: bool
) -> AsyncIterator[_Body]:
    """Begin a response."""
    coded = {hdrs.CONTENT_ENCODING: "gzip"} if gzip else {}
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: content_type, **_VARIES, **coded})
    await response.prepare(request)
    try:
        yield _Body(request, response, pages, write_timeout, Gzip() if gzip else None)
    except ConnectionError:
        raise
    except Exception as error:  # the middleware would write its answer into the middle of this response
        _log.exception("unexpected error")
        raise BrokenOff from error


async def _first(pages: AsyncIterator[RenderedPage]) -> tuple[list[RenderedPage], bool]:
    """Give the pages that are there when the response begins, and say whether they are all.

    That is the first one, which is written before the next one is awaited, unless it is short and seems to be the last.
    """
    found: list[RenderedPage] = []
    async for page in pages:
        found.append(page)
        if len(found) > 1 or page.more or len(page.payload) > _AT_ONCE:
            return found, False
    return found, True


async def _again(first: list[RenderedPage], rest: AsyncIterator[RenderedPage]) -> AsyncIterator[RenderedPage]:
    """Give the first pages, which are in memory here no longer than the others, and the rest."""
    while first:
        yield first.pop(0)
    async for page in rest:
        yield page
        del page


def _log_late(error: SidecarError) -> None:
    _log.warning("list broken off", extra={"code": error.code, "detail": error.detail})
