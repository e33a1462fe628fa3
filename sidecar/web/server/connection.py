"""One connection, with other behavior where aiohttp's would reveal too much or wait too long.

aiohttp answers a request that it cannot parse with the text that it could not parse, and logs it; that text may
contain a token. Its access log prints the query string, which may contain a token too. It has no deadline for a client
that never finishes its headers, or never reads its answer.
"""

import asyncio
import logging
from contextlib import suppress
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.abc import AbstractAccessLogger

from sidecar.core.envelope import error_body
from sidecar.errors import RequestError
from sidecar.web.keys import NOTES, VERDICT

ACCESS = logging.getLogger("sidecar.access")
_log = logging.getLogger(__name__)
_ARRIVING = 15.0  # seconds for a whole request to arrive; longer than a proxy keeps an idle connection
_READING = 60.0  # seconds for a client to read the last of its answer
_GIVEN_UP = 0.2  # seconds for an abandoned request to end
_HEADERS = {
    hdrs.SERVER: "directus-stripe-sidecar",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
}


def log_line(request: web.BaseRequest, status: int | str, seconds: float) -> None:
    """Log one line per request: method, path without its query, status, milliseconds, and the request's notes."""
    line: dict[str, object] = {"method": request.method, "path": request.rel_url.raw_path, "status": status}
    verdict = {"reason": request[VERDICT]} if VERDICT in request else {}
    ACCESS.info("request", extra={**line, "ms": round(seconds * 1000, 1), **request.get(NOTES, {}), **verdict})


class AccessLogger(AbstractAccessLogger):
    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        log_line(request, response.status, time)


class Connection(web.RequestHandler):
    """Is aborted when its client misses a deadline; `arriving` and `reading` are in seconds."""

    _deadline: asyncio.TimerHandle | None = None

    def __init__(
        self, manager: web.Server, arriving: float = _ARRIVING, reading: float = _READING, **options: object
    ) -> None:
        super().__init__(manager, **options)  # type: ignore[arg-type]  # aiohttp's own options, passed on
        self._arriving, self._reading = arriving, reading

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._expect(self._arriving)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.attend()
        super().connection_lost(exc)

    def attend(self) -> None:
        """Cancel the deadline: a request has arrived, and from now on its handler limits the time."""
        if self._deadline is not None:
            self._deadline.cancel()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Set a deadline for the client to read the rest of the answer, then one for its next request."""
        self._expect(self._reading)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._expect(self._arriving)

    def _expect(self, seconds: float) -> None:
        self.attend()
        if self.transport is not None:
            # The timer keeps the transport: aiohttp drops its own reference when it closes one that nobody reads.
            self._deadline = asyncio.get_running_loop().call_later(seconds, self._cut, self.transport)

    def _cut(self, transport: asyncio.Transport) -> None:
        self.force_close()
        transport.abort()

    @property
    def on_its_way(self) -> bool:
        """Whether the first request of this connection has not arrived yet, or the rest of a request's body."""
        if self._current_request is not None:
            return not self._current_request.content.is_eof()
        return self._request_count == 0 and self.transport is not None

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - aiohttp's signature
        """Let the request end, and its answer be read, within `timeout` seconds; aiohttp would wait twice as long."""
        self._force_close = True
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(timeout):
                if self._task_handler is not None:
                    await asyncio.wait([self._task_handler])
                if self.transport is not None:
                    self.transport.set_write_buffer_limits(0)
                    await self._drain_helper()
        await super().shutdown(_GIVEN_UP)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's text, which quotes the request
    ) -> web.StreamResponse:
        """Answer an unparsable request without quoting it. Raises ConnectionError where a response has begun."""
        if isinstance(exc, ConnectionError) or (request.writer is not None and request.writer.output_size > 0):
            raise ConnectionError("the client has gone, or the response has begun and cannot be replaced")
        _log.warning("request refused by the parser", extra={"status": status, "reason": type(exc).__name__})
        body = error_body(RequestError("The request is not proper HTTP, or one of its lines is too long."))
        response = web.json_response(body, status=status, headers=_HEADERS)
        response.force_close()
        return response
