"""What is done once the guard has let a caller in. One handler a kind of operation, none a route of its own."""

import logging
import secrets
from collections.abc import Mapping

import orjson
from aiohttp import web

from sidecar.core.access.credentials import user_id
from sidecar.core.flows.call import Intent, held_to, perform
from sidecar.core.flows.idempotency import client_key
from sidecar.core.interfaces import Lists
from sidecar.core.operations.parameters import is_owned
from sidecar.core.operations.resources import CUSTOMER
from sidecar.core.operations.row import Customer, Kind, Scoping
from sidecar.errors import InvalidQuery
from sidecar.web.admission.caller import Caller
from sidecar.web.admission.ownership import Hold
from sidecar.web.answers.rendering import Rendering, render_page
from sidecar.web.answers.response import answer
from sidecar.web.answers.streams import stream_array, stream_lines
from sidecar.web.caller_view import sight
from sidecar.web.creating import create_customer, refuse_unwritable
from sidecar.web.guard import Call, Handler
from sidecar.web.keys import GATE, LISTS, NOTES, SCOPED, STRIPE
from sidecar.web.requests.bodies import read_key

_log = logging.getLogger("sidecar.audit")
_NDJSON = "application/x-ndjson"


async def _list(call: Call) -> web.StreamResponse:
    request = call.request
    lists, caller, filters = await _listed(call)
    view = sight(call, caller)
    if call.query.limit is not None:
        page = await lists.page(call.operation.resource.path, filters, call.query)
        return answer(render_page(page, view))
    lines = _NDJSON in request.headers.get("Accept", "")
    leaves = lists.whole(call.operation.resource.path, filters, call.query, Rendering(view, lines))
    if lines:
        names_customers = call.operation.resource is CUSTOMER
        return await stream_lines(request, leaves, show_cursor=not names_customers or view.customer_ids)
    return await stream_array(request, leaves)


async def _listed(call: Call) -> tuple[Lists, Caller, Mapping[str, str]]:
    """Give the lists to ask, for whom, and by what they choose beside that."""
    operation, app = call.operation, call.request.app
    named = {"customer": call.object_id} if operation.names is CUSTOMER and call.object_id else {}
    filters = {**call.filters, **named}
    if "customer" in filters or (operation.resource is CUSTOMER and call.query.cursor is not None):
        app[GATE].require_id_field(call.caller)
    if call.caller.scope.everything:
        if operation.customer is Customer.REQUIRED and "customer" not in filters:
            raise InvalidQuery("customer: is required.")
        return app[LISTS], call.caller, filters
    if operation.scoping is Scoping.IDENTITY:
        caller = await app[GATE].customers(call.caller)
        return app[SCOPED]("id", tuple(caller.scope.customers)), caller, filters
    hold = Hold(app[GATE], call.caller)
    if operation.scoping is Scoping.REFERRED:
        held = await held_to(Intent(operation, values=filters), app[STRIPE], hold)
        [name] = [name for name, value in filters.items() if value in held.objects][:1]
        rest = {other: value for other, value in filters.items() if other != name}
        return app[SCOPED](name, (filters[name],)), hold.caller, rest
    if named or _refers(call):
        await held_to(Intent(operation, call.object_id, filters), app[STRIPE], hold)
        caller = hold.caller
    else:
        caller = await app[GATE].customers(call.caller)
    rest = {name: value for name, value in filters.items() if name != "customer"}
    return app[SCOPED]("customer", tuple(caller.scope.customers)), caller, rest


async def _call(call: Call) -> web.StreamResponse:
    """Retrieve, create, change: one object, for a scoped caller one of its own."""
    app, operation = call.request.app, call.operation
    hold = None if call.caller.scope.everything else Hold(app[GATE], call.caller)
    values = await call.reader.body(call.request) if operation.kind is not Kind.RETRIEVE else {}
    if "customer" in values:
        app[GATE].require_id_field(call.caller)
    if operation.resource is CUSTOMER:
        refuse_unwritable(call, values)
    intent = Intent(operation, call.object_id, values, _key(call))
    found, _ = await perform(intent, app[STRIPE], hold)
    if operation.changes:
        notes: dict[str, object] = call.request[NOTES]
        facts = {"operation": operation.name, "object": found.get("id"), "user": user_id(call.caller.credential)}
        _log.info("changed at Stripe", extra={**notes, **facts})
    view = sight(call, call.caller if hold is None else hold.caller)
    return answer(orjson.dumps(view.project(found)), status=201 if operation.kind is Kind.CREATE else 200)


def _key(call: Call) -> str | None:
    if call.operation.method != "POST":
        return None
    key = read_key(call.request)
    return secrets.token_hex(16) if key is None else client_key(call.caller.credential, call.operation.name, key)


def _refers(call: Call) -> bool:
    """Whether a list is asked for by something whose customer is to be looked up."""
    owned = {parameter.name for parameter in call.operation.taken if is_owned(parameter.type)}
    return not owned.isdisjoint(call.filters)


HANDLERS: dict[Kind, Handler] = {
    Kind.LIST: _list,
    Kind.RETRIEVE: _call,
    Kind.CREATE: _call,
    Kind.ACT: _call,
    Kind.CREATE_CUSTOMER: create_customer,
}
