"""Who is let in: finds the credential, asks Directus for its permissions, decides. Reads no body and no rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web

from sidecar.core.access.client_address import client_address
from sidecar.core.access.cookies import cookie_values
from sidecar.core.access.credentials import Credential, find_credential
from sidecar.core.access.policy import Reason, Requirement, authorize
from sidecar.core.access.scope import Everything, NotLookedUp
from sidecar.core.interfaces import CallerCache
from sidecar.errors import CredentialMissing
from sidecar.web.admission.caller import Caller
from sidecar.web.admission.origins import Origins
from sidecar.web.admission.refusals import Refusals
from sidecar.web.admission.strangers import Strangers

TOKEN_PARAMETER = "access_token"  # noqa: S105 - the parameter's name


@dataclass(frozen=True, slots=True)
class Gate:
    """`cookie` and `address_header` are named as Directus names them."""

    permissions: CallerCache
    cookie: str
    trusted_proxies: Sequence[IPv4Network | IPv6Network]
    address_header: str
    refusals: Refusals
    origins: Origins
    strangers: Strangers

    async def admit(self, request: web.Request, requirement: Requirement) -> Caller:
        """Ask Directus and decide.

        Raises Refused, DirectusUnavailable or RequestError, and lets nobody in by any other way than its result.
        """
        credential = self.credential(request)
        self.origins.check(request, credential.source)
        share = self.strangers.share(credential, requirement)
        permissions = await self.permissions.permissions(credential, requirement.granted_by)
        decision = authorize(permissions, requirement)
        if not decision.allowed:
            raise self.refusals.denied(decision.reason, requirement)
        item = (
            None
            if share is None
            else await self.strangers.shared_item(credential, share, permissions, requirement, decision)
        )
        return Caller(credential, permissions, requirement, NotLookedUp() if decision.scoped else Everything(), item)

    async def user_id(self, caller: Caller) -> str:
        """Give the ID of the caller's user, who answers for what is changed.

        Raises PermissionDenied where Directus names none, CredentialRefused and DirectusUnavailable.
        """
        user = (await self.permissions.identity(caller.credential)).user
        if user is None:
            raise self.refusals.denied(Reason.NO_USER, caller.requirement)
        return user

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
