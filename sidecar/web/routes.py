"""The routes: one for each row of the table, each behind the guard, and the two that a cluster asks."""

from aiohttp import web

from sidecar.core.operations import OPERATIONS
from sidecar.web.guard import guard
from sidecar.web.handlers import HANDLERS, healthz, readyz


def routes(prefix: str) -> list[web.RouteDef]:
    guarded = [
        web.route(operation.method, prefix + operation.path, guard(operation, HANDLERS[operation.kind]))
        for operation in OPERATIONS
    ]
    return [*guarded, web.get("/healthz", healthz, allow_head=False), web.get("/readyz", readyz, allow_head=False)]
