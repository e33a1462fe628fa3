"""Who is let in: finds the credential, asks Directus for its permissions, decides. Reads no body and no rows.

Only a request that carries no credential at all can be a guest's: one that Directus refuses never becomes one.
"""

from dataclasses import dataclass, field

from aiohttp import web

from sidecar.context import note_user
from sidecar.core.access.claims import user_of
from sidecar.core.access.cookies import cookie_values
from sidecar.core.access.credentials import Credential, Guest, find_credential, why_no_token
from sidecar.core.access.policy import Reason, Requirement, authorize
from sidecar.core.access.scope import Everything, NotLookedUp
from sidecar.core.interfaces import CallerCache
from sidecar.web.admission.caller import Caller, name_of
from sidecar.web.admission.origins import Origins
from sidecar.web.admission.refusals import Refusals
from sidecar.web.admission.remembered import Addresses, CallerNames
from sidecar.web.admission.strangers import Strangers

TOKEN_PARAMETER = "access_token"  # noqa: S105 - the parameter's name


@dataclass(frozen=True, slots=True)
class Gate:
    """`cookie` and `address_header` are named as Directus names them."""

    permissions: CallerCache
    cookie: str
    addresses: Addresses
    address_header: str
    refusals: Refusals
    origins: Origins
    strangers: Strangers
    names: CallerNames = field(default_factory=CallerNames)

    async def admit(self, request: web.Request, requirement: Requirement) -> Caller:
        """Ask Directus and decide.

        Raises Refused, DirectusUnavailable or RequestError, and lets nobody in by any other way than its result.
        """
        credential = self._credential(request)
        if credential is None:
            return await self._admit_guest(request, requirement)
        self.origins.check(request, credential.source)
        known = self.names.of(credential)  # remembered of users alone, so it is no stranger
        share = self.strangers.share(credential, requirement) if known is None else None
        permissions = await self.permissions.permissions(credential, requirement.granted_by)
        decision = authorize(permissions, requirement)
        note_user(user_of(credential.token) if known is None else known.user)
        if not decision.allowed:
            raise self.refusals.denied(decision.reason, requirement)
        scope = NotLookedUp() if decision.scoped else Everything()
        if share is None:
            known = known or self.names.remember(credential)
            return Caller(credential, permissions, requirement, scope, known.name)
        item = await self.strangers.shared_item(credential, share, permissions, requirement, decision)
        return Caller(credential, permissions, requirement, scope, name_of(credential), item)

    async def _admit_guest(self, request: web.Request, requirement: Requirement) -> Caller:
        """Let everybody in where the operator allows it and Directus's public policy grants it."""
        fault = why_no_token(request.headers.getall("Authorization", []))
        if not requirement.public:
            raise self.refusals.nobody(fault)
        who, wanted = Guest(self._address(request)), requirement.of_guests
        permissions = await self.permissions.public(who.address, wanted.granted_by)
        decision = authorize(permissions, wanted)
        if not decision.allowed:
            raise self.refusals.guest(decision.reason, wanted, fault)
        return Caller(who, permissions, wanted, Everything(), name_of(who))

    async def user_id(self, caller: Caller) -> str | None:
        """Give the ID of the caller's user, who answers for what is changed; nobody does for what a guest may do.

        Raises PermissionDenied where Directus names none, CredentialRefused and DirectusUnavailable.
        """
        if caller.is_guest:
            return None
        user = (await self.permissions.identity(caller.credential)).user
        note_user(user)
        if user is None:
            raise self.refusals.denied(Reason.NO_USER, caller.requirement)
        return user

    def _credential(self, request: web.Request) -> Credential | None:
        """Find the request's one credential, None where it carries none. Raises RequestError."""
        return find_credential(
            authorization=request.headers.getall("Authorization", []),
            access_token=request.query.getall(TOKEN_PARAMETER, []),
            cookies=cookie_values(request.headers.getall("Cookie", []), self.cookie),
            address=self._address(request),
        )

    def _address(self, request: web.Request) -> str:
        return self.addresses.of(request.remote or "", request.headers.getall(self.address_header, []))
