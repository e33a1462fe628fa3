"""What is done once the guard has let a caller in. One handler a kind of operation, none a route of its own."""

import orjson
from aiohttp import web

from sidecar.core.creation import Outcome, create_customer
from sidecar.core.operations import Kind, Operation, stripe_filters
from sidecar.core.projection import without_secrets
from sidecar.web.bodies import read_customer
from sidecar.web.gate import Caller
from sidecar.web.guard import Handler
from sidecar.web.keys import EXPOSE_SECRETS, HEALTH, STRIPE, WRITE_BACK
from sidecar.web.streams import stream_array


async def _list(operation: Operation, request: web.Request, _caller: Caller) -> web.StreamResponse:
    pages = request.app[STRIPE].pages(operation.stripe, stripe_filters(operation, request.match_info))
    return await stream_array(request, pages, lambda page: _projected(request, page))


async def _create_customer(_operation: Operation, request: web.Request, caller: Caller) -> web.StreamResponse:
    write_back = request.app[WRITE_BACK]
    new = await read_customer(request, write_back=write_back is not None)
    outcome = await create_customer(new, caller.credential, request.app[STRIPE], write_back)
    return _created(request, outcome)


def _created(request: web.Request, outcome: Outcome) -> web.Response:
    customer = _projected(request, outcome.customer)
    headers = {}
    if outcome.pending and isinstance(customer, dict):
        customer["write_back"] = headers["X-Write-Back"] = "pending"
    return web.Response(
        body=orjson.dumps(customer),
        status=201 if outcome.created else 200,
        content_type="application/json",
        headers=headers,
    )


def _projected(request: web.Request, value: object) -> object:
    return value if request.app[EXPOSE_SECRETS] else without_secrets(value)


HANDLERS: dict[Kind, Handler] = {Kind.LIST: _list, Kind.CREATE_CUSTOMER: _create_customer}


async def healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """Ready unless draining or useless: a Directus or Stripe that is down is no reason to take this pod away."""
    health = request.app[HEALTH]
    if health.draining:
        return web.json_response({"status": "draining"}, status=503)
    if health.key_rejected():
        health.start_probe()
        return web.json_response({"status": "unusable", "reason": "Stripe rejects the key"}, status=503)
    return web.json_response({"status": "ready"})
