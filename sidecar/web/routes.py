"""The routes: one behind the guard for each enabled operation, and the platform's, which have no guard."""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence

from aiohttp import web

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.operations.row import Operation
from sidecar.web import platform_routes
from sidecar.web.admission.origins import preflights
from sidecar.web.guard import guard
from sidecar.web.handlers import HANDLERS
from sidecar.web.requests.bodies import Reader
from sidecar.web.requests.headers import SDK_HEADERS

_VARIABLE = re.compile(r"\{[^}]*\}")


def routes(prefix: str, readers: Iterable[Reader], customers: CustomersCollection) -> list[web.RouteDef]:
    # Paths without a variable first: aiohttp takes the first that matches.
    ordered = sorted(readers, key=lambda reader: "{" in reader.rule.operation.path)
    operations = [reader.rule.operation for reader in ordered]
    return [
        *(_route(prefix, reader, customers) for reader in ordered),
        *preflights((prefix + each.path, each.method, SDK_HEADERS if each.sdk_version else ()) for each in operations),
        *_other_methods(prefix, operations),
        web.get("/healthz", platform_routes.healthz, allow_head=False),
        web.get("/readyz", platform_routes.readyz, allow_head=False),
        web.get("/metrics", platform_routes.metrics, allow_head=False),
    ]


def logout_route() -> web.RouteDef:
    """Give the route by which the proxy tells of a logout; there is none without a secret that only the proxy knows."""
    return web.post("/logout", platform_routes.logout)


def _other_methods(prefix: str, operations: Sequence[Operation]) -> Iterator[web.RouteDef]:
    """Refuse any other method where a path without a variable reads as one with an ID, such as `/customers/search`."""
    methods: dict[str, set[str]] = {}
    for operation in operations:
        methods.setdefault(operation.path, {"OPTIONS"}).add(operation.method)
    with_ids = [re.compile(_VARIABLE.sub("[^/]+", path)) for path in methods if "{" in path]
    for path, allowed in methods.items():
        if "{" not in path and any(one.fullmatch(path) for one in with_ids):
            yield web.route("*", prefix + path, _refusing(allowed))


def _refusing(allowed: Collection[str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def refuse(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, allowed)

    return refuse


def _route(prefix: str, reader: Reader, customers: CustomersCollection) -> web.RouteDef:
    """Turn HEAD off, which aiohttp serves with every GET: it would read whole lists from Stripe for nothing."""
    rule, operation = reader.rule, reader.rule.operation
    options = {"allow_head": False} if operation.method == "GET" else {}
    handler = guard(reader, rule.requirement(customers), HANDLERS[operation.kind])
    return web.RouteDef(operation.method, prefix + operation.path, handler, options)
