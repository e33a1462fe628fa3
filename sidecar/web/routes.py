"""The routes: one behind the guard for each enabled operation, and the platform's, which have no guard."""

from collections.abc import Collection, Sequence

from aiohttp import web

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.operations.rules import Rule
from sidecar.web import platform_routes
from sidecar.web.admission.origins import preflights
from sidecar.web.guard import guard
from sidecar.web.handlers import HANDLERS


def routes(
    prefix: str, rules: Sequence[Rule], customers: CustomersCollection, return_urls: Collection[str]
) -> list[web.RouteDef]:
    # Paths without a variable first: aiohttp takes the first that matches.
    ordered = sorted(rules, key=lambda rule: "{" in rule.operation.path)
    return [
        *(_route(prefix, rule, customers, return_urls) for rule in ordered),
        *preflights((prefix + rule.operation.path, rule.operation.method) for rule in ordered),
        web.get("/healthz", platform_routes.healthz, allow_head=False),
        web.get("/readyz", platform_routes.readyz, allow_head=False),
        web.get("/metrics", platform_routes.metrics, allow_head=False),
        web.post("/logout", platform_routes.logout),
    ]


def _route(prefix: str, rule: Rule, customers: CustomersCollection, return_urls: Collection[str]) -> web.RouteDef:
    """Turn HEAD off, which aiohttp serves with every GET: it would read whole lists from Stripe for nothing."""
    operation = rule.operation
    options = {"allow_head": False} if operation.method == "GET" else {}
    handler = guard(rule, rule.requirement(customers), HANDLERS[operation.kind], return_urls)
    return web.RouteDef(operation.method, prefix + operation.path, handler, options)
