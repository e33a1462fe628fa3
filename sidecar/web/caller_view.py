"""Which view of Stripe's objects a caller gets, from the permissions that let it in."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.access.policy import reads_all
from sidecar.core.access.scope import OwnCustomers
from sidecar.core.operations.resources import StripeObject, customer_of
from sidecar.core.operations.row import Kind
from sidecar.core.views import CallerView, OneView, View, ViewByCustomer, Views
from sidecar.web.guard import Call
from sidecar.web.keys import EXPOSE_SECRETS

_MAKING = frozenset({Kind.CREATE, Kind.CREATE_CUSTOMER})


@dataclass(frozen=True, slots=True, eq=False)
class ViewsByRow:
    """The views of a caller with access to all customers to whom an item rule shows more in some rows.

    Only Directus knows which rows these are, so each page costs a question.
    """

    call: Call
    fields: AllowedFields
    made: bool

    @property
    def everywhere(self) -> View:
        return view(self.call, self.fields, made=self.made)

    @property
    def customer_ids(self) -> bool:
        return self.everywhere.customer_ids

    async def of(self, objects: Iterable[StripeObject]) -> CallerView:
        customers = {owner for value in objects if (owner := customer_of(value)) is not None}
        found = await self.call.ownership.fields_by_row(customers)
        views = {
            customer: view(self.call, self.fields.joined(fields), made=self.made) for customer, fields in found.items()
        }
        return ViewByCustomer(views, self.everywhere)


def views(call: Call) -> Views:
    """Give the views of an operation's answer, once the caller's scope is known.

    A guest owns nothing but what it has just made.
    """
    caller, made = call.caller, call.operation.kind is Kind.CREATE
    if not caller.has_all_customers:
        return OneView(_own_view(call))
    fields = granted(call)
    everywhere = view(call, fields, own=made and caller.is_guest, made=made)
    if not _by_customer(call) or fields.covers(caller.customer_fields()):
        return OneView(everywhere)
    in_some_rows = view(call, fields.joined(caller.customer_fields()), made=made)
    return OneView(everywhere) if in_some_rows == everywhere else ViewsByRow(call, fields, made)


def shows_secrets(call: Call) -> bool:
    """Say whether the caller will see the secrets of the object that it asks for, if that is the caller's to have."""
    return view(call, granted(call), own=not call.caller.has_all_customers).shows_secrets


def may_show_secrets(call: Call) -> bool:
    """Say whether any object may be shown with its secrets, in whichever row it is."""
    if not call.request.app[EXPOSE_SECRETS]:
        return False
    fields = granted(call).joined(call.caller.customer_fields())
    return view(call, fields, own=not call.caller.has_all_customers).shows_secrets


def sees_everywhere(call: Call, attribute: str) -> bool:
    """Say whether the caller sees this attribute of every customer's objects."""
    if not call.caller.has_all_customers:
        return False
    seen = view(call, granted(call))
    return seen.everything or attribute in seen.attributes


def _by_customer(call: Call) -> bool:
    return call.rule.collection == call.caller.requirement.customers.name


def _own_view(call: Call) -> CallerView:
    caller = call.caller
    if not _by_customer(call):
        return view(call, granted(call), own=True)
    own = caller.scope if isinstance(caller.scope, OwnCustomers) else OwnCustomers()
    found = {customer: view(call, shown, own=True) for customer, shown in own.fields.items()}
    if len(found) == 1:
        [only] = found.values()  # some objects name no customer, but were found to belong to this one
        return only
    return ViewByCustomer(found)


def granted(call: Call) -> AllowedFields:
    """Give the fields that the caller may read. A caller that creates something also sees what it may write."""
    read = call.caller.fields(Action.READ)
    if call.operation.kind not in _MAKING:
        return read
    return read.joined(call.caller.fields(call.rule.action))


def view(call: Call, fields: AllowedFields, *, own: bool = False, made: bool = False) -> View:
    """Make the view; what a share shows is nobody's own, so it has neither links nor secrets, whatever the fields."""
    rule, caller = call.rule, call.caller
    operation = rule.operation
    found = View.of(
        fields,
        rule.field_map,
        customer_ids=_sees_customer_ids(call, fields),
        secrets=call.request.app[EXPOSE_SECRETS],
        own=own,
        made=made,
    )
    if caller.shared_item is not None:
        return replace(found, everything=False, secrets=False, own=False)
    return replace(found, key_of=operation.resource.kind) if operation.for_secret else found


def _sees_customer_ids(call: Call, fields: AllowedFields) -> bool:
    """Say whether the caller sees the customers that the objects name.

    What belongs to nobody may name any customer of the account, so it takes sight of all of them.
    """
    caller, resource = call.caller, call.operation.resource
    if not resource.customer_at:
        return True
    customers = caller.requirement.customers
    if not resource.owned and not reads_all(caller.permissions, customers):
        return False
    decides = fields if call.rule.collection == customers.name else caller.customer_fields()
    return decides.allow(customers.id_field)
