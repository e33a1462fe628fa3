"""The one operation that is more than a call to Stripe: it creates a customer together with its item."""

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus

import orjson
from aiohttp import web

from sidecar.audit import audit
from sidecar.core.access.permissions import Action
from sidecar.core.access.policy import may_read_own
from sidecar.core.flows import create_customer as creation
from sidecar.core.flows.completion import somebody
from sidecar.core.flows.create_customer import Creator, NewCustomer, Outcome
from sidecar.core.flows.customer_for_item import create_customer_for_item
from sidecar.core.operations.operator_values import USER, filled
from sidecar.errors import InvalidPayload
from sidecar.web.answers.response import answer
from sidecar.web.caller_view import granted, view
from sidecar.web.guard import Call
from sidecar.web.keys import METRICS, STRIPE, WRITE_BACK
from sidecar.web.requests.headers import read_key


async def create_customer(call: Call) -> web.StreamResponse:
    write_back = call.request.app[WRITE_BACK]
    values = await call.reader.body(call.request)
    new = _new_customer(values, write_back=write_back is not None)
    refuse_unwritable(call, new.attributes)
    key = read_key(call.request)
    creator = _creator(call, key)
    if write_back is not None and new.item is None and key is not None:
        raise InvalidPayload(
            "Idempotency-Key: send it only with `item`. Create an item first and send its primary key as `item`."
        )
    stripe = call.answerable(call.request.app[STRIPE], "customer created")
    user = await stripe.user()  # before an item is created or changed, too
    new = replace(new, fixed=filled(call.rule.operator.fixed, {USER: somebody(user)}))
    if write_back is None:
        return await _created(await creation.create_customer(new, creator, stripe), call, user)
    return await _created(await create_customer_for_item(new, creator, stripe, write_back), call, user)


def refuse_unwritable(call: Call, attributes: Iterable[str]) -> None:
    """Raise InvalidPayload for an attribute of a customer that maps to no field that the caller may write.

    What is not in the table is there because the operator allows it.
    """
    action, ordinary = call.rule.action, {parameter.name for parameter in call.operation.parameters}
    unwritable = call.rule.field_map.unwritable(ordinary.intersection(attributes), call.caller.fields(action))
    if unwritable:
        raise InvalidPayload(f"{unwritable[0]}: your permission to {action} includes no field that maps to it.")


def _creator(call: Call, key: str | None) -> Creator:
    permissions, customers = call.caller.permissions, call.caller.requirement.customers
    writing = permissions.grant(customers.name, Action.UPDATE).fields
    return Creator(
        call.caller.credential,
        may_read=may_read_own(permissions, customers),
        may_write_id=writing.allow(customers.id_field),
        key=key,
    )


def _new_customer(values: dict[str, object], *, write_back: bool) -> NewCustomer:
    item = values.pop("item", None)
    if item is not None and not write_back:
        raise InvalidPayload("item: this service does not write customer IDs back; leave it out.")
    return NewCustomer(values, item if isinstance(item, int | str) else None)


async def _created(outcome: Outcome, call: Call, user: str | None) -> web.Response:
    """Show a customer that the item had already as far as the caller may read it, and any other as it was sent.

    If Stripe repeated its answer to an earlier request, that had the same values, so this caller knows them.
    """
    if outcome.linked or outcome.pending:
        _audit_item(outcome, call, user)
    if outcome.found:
        fields = await call.ownership.fields_of(str(outcome.customer["id"]))
        return answer(orjson.dumps(view(call, fields).project(outcome.customer)))
    status = HTTPStatus.CREATED if outcome.created else HTTPStatus.OK
    customer = view(call, granted(call)).project(outcome.customer)
    customer = {**customer, "id": outcome.customer["id"]}
    if not outcome.pending:
        return answer(orjson.dumps(customer), status=status)
    pending = {"write_back": "pending"}
    return answer(orjson.dumps({**customer, **pending}), status=status, headers={"X-Write-Back": "pending"})


def _audit_item(outcome: Outcome, call: Call, user: str | None) -> None:
    audit(
        "customer linked to its item",
        operation=call.operation.name,
        object_id=outcome.customer["id"],
        user=user,
        item=outcome.item,
        write_back_pending=outcome.pending,
        fields=None if outcome.pending else (call.caller.requirement.customers.id_field,),
    )
    if outcome.pending:
        call.request.app[METRICS].pending.inc()
