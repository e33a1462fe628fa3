"""What is done once the guard has let a caller in. One handler a kind of operation, none a route of its own."""

import orjson
from aiohttp import web

from sidecar.core.creation import Creator, Outcome, create_customer, create_customer_for_item
from sidecar.core.interfaces import Pages, StripeObject
from sidecar.core.operations import Kind, Operation, Scoping, named_customer
from sidecar.core.permissions import Action, AllowedFields
from sidecar.core.projection import View
from sidecar.errors import InvalidPayload
from sidecar.web.bodies import read_customer, read_key
from sidecar.web.gate import Caller
from sidecar.web.guard import Handler
from sidecar.web.keys import EXPOSE_SECRETS, FIELD_MAP, GATE, HEALTH, SCOPED, STRIPE, WRITE_BACK
from sidecar.web.streams import stream_array


async def _list(operation: Operation, request: web.Request, caller: Caller) -> web.StreamResponse:
    return await stream_array(request, _pages(operation, request, caller), _view(request, caller, Action.READ))


def _pages(operation: Operation, request: web.Request, caller: Caller) -> Pages:
    if not caller.scope.everything:
        scoped, customers = request.app[SCOPED], caller.scope.customers
        by_identity = operation.scoping is Scoping.IDENTITY
        return (scoped.customers if by_identity else scoped.filtered)(operation.stripe, customers)
    customer = named_customer(operation, request.match_info)
    return request.app[STRIPE].pages(operation.stripe, {} if customer is None else {"customer": customer})


async def _retrieve(operation: Operation, request: web.Request, caller: Caller) -> web.StreamResponse:
    customer = str(named_customer(operation, request.match_info))
    found = await request.app[STRIPE].retrieve(operation.stripe, customer)
    return _json(_view(request, caller, Action.READ).project(found))


async def _create_customer(_operation: Operation, request: web.Request, caller: Caller) -> web.StreamResponse:
    write_back = request.app[WRITE_BACK]
    new = await read_customer(request, write_back=write_back is not None)
    unwritable = request.app[FIELD_MAP].unwritable(new.attributes, caller.fields(Action.CREATE))
    if unwritable:
        raise InvalidPayload(f"{unwritable[0]}: your permission to create allows no field that stands for it.")
    key = read_key(request)
    if write_back is not None and new.item is None and key is not None:
        raise InvalidPayload("Idempotency-Key: here the item is the key. Create it first and send its key as `item`.")
    creator = Creator(caller.credential, request.app[GATE].may_read(caller), key)
    stripe = request.app[STRIPE]
    if write_back is None:
        return _created(await create_customer(new, creator, stripe), request, caller)
    return _created(await create_customer_for_item(new, creator, stripe, write_back), request, caller)


def _created(outcome: Outcome, request: web.Request, caller: Caller) -> web.Response:
    """Show the creator what it sent and the new ID; of a customer that was there already, what it may read."""
    if not outcome.created:
        return _json(_view(request, caller, Action.READ).project(outcome.customer))
    customer = _view(request, caller, Action.READ, Action.CREATE).project(outcome.customer)
    customer["id"] = outcome.customer["id"]
    if not outcome.pending:
        return _json(customer, status=201)
    return _json({**customer, "write_back": "pending"}, status=201, headers={"X-Write-Back": "pending"})


def _view(request: web.Request, caller: Caller, *actions: Action) -> View:
    fields = AllowedFields(frozenset().union(*(caller.fields(action).names for action in actions)))
    return View.of(fields, request.app[FIELD_MAP], secrets=request.app[EXPOSE_SECRETS])


def _json(body: StripeObject, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json", headers=headers)


HANDLERS: dict[Kind, Handler] = {
    Kind.LIST: _list,
    Kind.RETRIEVE: _retrieve,
    Kind.CREATE_CUSTOMER: _create_customer,
}


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
