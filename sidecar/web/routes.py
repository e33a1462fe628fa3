"""The routes: one for each row of the table, each behind the guard, and those a platform needs, without one."""

from aiohttp import web

from sidecar.core.operations import OPERATIONS, Operation
from sidecar.web import service
from sidecar.web.guard import guard
from sidecar.web.handlers import HANDLERS
from sidecar.web.origins import preflights


def routes(prefix: str) -> list[web.RouteDef]:
    guarded = [_route(prefix + operation.path, operation) for operation in OPERATIONS]
    return [
        *guarded,
        *preflights((prefix + operation.path, operation.method) for operation in OPERATIONS),
        web.get("/healthz", service.healthz, allow_head=False),
        web.get("/readyz", service.readyz, allow_head=False),
        web.get("/metrics", service.metrics, allow_head=False),
        web.post("/logout", service.logout),
    ]


def _route(path: str, operation: Operation) -> web.RouteDef:
    """aiohttp would serve HEAD wherever there is GET, here by paging through Stripe for nothing."""
    options = {"allow_head": False} if operation.method == "GET" else {}
    return web.RouteDef(operation.method, path, guard(operation, HANDLERS[operation.kind]), options)
