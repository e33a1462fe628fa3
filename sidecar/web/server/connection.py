"""One connection, with other behavior where aiohttp's would reveal too much or wait too long.

aiohttp answers a request that it cannot parse with the text that it could not parse, and logs it; that text may
contain a token. Its access log prints the query string, which may contain a token too. It has no deadline for a client
that never finishes its headers, or never reads its answer, and one deadline for a connection that waits and for one
that has half a request.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import unquote

from aiohttp import hdrs, web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import LineTooLong

from sidecar.core.envelope import error_body
from sidecar.core.secret_values import ALL as SECRETS
from sidecar.errors import HeadTooLarge, RequestError
from sidecar.web.keys import NOTES, OPERATION, VERDICT
from sidecar.web.server.deadline import Deadline
from sidecar.web.server.measured import HeadTooLong, MeasuredParser

ACCESS = logging.getLogger("sidecar.access")
_RECORD = {"name": ACCESS.name, "levelno": logging.INFO, "levelname": "INFO", "msg": "request"}
_log = logging.getLogger(__name__)
_ARRIVING = 15.0  # seconds for a whole request to arrive: on a new connection, or from its first byte
_READING = 60.0  # seconds for a client to read the last of its answer
_KEEPALIVE = 130.0  # seconds from an answer to the next request's first byte
_GIVEN_UP = 0.2  # seconds for an abandoned request to end
_LINGERING = 1.0  # seconds in which the rest of a refused request is dropped: closing at once would reset its answer
# Of one line: 16 KiB and its name. Node takes 16 KiB for all lines, and 1,000 of them.
_LIMITS = {"max_line_size": 17 * 1024, "max_field_size": 17 * 1024, "max_headers": 1000}
_ESCAPED_ESCAPE = re.compile(r"%(?:25)+")
_DECODINGS = 3  # of a path that is searched
_LONGEST_PATH = 500  # characters of a path in the log; searching all of a long one would take time
_TOO_LARGE = "The headers are too many or too long: 16 KiB each, 80 KiB together and 1,000 of them are the most."
_HEADERS = {
    hdrs.SERVER: "directus-stripe-sidecar",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
}


def log_line(request: web.BaseRequest, status: int | str, seconds: float) -> None:
    """Log one line per request: method, path without its query, status, milliseconds, operation, notes."""
    if not ACCESS.isEnabledFor(logging.INFO):
        return
    line: dict[str, object] = {
        "method": request.method,
        "path": _logged_path(request),
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    line |= request.get(NOTES, {})
    if OPERATION in request:
        line["operation"] = request[OPERATION]
    if VERDICT in request:
        line["reason"] = request[VERDICT]
    # As `ACCESS.info` does, without looking for the place in the code, of which there is one.
    ACCESS.handle(logging.makeLogRecord({**_RECORD, **line}))


def _logged_path(request: web.BaseRequest) -> str:
    """Give the path as far as it is logged.

    A client may write the query with its token into it, escaped or not, or a client secret where an ID belongs.
    """
    path = plain = request.rel_url.raw_path[:_LONGEST_PATH]
    for _ in range(_DECODINGS if "%" in path else 0):
        plain = unquote(_ESCAPED_ESCAPE.sub("%", plain))
    if "token" in plain.lower():  # however access_token is written: no path of ours has the word
        return "(a path with a token)"
    return "(a path with a secret)" if SECRETS.are_in(path) else path


class AccessLogger(AbstractAccessLogger):
    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        log_line(request, response.status, time)


class Connection(web.RequestHandler):
    """Is aborted when its client misses a deadline; `arriving`, `reading` and `keepalive` are in seconds.

    `kept` contains all connections that were answered and wait for another request.
    """

    _answered = False
    _refused = False
    _lost: asyncio.Event | None = None
    on_lost: Callable[[], None] | None = None  # called when the client leaves while its request is being served

    def __init__(
        self,
        manager: web.Server,
        kept: set["Connection"],
        arriving: float = _ARRIVING,
        reading: float = _READING,
        keepalive: float = _KEEPALIVE,
        **options: object,
    ) -> None:
        super().__init__(manager, **_LIMITS, **options)  # type: ignore[arg-type]  # aiohttp's own options, passed on
        self._arriving, self._reading, self._keepalive_seconds = arriving, reading, keepalive
        self._kept = kept
        self._deadline = Deadline(asyncio.get_running_loop(), self._cut)
        # aiohttp drops its own reference to a transport when it closes one that nobody reads.
        self._watched: asyncio.Transport | None = None
        self._measured = MeasuredParser(self._parser)
        self._parser = self._measured  # type: ignore[assignment]  # it has all that aiohttp asks of its parser

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._expect(self._arriving)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.attend()
        self._deadline.end()
        self._watched = None
        if self._lost is not None:
            self._lost.set()
        if self.on_lost is not None:
            self.on_lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._measured.excessive and self.transport is not None:
            self._watched = self.transport
            self._cut()
        elif self._answered:
            self._wait()

    def attend(self) -> None:
        """Cancel the deadline: a request has arrived, and from now on its handler limits the time."""
        self._answered = False
        self._stop_waiting()

    def expect_reader(self, seconds: float) -> None:
        """Set a deadline for the client to read an answer, until its last part is sent."""
        self._expect(seconds)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Set a deadline for the client to read the rest of the answer, then one for its next request."""
        self._expect(self._reading)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            # aiohttp keeps a connection's last request, which must not keep an application that has ended.
            vars(request).pop("_match_info", None)
            request._cache.pop("match_info", None)  # noqa: SLF001 - where aiohttp keeps what it has worked out
            self._expect(self._arriving)
            self._answered = bool(resp.keep_alive)
            if self._answered:
                self._wait()
            if self._refused and self.transport is not None:
                await self._drop_rest(self.transport)

    async def _drop_rest(self, transport: asyncio.Transport) -> None:
        """End our side, and wait for the client to end its own, so that it can read the answer."""
        self._lost = asyncio.Event()
        self.close()  # from now on what comes is dropped
        with suppress(
            TimeoutError, OSError
        ):  # an OSError where the client has just gone, which asyncio did not see yet
            transport.write_eof()
            await asyncio.wait_for(self._lost.wait(), _LINGERING)

    def _wait(self) -> None:
        """Wait for the next request: long until its first byte, and from then on as long as for a first request."""
        if not self._measured.between:
            if self in self._kept:
                self._expect(self._arriving)
        else:
            self._expect(self._keepalive_seconds)
            self._kept.add(self)

    def _expect(self, seconds: float) -> None:
        self._stop_waiting()
        if self.transport is not None:
            self._watched = self.transport
            self._deadline.move(seconds)

    def _stop_waiting(self) -> None:
        self._kept.discard(self)
        self._deadline.lift()

    def _cut(self) -> None:
        watched = self._watched
        self.force_close()
        if watched is not None:
            watched.abort()

    @property
    def on_its_way(self) -> bool:
        """Whether a first request, or the rest of one, has not arrived yet."""
        if self._current_request is not None:
            return not self._current_request.content.is_eof()
        return self.transport is not None and (self._request_count == 0 or not self._measured.between)

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
        self._refused = True
        error = HeadTooLarge(_TOO_LARGE) if _is_too_large(exc) else RequestError("The request is not proper HTTP.")
        status = status if status >= HTTPStatus.INTERNAL_SERVER_ERROR else error.status
        _log.warning("request refused by the parser", extra={"status": status, "reason": type(exc).__name__})
        response = web.json_response(error_body(error), status=status, headers=_HEADERS)
        response.force_close()
        return response


def _is_too_large(exc: BaseException | None) -> bool:
    """aiohttp has no class of its own for too many headers."""
    return isinstance(exc, HeadTooLong | LineTooLong) or str(getattr(exc, "message", "")).startswith("Too many headers")
