"""The gate is a type: a guarded handler takes `(operation, request, caller)`, and only `guard` makes it servable.

There is no middleware that authenticates, hence no list of paths it should leave out.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from sidecar.core.operations import Operation
from sidecar.errors import InvalidQuery
from sidecar.web.gate import TOKEN_PARAMETER, Caller
from sidecar.web.keys import GATE

Handler = Callable[[Operation, web.Request, Caller], Awaitable[web.StreamResponse]]


def guard(operation: Operation, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Let `handler` see only requests that are well-formed for `operation` and that Directus allows."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        _refuse_unknown_parameters(request)
        caller = await request.app[GATE].admit(request, operation)
        return await handler(operation, request, caller)

    return guarded


def _refuse_unknown_parameters(request: web.Request) -> None:
    if set(request.query) - {TOKEN_PARAMETER}:
        raise InvalidQuery("This route takes no parameters.")
