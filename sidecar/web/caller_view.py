"""Which view of Stripe's objects a caller gets, from the permissions that let it in."""

from dataclasses import replace

from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.access.scope import OwnCustomers
from sidecar.core.operations.row import Kind
from sidecar.core.views import CallerView, View, ViewByCustomer
from sidecar.web.guard import Call
from sidecar.web.keys import EXPOSE_SECRETS

_MAKING = frozenset({Kind.CREATE, Kind.CREATE_CUSTOMER})


def caller_view(call: Call) -> CallerView:
    """Give one view for all objects, or one for each customer in the caller's scope."""
    caller = call.caller
    if caller.has_all_customers:
        return replace(view(call, granted(call)), made=call.operation.kind is Kind.CREATE)
    if call.rule.collection != caller.requirement.customers.name:
        return view(call, granted(call), own=True)
    own = caller.scope if isinstance(caller.scope, OwnCustomers) else OwnCustomers()
    views = {customer: view(call, shown, own=True) for customer, shown in own.fields.items()}
    if len(views) == 1:
        [only] = views.values()  # some objects name no customer, but were found to belong to this one
        return only
    return ViewByCustomer(views)


def granted(call: Call) -> AllowedFields:
    """Give the fields that the caller may read. A caller that creates something also sees what it may write."""
    read = call.caller.fields(Action.READ)
    if call.operation.kind not in _MAKING:
        return read
    return AllowedFields(read.names | call.caller.fields(call.rule.action).names)


def view(call: Call, fields: AllowedFields, *, own: bool = False) -> View:
    rule, caller = call.rule, call.caller
    decides = fields if rule.collection == caller.requirement.customers.name else caller.customer_fields()
    return View.of(
        fields,
        rule.field_map,
        customer_ids=not rule.operation.resource.owned or decides.allow(caller.requirement.customers.id_field),
        secrets=call.request.app[EXPOSE_SECRETS],
        own=own,
    )
