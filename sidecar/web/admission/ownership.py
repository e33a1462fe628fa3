"""The ownership check: which customers are in a caller's own rows of the customers collection."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.access.policy import Reason, reads_all
from sidecar.core.access.scope import OwnCustomers
from sidecar.core.flows.customer_state import no_living_customer
from sidecar.core.interfaces import FirstRows, PrimaryKey, Row, Rows
from sidecar.errors import InvalidPayload, ItemConflict, PermissionDenied, TooManyCustomers
from sidecar.web.admission.caller import Caller
from sidecar.web.admission.refusals import Refusals
from sidecar.web.admission.unknown_customers import UnknownCustomerLog

_NOBODY = "cus_000000000000000000000000"
_MOST_ASKED_EACH = 6  # rows of one request that Directus is asked about one by one


class Ownership:
    """One request's ownership check; `caller` gets a wider scope with each customer found to be its own.

    All lookups raise ItemRefused and DirectusUnavailable.
    """

    def __init__(self, caller: Caller, rows: Rows, refusals: Refusals, log: UnknownCustomerLog) -> None:
        self.caller = caller
        self._rows, self._refusals, self._log = rows, refusals, log
        self._first: FirstRows | None = None
        self._known: dict[str, Row] = {}  # by the customer that each names

    async def require_any(self) -> None:
        """Raise NoCustomerYet for a caller without a row that names a customer.

        Call it before an object is read at Stripe whose customer is not known: then nobody without a row causes a
        call to Stripe.
        """
        if not (await self._first_rows()).name_any:
            raise self._refusals.no_customer(self.caller.requirement)

    async def require_own(self, customer_id: str | None) -> None:
        """Raise PermissionDenied unless a row of the caller's names this customer and it may do this to that row.

        Foreign and unknown customers get the same refusal, since Directus answers both with no row. None is nobody's
        customer, and refused after as many questions as a foreign one, so that the time tells nothing either.
        """
        if customer_id in self._found():
            return
        row = await self._row(_NOBODY if customer_id is None else customer_id)
        if customer_id is None or row is None or not await self._may_act_on(row):
            raise self.refusal()
        self._add({customer_id: row})

    async def find_all(self) -> tuple[str, ...]:
        """Give the customers in all of the caller's rows that it may do this to. Raises TooManyCustomers."""
        rows = await self._rows.find_all(self.caller.credential, self.caller.customer_fields())
        if self._asked_each and len(rows) > _MOST_ASKED_EACH:
            raise TooManyCustomers(
                f"Your items name more than {_MOST_ASKED_EACH} customers, and Directus says of one item at a time "
                "whether you may do this to it. Ask for one customer at a time, by its ID."
            )
        self._add({customer: row for customer, row in rows.items() if await self._may_act_on(row)})
        return tuple(self._found())

    async def only_customer(self) -> str:
        """Give the one customer in the caller's rows.

        Raises NoCustomerYet where there is none, PermissionDenied where the caller may not do this to it, and
        InvalidPayload where there are several, without asking what the caller may do to each.
        """
        first = await self._first_rows()
        rows = first.rows
        if len(rows) <= 1 and not first.whole:
            rows = await self._rows.find_all(self.caller.credential, self.caller.customer_fields())
        if len(rows) > 1:
            raise InvalidPayload("customer: your items name several customers; say which one.")
        for customer, row in rows.items():
            if await self._may_act_on(row):
                self._add({customer: row})
                return customer
        raise self.refusal() if rows else self._refusals.no_customer(self.caller.requirement)

    async def fields_of(self, customer_id: str) -> AllowedFields:
        """Give the fields that the caller may read of this customer's row; none where it sees no such row."""
        customers = self.caller.requirement.customers
        grant = self.caller.permissions.grant(customers.name, Action.READ)
        everywhere = grant.everywhere if reads_all(self.caller.permissions, customers) else AllowedFields()
        if not everywhere.empty and everywhere.covers(grant.fields):
            return everywhere
        row = await self._rows.find(self.caller.credential, grant.fields, customer_id)
        return everywhere if row is None else self._fields(row)

    async def item_of(self, customer_id: str) -> PrimaryKey | None:
        """Give the primary key of the one row that names this customer.

        None where the caller sees no such row or several, or may not read the fields that tell.
        """
        if not self.caller.customer_fields().allow(self.caller.requirement.customers.id_field):
            return None
        row = self._known[customer_id] if customer_id in self._known else await self._row(customer_id)
        return row.key if row is not None and row.alone else None

    async def fields_by_row(self, customer_ids: Collection[str]) -> Mapping[str, AllowedFields]:
        """Give the fields that the caller may read of the rows of these customers; other customers have no row."""
        rows = await self._rows.find_these(self.caller.credential, self.caller.customer_fields(), customer_ids)
        return {customer: self._fields(row) for customer, row in rows.items()}

    def require_id_field(self) -> None:
        """Raise PermissionDenied for a caller that names a customer and may not read the field that holds the ID."""
        requirement = self.caller.requirement
        if not self.caller.customer_fields().allow(requirement.customers.id_field):
            raise self._refusals.denied(Reason.NO_ID_FIELD, requirement)

    def refusal(self, reason: Reason = Reason.NOT_VISIBLE, about: str = "") -> PermissionDenied:
        """Give a refusal, usually of an object that belongs to none of the caller's customers.

        `about` names the part of the request that is refused, where it is not the whole.
        """
        return self._refusals.denied(reason, self.caller.requirement, about)

    def unknown(self, customer_id: str) -> ItemConflict:
        """Log the row whose customer the Stripe account does not have, and give the answer, which names the row."""
        row = self._known.get(customer_id)
        item = None if row is None else row.key
        self._log.add(self.caller.requirement.customers.name, item, customer_id)
        return no_living_customer(customer_id, item)

    async def _first_rows(self) -> FirstRows:
        if self._first is None:
            self._first = await self._rows.find_first(self.caller.credential, self.caller.customer_fields())
        return self._first

    async def _row(self, customer_id: str) -> Row | None:
        """Give the row of a customer, without a question where all of the caller's rows are known."""
        if self._first is not None and self._first.whole:
            return self._first.rows.get(customer_id)
        return await self._rows.find(self.caller.credential, self.caller.customer_fields(), customer_id)

    @property
    def _asked_each(self) -> bool:
        """An item rule may let a caller change fewer rows than it reads, so Directus is asked about each row."""
        requirement = self.caller.requirement
        return requirement.action is not Action.READ and not requirement.whole(self.caller.permissions)

    async def _may_act_on(self, row: Row) -> bool:
        if not self._asked_each:
            return True
        action = self.caller.requirement.action
        return row.key is not None and await self._rows.may(self.caller.credential, action, row.key)

    def _fields(self, row: Row) -> AllowedFields:
        """Give the fields of a row; those in every item count even where the row has no value."""
        customers = self.caller.requirement.customers.name
        return row.fields.joined(self.caller.permissions.grant(customers, Action.READ).everywhere)

    def _found(self) -> Mapping[str, AllowedFields]:
        scope = self.caller.scope
        return scope.fields if isinstance(scope, OwnCustomers) else {}

    def _add(self, rows: Mapping[str, Row]) -> None:
        self._known.update(rows)
        fields = {customer: self._fields(row) for customer, row in rows.items()}
        self.caller = replace(self.caller, scope=OwnCustomers({**self._found(), **fields}))
