"""Who is let in, and the refusals of whoever is not. Reads a request's credential; reads no body."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web

from sidecar.context import note
from sidecar.core.addresses import client_address
from sidecar.core.credentials import Credential, cookie_values, find_credential
from sidecar.core.interfaces import PermissionSource, Rows
from sidecar.core.operations import Operation, Scoping, named_customer
from sidecar.core.permissions import Access, Action, AllowedFields, Permissions
from sidecar.core.policy import Reason, Requirement, authorize, explain
from sidecar.core.scope import EVERYTHING, Scope
from sidecar.errors import CredentialMissing, PermissionDenied
from sidecar.web.origins import Origins

TOKEN_PARAMETER = "access_token"  # noqa: S105 - the parameter's name


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, what Directus lets them do, and whose customers they may touch."""

    credential: Credential
    scope: Scope
    permissions: Permissions
    collection: str

    def fields(self, action: Action) -> AllowedFields:
        return self.permissions.grant(self.collection, action).fields


@dataclass(frozen=True, slots=True)
class Gate:
    permissions: PermissionSource
    rows: Rows
    collection: str
    id_field: str
    cookie: str
    trusted_proxies: Sequence[IPv4Network | IPv6Network]
    address_header: str
    denied_status: int
    origins: Origins

    async def admit(self, request: web.Request, operation: Operation) -> Caller:
        """Ask Directus and decide. Raises Refused, DirectusUnavailable or RequestError; nothing else lets in."""
        customer = named_customer(operation, request.match_info)
        credential = self.credential(request)
        self.origins.check(request, credential.source)
        requirement = self._requirement(operation)
        permissions = await self.permissions.permissions(credential, requirement)
        decision = authorize(permissions, requirement)
        note("reason", decision.reason)
        if not decision.allowed:
            raise self._denied(decision.reason, requirement)
        scope = await self._scope(credential, customer, requirement, permissions) if decision.scoped else EVERYTHING
        return Caller(credential, scope, permissions, self.collection)

    def may_read(self, caller: Caller) -> bool:
        """Say whether this caller could be shown a customer that one of its own items names."""
        requirement = Requirement(self.collection, Action.READ, self.id_field, names_customer=True, scopable=True)
        return authorize(caller.permissions, requirement).allowed

    def _requirement(self, operation: Operation) -> Requirement:
        return Requirement(
            self.collection,
            operation.action,
            self.id_field,
            names_customer=operation.names_customer,
            scopable=operation.scoping is not Scoping.REFUSED,
        )

    async def seen_of(self, caller: Caller, customer: str) -> AllowedFields:
        """Give the fields that the caller may see of this customer: of its row, where Directus shows rows apart."""
        grant = caller.permissions.grant(self.collection, Action.READ)
        if grant.access is Access.FULL:
            return grant.fields
        return await self.rows.shown(caller.credential, grant.fields, customer) or AllowedFields()

    async def _scope(
        self, credential: Credential, customer: str | None, requirement: Requirement, permissions: Permissions
    ) -> Scope:
        """Foreign and unknown customers end in one refusal, since Directus answers both with no row."""
        allowed = permissions.grant(requirement.collection, requirement.action).fields
        if customer is None:
            return Scope(await self.rows.customers(credential, allowed))
        shown = await self.rows.shown(credential, allowed, customer)
        if shown is None:
            note("reason", Reason.NOT_VISIBLE)
            raise self._denied(Reason.NOT_VISIBLE, requirement)
        return Scope({customer: shown})

    def _denied(self, reason: Reason, requirement: Requirement) -> PermissionDenied:
        extensions = {"reason": reason, "collection": requirement.collection, "action": requirement.action}
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
