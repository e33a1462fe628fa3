"""Turns every way a request can end into an answer, and puts on each answer what money data needs."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from sidecar.core.envelope import error_body
from sidecar.errors import ContentTooLarge, MethodNotAllowed, RequestError, RouteNotFound, SidecarError

ERROR_CODE = web.RequestKey("ERROR_CODE", str)
_log = logging.getLogger(__name__)
_BY_STATUS: dict[int, tuple[type[RequestError], str]] = {
    404: (RouteNotFound, "There is no such route."),
    405: (MethodNotAllowed, "This route does not have this method."),
    413: (ContentTooLarge, "The body is too long."),
}


@web.middleware
async def envelope(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except SidecarError as error:
        return _answer(request, error)
    except web.HTTPException as error:
        kind, message = _BY_STATUS.get(error.status, (RequestError, "This request cannot be answered."))
        return _answer(request, kind(message), allow=error.headers.get("Allow"))
    except ConnectionError:
        raise  # the client has gone: nobody is left to be told
    except Exception as error:  # noqa: BLE001 - the last place that can turn it into an answer
        _log.exception("unexpected error")
        return _answer(request, SidecarError("Something went wrong here. It has been logged."), cause=error)


def _answer(
    request: web.Request, error: SidecarError, *, allow: str | None = None, cause: Exception | None = None
) -> web.Response:
    request[ERROR_CODE] = error.code
    if error.status >= 500 and cause is None:  # noqa: PLR2004 - the upstreams' failures
        _log.warning("upstream failed", extra={"code": error.code, "detail": error.detail})
    headers = {}
    if allow is not None:
        headers["Allow"] = allow
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return web.json_response(error_body(error), status=error.status, headers=headers)


async def secure(_request: web.Request, response: web.StreamResponse) -> None:
    """Runs for every response before its headers leave."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Server"] = "directus-stripe-sidecar"  # no versions for a stranger to look up
