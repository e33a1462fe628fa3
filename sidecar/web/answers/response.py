"""A JSON body as an HTTP response."""

from collections.abc import Mapping

from aiohttp import web


def answer(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
