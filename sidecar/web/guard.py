"""The gate is a type: a guarded handler takes a `Call`, and only `guard` makes one, after the gate let it in.

There is no middleware that authenticates, hence no list of paths it should leave out.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from sidecar.core.operations.list_query import ListQuery, parse_list_query
from sidecar.core.operations.row import Kind, Operation, named_object
from sidecar.core.operations.rules import Rule
from sidecar.errors import InvalidQuery
from sidecar.web.admission.caller import Caller
from sidecar.web.admission.gate import TOKEN_PARAMETER
from sidecar.web.keys import CAPACITY, GATE, OPERATION
from sidecar.web.requests.bodies import Reader


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be served: well-formed for its operation, and its caller let in.

    Of a list `filters` are the parameters that choose, of anything else `reader` reads the body.
    """

    rule: Rule
    request: web.Request
    caller: Caller
    reader: Reader
    query: ListQuery
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        return self.rule.operation

    @property
    def object_id(self) -> str | None:
        return named_object(self.operation, self.request.match_info)


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


def guard(
    rule: Rule, handler: Handler, return_urls: Collection[str] = ()
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Let `handler` see only requests that are well-formed for the operation and that Directus allows."""
    reader = Reader(rule, return_urls)

    async def guarded(request: web.Request) -> web.StreamResponse:
        request[OPERATION] = rule.operation.name
        with request.app[CAPACITY].place():
            query, filters = _query(rule, reader, request)
            caller = await request.app[GATE].admit(request, rule)
            return await handler(Call(rule, request, caller, reader, query, filters))

    return guarded


def _query(rule: Rule, reader: Reader, request: web.Request) -> tuple[ListQuery, Mapping[str, str]]:
    parameters = [(name, value) for name, value in request.query.items() if name != TOKEN_PARAMETER]
    if rule.operation.kind is Kind.LIST:
        query, others = parse_list_query(parameters, rule.operation)
        return query, reader.filters(others)
    if parameters:
        raise InvalidQuery("This route takes no parameters.")
    return ListQuery(), {}
