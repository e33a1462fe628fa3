"""The routes: one behind the guard for each enabled operation, and the platform's, which have no guard.

An operation of the table that is off has a route too, which says so: it needs no credential and asks nobody, since
the table is public.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence

from aiohttp import hdrs, web

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.operations.row import Operation
from sidecar.core.operations.table import OPERATIONS
from sidecar.errors import OperationOff
from sidecar.web import platform_routes
from sidecar.web.admission.origins import preflights
from sidecar.web.guard import guard
from sidecar.web.handlers import HANDLERS
from sidecar.web.keys import OPERATION
from sidecar.web.requests.bodies import Reader
from sidecar.web.requests.headers import SDK_HEADERS

_Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(prefix: str, readers: Iterable[Reader], customers: CustomersCollection) -> list[web.RouteDef]:
    """Give them in this order: aiohttp takes the first that matches, and looks first at paths without a variable."""
    by_name = {reader.rule.operation.name: reader for reader in readers}
    return [
        *(_route(prefix, reader, customers) for reader in by_name.values()),
        *(_off(prefix, row) for row in OPERATIONS if row.name not in by_name),
        *preflights((prefix + row.path, row.method, SDK_HEADERS if row.sdk_version else ()) for row in OPERATIONS),
        *_other_methods(prefix, [reader.rule.operation for reader in by_name.values()]),
        web.get("/healthz", platform_routes.healthz),
        web.get("/readyz", platform_routes.readyz),
        web.get("/metrics", platform_routes.metrics),
    ]


def logout_route() -> web.RouteDef:
    """Give the route by which the proxy tells of a logout; there is none without a secret that only the proxy knows."""
    return web.post("/logout", platform_routes.logout)


def _route(prefix: str, reader: Reader, customers: CustomersCollection) -> web.RouteDef:
    """Make the route; with GET, aiohttp makes that of HEAD, which has the same handler."""
    rule, operation = reader.rule, reader.rule.operation
    handler = guard(reader, rule.requirement(customers), HANDLERS[operation.kind])
    return web.RouteDef(operation.method, prefix + operation.path, handler, {})


def _off(prefix: str, operation: Operation) -> web.RouteDef:
    async def refuse(request: web.Request) -> web.StreamResponse:
        request[OPERATION] = operation.name
        raise OperationOff(operation.name)

    return web.RouteDef(operation.method, prefix + operation.path, refuse, {})


def _other_methods(prefix: str, on: Sequence[Operation]) -> Iterator[web.RouteDef]:
    """Refuse every other method: aiohttp would name those of operations that are off as allowed.

    It would also take a path without a variable, such as `/customers/search`, for one with an ID.
    """
    allowed: dict[str, set[str]] = {row.path: set() for row in OPERATIONS}
    for operation in on:
        head = {hdrs.METH_HEAD} if operation.method == hdrs.METH_GET else set()
        allowed[operation.path] |= {operation.method, hdrs.METH_OPTIONS, *head}
    for path, methods in allowed.items():
        yield web.route("*", prefix + path, _refusing(methods))


def _refusing(allowed: Collection[str]) -> _Answer:
    """Where no operation of a path is on, there is no such route."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, allowed) if allowed else web.HTTPNotFound

    return refuse
