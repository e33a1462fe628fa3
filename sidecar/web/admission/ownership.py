"""The ownership check: which customers are in a caller's own rows of the customers collection."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.access.policy import Reason, reads_all
from sidecar.core.access.scope import OwnCustomers
from sidecar.core.interfaces import Row, Rows
from sidecar.errors import InvalidPayload, PermissionDenied
from sidecar.web.admission.caller import Caller
from sidecar.web.admission.refusals import Refusals


class Ownership:
    """One request's ownership check; `caller` gets a wider scope with each customer found to be its own.

    All lookups raise ItemRefused and DirectusUnavailable.
    """

    def __init__(self, caller: Caller, rows: Rows, refusals: Refusals) -> None:
        self.caller = caller
        self._rows, self._refusals = rows, refusals

    async def require_own(self, customer_id: str) -> None:
        """Raise PermissionDenied unless a row of the caller's names this customer and it may do this to that row.

        Foreign and unknown customers get the same refusal, since Directus answers both with no row.
        """
        if customer_id in self._found():
            return
        row = await self._rows.find(self.caller.credential, self.caller.customer_fields(), customer_id)
        if row is None or not await self._may_act_on(row):
            raise self.refusal()
        self._add({customer_id: row})

    async def find_all(self) -> tuple[str, ...]:
        """Give the customers in all of the caller's rows that it may do this to. Raises TooManyCustomers."""
        rows = await self._rows.find_all(self.caller.credential, self.caller.customer_fields())
        self._add({customer: row for customer, row in rows.items() if await self._may_act_on(row)})
        return tuple(self._found())

    async def only_customer(self) -> str:
        """Give the one customer in the caller's rows.

        Raises PermissionDenied where there is none, and InvalidPayload where there are several, without asking what
        the caller may do to each.
        """
        rows = await self._rows.find_all(self.caller.credential, self.caller.customer_fields())
        if len(rows) > 1:
            raise InvalidPayload("customer: your items name several customers; say which one.")
        for customer, row in rows.items():
            if await self._may_act_on(row):
                self._add({customer: row})
                return customer
        raise self.refusal()

    async def fields_of(self, customer_id: str) -> AllowedFields:
        """Give the fields that the caller may read of this customer's row; none where it sees no such row."""
        customers = self.caller.requirement.customers
        grant = self.caller.permissions.grant(customers.name, Action.READ)
        everywhere = grant.everywhere if reads_all(self.caller.permissions, customers) else AllowedFields()
        if not everywhere.empty and everywhere.covers(grant.fields):
            return everywhere
        row = await self._rows.find(self.caller.credential, grant.fields, customer_id)
        return everywhere if row is None else self._fields(row)

    async def fields_by_row(self, customer_ids: Collection[str]) -> Mapping[str, AllowedFields]:
        """Give the fields that the caller may read of the rows of these customers; other customers have no row."""
        rows = await self._rows.find_these(self.caller.credential, self.caller.customer_fields(), customer_ids)
        return {customer: self._fields(row) for customer, row in rows.items()}

    def require_id_field(self) -> None:
        """Raise PermissionDenied for a caller that names a customer and may not read the field that holds the ID."""
        requirement = self.caller.requirement
        if not self.caller.customer_fields().allow(requirement.customers.id_field):
            raise self._refusals.denied(Reason.NO_ID_FIELD, requirement)

    def refusal(self) -> PermissionDenied:
        """Give the refusal of an object that belongs to none of the caller's customers."""
        return self._refusals.denied(Reason.NOT_VISIBLE, self.caller.requirement)

    async def _may_act_on(self, row: Row) -> bool:
        """An item rule may let a caller change fewer rows than it reads, so Directus is asked about this one."""
        requirement = self.caller.requirement
        if requirement.action is Action.READ or requirement.whole(self.caller.permissions):
            return True
        return row.key is not None and await self._rows.may(self.caller.credential, requirement.action, row.key)

    def _fields(self, row: Row) -> AllowedFields:
        """Give the fields of a row; those in every item count even where the row has no value."""
        customers = self.caller.requirement.customers.name
        return row.fields.joined(self.caller.permissions.grant(customers, Action.READ).everywhere)

    def _found(self) -> Mapping[str, AllowedFields]:
        scope = self.caller.scope
        return scope.fields if isinstance(scope, OwnCustomers) else {}

    def _add(self, rows: Mapping[str, Row]) -> None:
        fields = {customer: self._fields(row) for customer, row in rows.items()}
        self.caller = replace(self.caller, scope=OwnCustomers({**self._found(), **fields}))
