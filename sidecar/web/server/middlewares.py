"""Turns every outcome of a request into an answer, and sets the headers that answers about money need."""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from time import perf_counter

from aiohttp import web

from sidecar import context
from sidecar.core.envelope import error_body
from sidecar.core.outcomes import outcome_of
from sidecar.errors import (
    ContentTooLarge,
    ExpectationFailed,
    MethodNotAllowed,
    RequestError,
    RouteNotFound,
    SidecarError,
)
from sidecar.outcome import Outcome
from sidecar.web.keys import LOGGED_CLIENTS, METRICS, NOTES, OPERATION, ORIGINS, OUTCOME, VERDICT

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{8,64}")
_BY_STATUS: dict[int, tuple[type[RequestError], str]] = {
    HTTPStatus.NOT_FOUND: (RouteNotFound, "There is no such route."),
    HTTPStatus.METHOD_NOT_ALLOWED: (MethodNotAllowed, "This route does not have this method."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (ContentTooLarge, "The body is too long."),
    HTTPStatus.EXPECTATION_FAILED: (ExpectationFailed, "Of all values of Expect only 100-continue can be met."),
}


@web.middleware
async def identified(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Give the request an ID, the proxy's where that is a valid one, and count its outcome."""
    given = request.headers.get("X-Request-Id", "")
    request[NOTES] = context.begin(given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8))
    if (client := request.app[LOGGED_CLIENTS].of(request)) is not None:
        request[NOTES]["client"] = client
    metrics, began = request.app[METRICS], perf_counter()
    status, outcome = "broken", Outcome.BROKEN
    metrics.in_flight += 1
    try:
        response = await handler(request)
        status, outcome = str(response.status), request.get(OUTCOME, Outcome.DONE)
    finally:
        metrics.in_flight -= 1
        operation, verdict = request.get(OPERATION, "none"), request.get(VERDICT, "none")
        metrics.answered(operation, status, verdict, outcome, perf_counter() - began)
    return response


@web.middleware
async def envelope(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except SidecarError as error:
        return _answer(request, error)
    except web.HTTPException as error:
        kind, message = _BY_STATUS.get(error.status, (RequestError, "This request cannot be answered."))
        return _answer(request, kind(message), allow=error.headers.get("Allow"))
    except ConnectionError:
        raise  # the client has gone, so there is nobody to answer
    except Exception as error:
        _log.exception("unexpected error")
        if request.writer.output_size > 0:
            raise ConnectionError("the response has begun and cannot be replaced") from error
        return _answer(request, SidecarError("Something went wrong here. It has been logged."))


def _answer(request: web.Request, error: SidecarError, *, allow: str | None = None) -> web.Response:
    request[OUTCOME] = outcome_of(type(error))
    context.note("code", error.code)
    if error.detail is not None:
        context.note("detail", error.detail)
    headers = {}
    if allow is not None:
        headers["Allow"] = allow
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return web.json_response(error_body(error), status=error.status, headers=headers)


async def secure(request: web.Request, response: web.StreamResponse) -> None:
    """Set headers on every response before it is sent."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Server"] = (
        "directus-stripe-sidecar"  # without versions, which would show an attacker known faults
    )
    if NOTES in request:
        response.headers["X-Request-Id"] = str(request[NOTES]["request_id"])
    request.app[ORIGINS].answer(request, response)
