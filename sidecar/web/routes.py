"""The routes: one for each row of the table, each behind the guard, and those a platform needs, without one."""

from aiohttp import web

from sidecar.core.operations import OPERATIONS
from sidecar.web import service
from sidecar.web.guard import guard
from sidecar.web.handlers import HANDLERS
from sidecar.web.origins import preflights


def routes(prefix: str) -> list[web.RouteDef]:
    guarded = [
        web.route(operation.method, prefix + operation.path, guard(operation, HANDLERS[operation.kind]))
        for operation in OPERATIONS
    ]
    return [
        *guarded,
        *preflights((prefix + operation.path, operation.method) for operation in OPERATIONS),
        web.get("/healthz", service.healthz, allow_head=False),
        web.get("/readyz", service.readyz, allow_head=False),
        web.get("/metrics", service.metrics, allow_head=False),
        web.post("/logout", service.logout),
    ]
