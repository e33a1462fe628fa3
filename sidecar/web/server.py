"""The server's edge: aiohttp's connection handling where its own way would tell too much.

aiohttp answers a request that it cannot parse with the text it could not parse, and logs it. A token may
stand there. The stock access log prints the query string, where a token may stand as well.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from sidecar.core.envelope import error_body
from sidecar.errors import RequestError
from sidecar.web.middlewares import ERROR_CODE

_log = logging.getLogger(__name__)


class AccessLogger(AbstractAccessLogger):
    """One line a request: method, path without its query, status, code of an error, milliseconds."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        self.logger.info(
            "request",
            extra={
                "method": request.method,
                "path": request.path,
                "status": response.status,
                "code": request.get(ERROR_CODE),
                "ms": round(time * 1000, 1),
            },
        )


class _Protocol(web.RequestHandler):
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


class Runner(web.AppRunner):
    """aiohttp's runner with the protocol and the access log above."""

    @property
    def server(self) -> Callable[[], asyncio.Protocol] | None:  # type: ignore[override]  # a site only calls it
        manager = super().server
        if manager is None:
            return None
        return partial(
            _Protocol,
            manager,
            loop=asyncio.get_running_loop(),
            access_log_class=AccessLogger,
            access_log=logging.getLogger("sidecar.access"),
        )
