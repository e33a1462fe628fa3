"""One connection, where aiohttp's own way would tell too much or wait too long.

aiohttp answers a request that it cannot parse with the text it could not parse, and logs it. A token may
stand there. The stock access log prints the query string, where a token may stand as well. And it has no deadline for
a client that never finishes its headers, or never reads its answer.
"""

import asyncio
import logging
from contextlib import suppress

from aiohttp import hdrs, web
from aiohttp.abc import AbstractAccessLogger

from sidecar.core.envelope import error_body
from sidecar.errors import RequestError
from sidecar.web.keys import NOTES, VERDICT

ACCESS = logging.getLogger("sidecar.access")
_log = logging.getLogger(__name__)
_ARRIVING = 15.0  # seconds for a whole request to arrive; longer than a proxy keeps an idle connection
_READING = 60.0  # seconds for a client to read the last of its answer
_GIVEN_UP = 0.2  # seconds for a request that is given up to end
_HEADERS = {
    hdrs.SERVER: "directus-stripe-sidecar",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
}


def log_line(request: web.BaseRequest, status: int | str, seconds: float) -> None:
    """One line a request: method, path without its query, status, milliseconds, and what was noted on its way."""
    line: dict[str, object] = {"method": request.method, "path": request.rel_url.raw_path, "status": status}
    verdict = {"reason": request[VERDICT]} if VERDICT in request else {}
    ACCESS.info("request", extra={**line, "ms": round(seconds * 1000, 1), **request.get(NOTES, {}), **verdict})


class AccessLogger(AbstractAccessLogger):
    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        log_line(request, response.status, time)


class Connection(web.RequestHandler):
    """It is cut where its client keeps it waiting for longer than a deadline."""

    _deadline: asyncio.TimerHandle | None = None

    def __init__(
        self, manager: web.Server, arriving: float = _ARRIVING, reading: float = _READING, **options: object
    ) -> None:
        super().__init__(manager, **options)  # type: ignore[arg-type]  # aiohttp's own, passed on
        self._arriving, self._reading = arriving, reading

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._expect(self._arriving)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.attend()
        super().connection_lost(exc)

    def attend(self) -> None:
        """A whole request is there: the deadline is for its handler to keep."""
        if self._deadline is not None:
            self._deadline.cancel()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Give the client a time to read what the handler left to be sent, then one to ask again."""
        self._expect(self._reading)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._expect(self._arriving)

    def _expect(self, seconds: float) -> None:
        self.attend()
        if self.transport is not None:
            # The transport is kept here, since aiohttp lets go of one that it has closed and that nobody reads.
            self._deadline = asyncio.get_running_loop().call_later(seconds, self._cut, self.transport)

    def _cut(self, transport: asyncio.Transport) -> None:
        self.force_close()
        transport.abort()

    @property
    def on_its_way(self) -> bool:
        """Whether the first request of this connection is still to come, or the rest of one's body."""
        if self._current_request is not None:
            return not self._current_request.content.is_eof()
        return self._request_count == 0 and self.transport is not None

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - aiohttp's signature
        """Let the request under way end, and be read, within `timeout`; aiohttp would wait as long again after it."""
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
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's words, which quote the request
    ) -> web.StreamResponse:
        """Answer what could not be parsed without repeating it. A response that has begun is cut off."""
        if isinstance(exc, ConnectionError) or (request.writer is not None and request.writer.output_size > 0):
            raise ConnectionError("there is nobody to tell, or the response has begun and cannot become another one")
        _log.warning("request refused by the parser", extra={"status": status, "reason": type(exc).__name__})
        body = error_body(RequestError("The request is not proper HTTP, or one of its lines is too long."))
        response = web.json_response(body, status=status, headers=_HEADERS)
        response.force_close()
        return response
