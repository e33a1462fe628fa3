"""Who is let in, and the refusals of whoever is not. Reads a request's credential; reads no body."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web

from sidecar.core.addresses import client_address
from sidecar.core.credentials import Credential, cookie_values, find_credential
from sidecar.core.interfaces import PermissionSource
from sidecar.core.permissions import Action, Permissions
from sidecar.core.policy import Requirement, authorize, explain
from sidecar.errors import CredentialMissing, PermissionDenied

TOKEN_PARAMETER = "access_token"  # noqa: S105 - the parameter's name


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, and what Directus lets them do."""

    credential: Credential
    permissions: Permissions


@dataclass(frozen=True, slots=True)
class Gate:
    permissions: PermissionSource
    collection: str
    cookie: str
    trusted_proxies: Sequence[IPv4Network | IPv6Network]
    address_header: str
    denied_status: int

    async def admit(self, request: web.Request, action: Action) -> Caller:
        """Ask Directus and decide. Raises Refused, DirectusUnavailable or RequestError; nothing else lets in."""
        credential = self._credential(request)
        requirement = Requirement(self.collection, action)
        permissions = await self.permissions.permissions(credential, requirement)
        decision = authorize(permissions, requirement)
        if not decision.allowed:
            raise PermissionDenied(
                explain(decision, requirement),
                status=self.denied_status,
                extensions={
                    "reason": decision.reason,
                    "collection": requirement.collection,
                    "action": requirement.action,
                },
            )
        return Caller(credential, permissions)

    def _credential(self, request: web.Request) -> Credential:
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
