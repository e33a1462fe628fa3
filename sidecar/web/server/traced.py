"""The span of a request that is served (opentelemetry.io, "Semantic conventions for HTTP spans").

Attributes have the route and never the path, which has IDs of customers, nor the query, which may have a token.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from sidecar import context, tracing
from sidecar.web.keys import NOTES, OPERATION, OUTCOME, TRACER, VERDICT
from sidecar.web.server.leaving import ClientGone

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"})
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})  # asked every few seconds, and nobody looks for them
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def traced(request: web.Request, handler: _Handler) -> web.StreamResponse:
    route = _route(request)
    if route in _UNTRACED:
        return await handler(request)
    span = _begin(request, route)
    before = tracing.current.set(span)
    ended: BaseException | str | None = None
    try:
        response = await handler(request)
        span.set("http.response.status_code", response.status)
        ended = str(response.status) if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else None
    except ClientGone:
        ended = asyncio.CancelledError()  # that is what it was before the guard ended it
        raise
    except BaseException as error:
        ended = error
        raise
    finally:
        tracing.current.reset(before)
        _describe(request, span)
        span.end(ended)
    return response


def _route(request: web.Request) -> str | None:
    """Give the route with its variables as `{name}`, None where no route is meant."""
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical


def _begin(request: web.Request, route: str | None) -> tracing.Span:
    known = request.method in _METHODS
    name = request.method if known else "HTTP"
    said = request.headers.getall("traceparent", [])
    span = request.app[TRACER].begin(name if route is None else f"{name} {route}", said)
    context.note("trace_id", span.trace_id)
    span.set("http.request.method", request.method if known else "_OTHER")
    span.set("url.scheme", request.scheme)
    if route is not None:
        span.set("http.route", route)
    return span


def _describe(request: web.Request, span: tracing.Span) -> None:
    """Add what is known at the end, in the words of the log and of the metrics."""
    for name, key in (("operation", OPERATION), ("verdict", VERDICT), ("outcome", OUTCOME)):
        if key in request:
            span.set(f"sidecar.{name}", request[key])
    span.set("sidecar.request_id", str(request[NOTES]["request_id"]))
