"""Who is let in, and the refusals of whoever is not. Reads a request's credential; reads no body."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web

from sidecar.context import note
from sidecar.core.access.client_address import client_address
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential, cookie_values, find_credential
from sidecar.core.access.permissions import Access, Action, AllowedFields
from sidecar.core.access.policy import Reason, Requirement, authorize, explain
from sidecar.core.access.scope import EVERYTHING, Scope
from sidecar.core.interfaces import CallerCache, Rows
from sidecar.core.operations.resources import CUSTOMER
from sidecar.core.operations.row import Scoping, named_customer, named_object
from sidecar.core.operations.rules import Rule
from sidecar.errors import CredentialMissing, PermissionDenied
from sidecar.web.admission.caller import Caller
from sidecar.web.admission.origins import Origins

TOKEN_PARAMETER = "access_token"  # noqa: S105 - the parameter's name


@dataclass(frozen=True, slots=True)
class Gate:
    permissions: CallerCache
    rows: Rows
    customers_collection: CustomersCollection
    cookie: str
    trusted_proxies: Sequence[IPv4Network | IPv6Network]
    address_header: str
    denied_status: int
    origins: Origins

    async def admit(self, request: web.Request, rule: Rule) -> Caller:
        """Ask Directus and decide. Raises Refused, DirectusUnavailable or RequestError; nothing else lets in."""
        named_object(rule.operation, request.match_info)
        customer = named_customer(rule.operation, request.match_info)
        credential = self.credential(request)
        self.origins.check(request, credential.source)
        requirement = self._requirement(rule)
        permissions = await self.permissions.permissions(credential, requirement.granted_by)
        decision = authorize(permissions, requirement)
        note("reason", decision.reason)
        if not decision.allowed:
            raise self._denied(decision.reason, requirement)
        if not decision.scoped:
            return Caller(credential, permissions, requirement, EVERYTHING)
        caller = Caller(credential, permissions, requirement, Scope())
        return caller if customer is None else await self.held(caller, customer)

    def may_read(self, caller: Caller) -> bool:
        """Say whether this caller could be shown a customer that one of its own items names."""
        requirement = Requirement(
            self.customers_collection.name,
            Action.READ,
            self.customers_collection,
            names_customer=True,
            scopable=True,
        )
        return authorize(caller.permissions, requirement).allowed

    def _requirement(self, rule: Rule) -> Requirement:
        operation = rule.operation
        return Requirement(
            rule.collection,
            rule.action,
            self.customers_collection,
            names_customer=operation.names is CUSTOMER,
            scopable=operation.scoping is not Scoping.REFUSED,
            unscoped=rule.unscoped_action,
        )

    async def seen_of(self, caller: Caller, customer: str) -> AllowedFields:
        """Give the fields that the caller may see of this customer: of its row, where Directus shows rows apart."""
        grant = caller.permissions.grant(self.customers_collection.name, Action.READ)
        if grant.access is Access.FULL:
            return grant.fields
        return await self.rows.shown(caller.credential, grant.fields, customer) or AllowedFields()

    async def customers(self, caller: Caller) -> Caller:
        """Widen the caller's scope to the customers in all of its rows that it may do this to.

        Raises TooManyCustomers.
        """
        rows = await self.rows.customers(caller.credential, caller.customer_fields())
        return replace(
            caller, scope=Scope({one: seen for one, seen in rows.items() if await self._covers(caller, one)})
        )

    async def held(self, caller: Caller, customer: str) -> Caller:
        """Widen the caller's scope to this one customer, if it is one of its own.

        Foreign and unknown customers end in one refusal, since Directus answers both with no row.
        """
        grant = caller.permissions.grant(self.customers_collection.name, Action.READ)
        seen = await self.rows.shown(caller.credential, grant.fields, customer)
        if seen is None or not await self._covers(caller, customer):
            raise self.invisible(caller)
        return replace(caller, scope=Scope({**caller.scope.customers, customer: seen}))

    async def _covers(self, caller: Caller, customer: str) -> bool:
        """Where an item rule says which rows may be changed, those that may be read are not enough."""
        action, collection = caller.requirement.action, caller.requirement.collection
        if action is Action.READ or caller.permissions.grant(collection, action).access is Access.FULL:
            return True
        return await self.rows.may(caller.credential, action, customer)

    def require_id_field(self, caller: Caller) -> None:
        """Refuse a caller that names a customer by its ID and may not see the field that says whose it is."""
        if not caller.customer_fields().allow(self.customers_collection.id_field):
            note("reason", Reason.NO_ID_FIELD)
            raise self._denied(Reason.NO_ID_FIELD, caller.requirement)

    def invisible(self, caller: Caller) -> PermissionDenied:
        """Give the refusal of what is none of the caller's customers'."""
        note("reason", Reason.NOT_VISIBLE)
        return self._denied(Reason.NOT_VISIBLE, caller.requirement)

    def _denied(self, reason: Reason, requirement: Requirement) -> PermissionDenied:
        wanted = (requirement.collection, requirement.action)
        if reason in {Reason.NO_CUSTOMERS, Reason.NO_ID_FIELD, Reason.NO_KEY_FIELD}:
            wanted = (requirement.customers.name, Action.READ)
        extensions = {"reason": reason, "collection": wanted[0], "action": wanted[1]}
        return PermissionDenied(explain(reason, requirement), status=self.denied_status, extensions=extensions)

    def credential(self, request: web.Request) -> Credential:
        """Find the request's one credential. Raises CredentialMissing and RequestError."""
        credential = find_credential(
            authorization=request.headers.getall("Authorization", []),
            access_token=request.query.getall(TOKEN_PARAMETER, []),
            cookies=cookie_values(request.headers.getall("Cookie", []), self.cookie),
            address=client_address(
                request.remote or "", request.headers.getall(self.address_header, []), self.trusted_proxies
            ),
        )
        if credential is None:
            raise CredentialMissing("Sign in to Directus and send its token or session with the request.")
        return credential
