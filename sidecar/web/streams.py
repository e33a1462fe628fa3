"""Writes a list while it is still being fetched, so that memory holds one page and not the account."""

import logging

import orjson
from aiohttp import web

from sidecar.core.interfaces import Pages, StripeObject
from sidecar.core.projection import View
from sidecar.errors import SidecarError

_log = logging.getLogger(__name__)


class BrokenOff(ConnectionError):
    """Ends a response that has begun, together with its connection."""


async def stream_array(request: web.Request, pages: Pages, view: View) -> web.StreamResponse:
    """Send all pages as one JSON array.

    An error before the first byte is raised and becomes an answer. A later one raises BrokenOff: neither the
    array's end nor HTTP's last chunk is sent, so what was sent cannot be taken for the whole.
    """
    first: list[StripeObject] = await anext(pages, [])
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    await response.prepare(request)
    await response.write(b"[" + _members(first, view))
    separator = b"," if first else b""
    try:
        async for page in pages:
            if page:
                await response.write(separator + _members(page, view))
                separator = b","
    except SidecarError as error:
        _log.warning("list broken off", extra={"code": error.code, "detail": error.detail})
        raise BrokenOff from error
    await response.write_eof(b"]")
    return response


def _members(page: list[StripeObject], view: View) -> bytes:
    return orjson.dumps([view.project(entry) for entry in page])[1:-1]
