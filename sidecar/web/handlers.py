"""What is done once the guard has let a caller in. One handler a kind of operation, none a route of its own."""

import logging

import orjson
from aiohttp import web

from sidecar.core.creation import Creator, Outcome, create_customer, create_customer_for_item
from sidecar.core.credentials import user_id
from sidecar.core.operations import Kind, Scoping, named_customer
from sidecar.core.permissions import Action, AllowedFields
from sidecar.core.projection import ScopedView, View
from sidecar.errors import InvalidPayload
from sidecar.web.bodies import read_customer, read_key
from sidecar.web.guard import Call, Handler
from sidecar.web.keys import EXPOSE_SECRETS, FIELD_MAP, GATE, LISTS, METRICS, SCOPED, STRIPE, WRITE_BACK
from sidecar.web.middlewares import NOTES
from sidecar.web.rendering import Rendering, Sight, render_page
from sidecar.web.streams import stream_array, stream_lines

_log = logging.getLogger("sidecar.audit")
_NDJSON = "application/x-ndjson"


async def _list(call: Call) -> web.StreamResponse:
    request, scope, view = call.request, call.caller.scope, _sight(call)
    lists = (
        request.app[LISTS] if scope.everything else request.app[SCOPED](call.operation.scoping, tuple(scope.customers))
    )
    customer = named_customer(call.operation, request.match_info)
    filters = {} if customer is None else {"customer": customer}
    if call.query.limit is not None:
        page = await lists.page(call.operation.stripe, filters, call.query)
        return _json(render_page(page, view))
    lines = _NDJSON in request.headers.get("Accept", "")
    leaves = lists.whole(call.operation.stripe, filters, call.query, Rendering(view, lines))
    if lines:
        names_customers = call.operation.scoping is Scoping.IDENTITY
        return await stream_lines(request, leaves, show_cursor=not names_customers or view.customer_ids)
    return await stream_array(request, leaves)


async def _retrieve(call: Call) -> web.StreamResponse:
    customer = str(named_customer(call.operation, call.request.match_info))
    found = await call.request.app[STRIPE].retrieve(call.operation.stripe, customer)
    return _json(orjson.dumps(_sight(call).project(found)))


async def _create_customer(call: Call) -> web.StreamResponse:
    app, caller = call.request.app, call.caller
    write_back = app[WRITE_BACK]
    new = await read_customer(call.request, write_back=write_back is not None)
    unwritable = app[FIELD_MAP].unwritable(new.attributes, caller.fields(Action.CREATE))
    if unwritable:
        raise InvalidPayload(f"{unwritable[0]}: your permission to create allows no field that stands for it.")
    key = read_key(call.request)
    creator = Creator(caller.credential, app[GATE].may_read(caller), key)
    if write_back is None:
        return await _created(await create_customer(new, creator, app[STRIPE]), call)
    if new.item is None and key is not None:
        raise InvalidPayload("Idempotency-Key: here the item is the key. Create it first and send its key as `item`.")
    return await _created(await create_customer_for_item(new, creator, app[STRIPE], write_back), call)


async def _created(outcome: Outcome, call: Call) -> web.Response:
    """Show the creator what it sent and the new ID; of a customer that was there already, what it may read."""
    _audit(outcome, call)
    if not outcome.created:
        fields = await call.request.app[GATE].seen_of(call.caller, str(outcome.customer["id"]))
        return _json(orjson.dumps(_view(call, fields).project(outcome.customer)))
    fields = AllowedFields(call.caller.fields(Action.READ).names | call.caller.fields(Action.CREATE).names)
    customer = _view(call, fields).project(outcome.customer)
    customer = {**customer, "id": outcome.customer["id"]}
    if not outcome.pending:
        return _json(orjson.dumps(customer), status=201)
    pending = {"write_back": "pending"}
    return _json(orjson.dumps({**customer, **pending}), status=201, headers={"X-Write-Back": "pending"})


def _audit(outcome: Outcome, call: Call) -> None:
    facts = {"customer": outcome.customer["id"], "new": outcome.created, "write_back_pending": outcome.pending}
    notes: dict[str, object] = call.request[NOTES]
    _log.info("customer created", extra={**notes, **facts, "user": user_id(call.caller.credential)})
    if outcome.pending:
        call.request.app[METRICS].pending.inc()


def _sight(call: Call) -> Sight:
    """What a caller sees of what it reads."""
    scope = call.caller.scope
    if scope.everything:
        return _view(call, call.caller.fields(Action.READ))
    return ScopedView({customer: _view(call, fields) for customer, fields in scope.customers.items()})


def _view(call: Call, fields: AllowedFields) -> View:
    return View.of(fields, call.request.app[FIELD_MAP], secrets=call.request.app[EXPOSE_SECRETS])


def _json(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


HANDLERS: dict[Kind, Handler] = {
    Kind.LIST: _list,
    Kind.RETRIEVE: _retrieve,
    Kind.CREATE_CUSTOMER: _create_customer,
}
