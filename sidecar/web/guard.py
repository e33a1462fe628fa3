"""The gate is a type: a guarded handler takes a `Call`, and only `guard` makes one, after the gate let it in.

There is no middleware that authenticates, hence no list of paths it should leave out.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from sidecar.core.listing import ListQuery, parse_list_query
from sidecar.core.operations import Kind, Operation
from sidecar.errors import InvalidQuery
from sidecar.web.gate import TOKEN_PARAMETER, Caller
from sidecar.web.keys import CAPACITY, GATE
from sidecar.web.middlewares import OPERATION


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be served: well-formed for its operation, and its caller let in."""

    operation: Operation
    request: web.Request
    caller: Caller
    query: ListQuery


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


def guard(operation: Operation, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Let `handler` see only requests that are well-formed for `operation` and that Directus allows."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        request[OPERATION] = operation.name
        with request.app[CAPACITY].place():
            query = _query(operation, request)
            caller = await request.app[GATE].admit(request, operation)
            return await handler(Call(operation, request, caller, query))

    return guarded


def _query(operation: Operation, request: web.Request) -> ListQuery:
    parameters = [(name, value) for name, value in request.query.items() if name != TOKEN_PARAMETER]
    if operation.kind is Kind.LIST:
        return parse_list_query(parameters)
    if parameters:
        raise InvalidQuery("This route takes no parameters.")
    return ListQuery()
