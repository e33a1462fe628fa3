"""The server's edge: aiohttp's connection handling where its own way would tell too much.

aiohttp answers a request that it cannot parse with the text it could not parse, and logs it. A token may
stand there. The stock access log prints the query string, where a token may stand as well.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from sidecar.core.envelope import error_body
from sidecar.errors import RequestError
from sidecar.web.middlewares import NOTES

_log = logging.getLogger(__name__)
_DEADLINE = 15.0  # seconds for a whole request to arrive; longer than a proxy keeps an idle connection


class AccessLogger(AbstractAccessLogger):
    """One line a request: method, path without its query, status, milliseconds, and what was noted on its way."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        line: dict[str, object] = {"method": request.method, "path": request.rel_url.raw_path, "status": response.status}
        self.logger.info("request", extra={**line, "ms": round(time * 1000, 1), **request.get(NOTES, {})})


class Protocol(web.RequestHandler):
    """A connection. One that brings no whole request within a deadline, at first or again, is closed.

    aiohttp has no such deadline of its own for a connection that never finishes its first headers.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.attend()
        super().connection_lost(exc)

    def attend(self) -> None:
        """A whole request is there: the deadline is for its handler to keep."""
        if self._deadline is not None:
            self._deadline.cancel()

    def log_access(self, request: web.BaseRequest, response: web.StreamResponse, time: float | None) -> None:
        super().log_access(request, response, time)
        self._expect()

    def _expect(self) -> None:
        self.attend()
        self._deadline = asyncio.get_running_loop().call_later(_DEADLINE, self.force_close)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's words, which quote the request
    ) -> web.StreamResponse:
        """Answer what could not be parsed without repeating it. A response that has begun is cut off."""
        if request.writer is not None and request.writer.output_size > 0:
            raise ConnectionError("the response has begun and cannot become another one")
        _log.warning("request refused by the parser", extra={"status": status, "reason": type(exc).__name__})
        body = error_body(RequestError("The request is not proper HTTP, or one of its lines is too long."))
        response = web.json_response(body, status=status, headers={"Server": "directus-stripe-sidecar"})
        response.force_close()
        return response


@web.middleware
async def attended(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Tell the connection that a request has arrived."""
    if isinstance(request.protocol, Protocol):
        request.protocol.attend()
    return await handler(request)


class Runner(web.AppRunner):
    """aiohttp's runner with the protocol and the access log above."""

    @property
    def server(self) -> Callable[[], asyncio.Protocol] | None:  # type: ignore[override]  # a site only calls it
        manager = super().server
        if manager is None:
            return None
        return partial(
            Protocol,
            manager,
            loop=asyncio.get_running_loop(),
            access_log_class=AccessLogger,
            access_log=logging.getLogger("sidecar.access"),
        )
