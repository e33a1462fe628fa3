"""What is done once the guard has let a caller in. One handler for each kind of operation, none for a single route."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus

import orjson
from aiohttp import hdrs, web

from sidecar import context
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.policy import Reason
from sidecar.core.flows.call import perform
from sidecar.core.flows.guests import refuse_owned
from sidecar.core.flows.idempotency import client_key
from sidecar.core.flows.operation_stripe import OperationStripe
from sidecar.core.flows.owner import Intent, find_owner
from sidecar.core.interfaces import Choice, Lists, RecentStripe, StripeReads
from sidecar.core.operations.parameters import is_owned
from sidecar.core.operations.resources import CUSTOMER
from sidecar.core.operations.row import CustomerParameter, Kind, Scoping
from sidecar.errors import InvalidPayload, InvalidQuery
from sidecar.web.answers.coding import takes_gzip
from sidecar.web.answers.rendering import Rendering, render_found, render_page
from sidecar.web.answers.response import answer
from sidecar.web.answers.streams import stream_array, stream_lines, without_body
from sidecar.web.caller_view import may_show_secrets, sees_everywhere, shows_secrets, views
from sidecar.web.creating import create_customer, refuse_unwritable
from sidecar.web.guard import Call, Handler
from sidecar.web.keys import LISTS, RECENT, SCOPED, STRIPE
from sidecar.web.requests.headers import read_key, read_sdk_version

_NDJSON = "application/x-ndjson"


async def _list(call: Call) -> web.StreamResponse:
    """Answer a list; to HEAD, whether it could be read, which one object tells: nothing is read whole for nobody."""
    request, path = call.request, call.operation.target(call.object_id)
    _refuse_unseen(call)
    recent = _recent(call)
    lists, filters = await _lists(call, recent)
    seen = views(call)
    if call.query.limit is not None:
        page = await lists.page(path, filters, call.query)
        return answer(render_page(page, await seen.of(page)), headers=_age(recent))
    lines = _NDJSON in request.headers.get("Accept", "")
    if request.method == hdrs.METH_HEAD:
        await lists.page(path, filters, replace(call.query, limit=1))
        return without_body(lines=lines)
    pages, gzip = lists.whole(path, filters, call.query, Rendering(seen, lines)), _compresses(call)
    if lines:
        names_customers = call.operation.resource is CUSTOMER
        show_cursor = not names_customers or seen.customer_ids
        return await stream_lines(request, pages, show_cursor=show_cursor, gzip=gzip)
    return await stream_array(request, pages, gzip=gzip)


def _compresses(call: Call) -> bool:
    """Say whether a long list may be compressed for its client.

    A compressed text is shorter where two parts of it are alike. An attacker that writes one part, has the list asked
    for again and again and sees its length can guess the other part (BREACH). So no list is compressed that shows
    secrets, and none that a page of another site could ask for with nothing but a visitor's cookie.
    """
    who, headers = call.caller.who, call.request.headers
    by_cookie = isinstance(who, Credential) and who.source is Source.COOKIE
    if by_cookie and headers.get("Sec-Fetch-Site") != "same-origin":
        return False
    return takes_gzip(headers.getall(hdrs.ACCEPT_ENCODING, [])) and not may_show_secrets(call)


async def _search(call: Call) -> web.StreamResponse:
    """Answer as Stripe does; the gate lets in only who sees everything."""
    limit = {} if call.query.limit is None else {"limit": str(call.query.limit)}
    page = await call.request.app[STRIPE].page(call.operation.target(None), {**call.filters, **limit})
    body = render_found(page, await views(call).of(page))
    return answer(body, headers={"X-Stripe-Consistency": "eventual"})


def _refuse_unseen(call: Call) -> None:
    """Raise PermissionDenied for a filter by an attribute that the caller does not see of every customer."""
    for parameter in call.reader.parameters:
        if parameter.name in call.filters and parameter.tells and not sees_everywhere(call, parameter.tells):
            raise call.ownership.refusal(Reason.UNSEEN, parameter.name)


def _recent(call: Call) -> RecentStripe:
    return call.request.app[RECENT](may_show_secrets(call))


def _age(recent: RecentStripe) -> dict[str, str]:
    """Say how old an answer is that Stripe was not asked for (RFC 9111, section 5.1)."""
    if recent.age is None:
        return {}
    context.note("age", round(recent.age, 1))
    return {"Age": str(int(recent.age))}


async def _lists(call: Call, stripe: StripeReads) -> tuple[Lists, Mapping[str, str]]:
    """Give the lists that the caller may read, and by what they choose beside that; `stripe` gives their pages."""
    operation = call.operation
    by_path = operation.path_resource is CUSTOMER and not operation.at
    named = {"customer": call.object_id} if by_path and call.object_id else {}
    filters = {**call.filters, **named}
    if "customer" in filters or (operation.resource is CUSTOMER and call.query.cursor is not None):
        call.ownership.require_id_field()
    if not call.caller.has_all_customers:
        return await _own_lists(call, filters, stripe)
    if operation.customer is CustomerParameter.REQUIRED and "customer" not in filters:
        raise InvalidQuery("customer: is required.")
    return call.request.app[LISTS](stripe), filters


async def _own_lists(call: Call, filters: Mapping[str, str], stripe: StripeReads) -> tuple[Lists, Mapping[str, str]]:
    """Give lists of the caller's own customers, or of the one object of theirs by which the list chooses."""
    app, operation, intent = call.request.app, call.operation, Intent(call.operation, call.object_id, filters)
    own, lists = call.ownership, partial(app[SCOPED], stripe)
    if operation.scoping is Scoping.IDENTITY:
        return lists(Choice("id", await own.find_all()), own), filters
    if operation.scoping is Scoping.REFERRED:
        owner = await find_owner(intent, app[STRIPE], own)
        [name] = [name for name, value in filters.items() if value in owner.objects][:1]
        return lists(Choice(name, (filters[name],)), own), _without(name, filters)
    told = bool(operation.resource.customer_at)
    if told and call.object_id is None and not _names_an_owned_object(call, filters):
        return lists(Choice("customer", await own.find_all()), own), filters
    owner = await find_owner(intent, app[STRIPE], own)
    choice = Choice("customer", (owner.customer,), in_path=bool(operation.at), told=told)
    return lists(choice, own), _without("customer", filters)


def _without(name: str, filters: Mapping[str, str]) -> Mapping[str, str]:
    return {other: value for other, value in filters.items() if other != name}


def _names_an_owned_object(call: Call, filters: Mapping[str, str]) -> bool:
    owned = {parameter.name for parameter in call.operation.taken if is_owned(parameter.type)} | {"customer"}
    return not owned.isdisjoint(filters)


async def _call(call: Call) -> web.StreamResponse:
    """Retrieve, create, change: one object, for a caller with partial access one of its own."""
    operation = call.operation
    values = await call.reader.body(call.request) if operation.kind is not Kind.RETRIEVE else {}
    if call.caller.is_guest:
        refuse_owned(operation, values)
    if operation.customer_in(values) is not None:
        call.ownership.require_id_field()
    if operation.resource is CUSTOMER:
        refuse_unwritable(call, values)
    intent = Intent(operation, call.object_id, values, _key(call))
    ownership = None if call.caller.has_all_customers else call.ownership
    recent = _recent(call)
    asked = _stripe(call, recent)
    answerable = call.answerable(asked)
    stripe = answerable if operation.changes else asked
    found = await perform(intent, stripe, ownership, call.completion(answerable))
    view = await views(call).of([found])
    body = orjson.dumps(view.project(found))
    status = HTTPStatus.CREATED if operation.kind is Kind.CREATE else HTTPStatus.OK
    return answer(body, status=status, headers=_age(recent))


def _stripe(call: Call, recent: RecentStripe) -> OperationStripe:
    """Give Stripe for an operation; what decides about an owner or precedes a change is read anew."""
    operation = call.operation
    shows = operation.kind is Kind.RETRIEVE and call.caller.has_all_customers
    return OperationStripe(
        call.request.app[STRIPE],
        operation.target(call.object_id),
        expand=operation.expanded if operation.expanded and shows_secrets(call) else (),
        version=read_sdk_version(call.request) if operation.sdk_version else None,
        shown=recent if shows else None,
    )


def _key(call: Call) -> str | None:
    if call.operation.method != "POST":
        return None
    key = read_key(call.request)
    if key is not None and call.caller.is_guest:
        raise InvalidPayload(
            "Idempotency-Key: leave it out without a credential; nobody could tell your key from somebody else's."
        )
    return secrets.token_hex(16) if key is None else client_key(call.caller.credential, call.operation.name, key)


HANDLERS: dict[Kind, Handler] = {
    Kind.LIST: _list,
    Kind.SEARCH: _search,
    Kind.RETRIEVE: _call,
    Kind.CREATE: _call,
    Kind.ACT: _call,
    Kind.CREATE_CUSTOMER: create_customer,
}
