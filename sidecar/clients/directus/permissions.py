"""Asks Directus what a credential's owner may do, and who that is. Remembers nothing; `permission_cache` does."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from http import HTTPStatus

from sidecar.clients.directus.client import DirectusAnswer, DirectusClient
from sidecar.clients.directus.line import Place, Ready, at_once
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity, identity_in
from sidecar.core.access.permissions import Permissions
from sidecar.errors import CredentialRefused

_log = logging.getLogger(__name__)
_USER, _ROLES = "/users/me?fields=id", "/roles/me?fields=id"
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# Directus's codes for a refused credential (its errors package); their statuses vary: INVALID_TOKEN is a 403.
_REFUSALS = frozenset(
    {"FORBIDDEN", "INVALID_CREDENTIALS", "INVALID_IP", "INVALID_TOKEN", "TOKEN_EXPIRED", "USER_SUSPENDED"}
)


class DirectusPermissions:
    """Asks `GET /permissions/me` each time, and keeps only `collections`: an administrator's answer has all of them."""

    def __init__(self, client: DirectusClient, collections: Collection[str]) -> None:
        self._client = client
        self._collections = frozenset(collections)

    async def permissions(self, credential: Credential) -> Permissions:
        return self._read(await self._client.request(credential, "GET", "/permissions/me"))

    async def permissions_patiently(
        self, credential: Credential, sent: Callable[[Place], None], ready: Ready = at_once
    ) -> Permissions:
        """As above, and wait for as long as the question lasts; `ready` and `sent` are as in `PatientSource`."""
        answer = await self._client.request_patiently(credential, "GET", "/permissions/me", sent=sent, ready=ready)
        return self._read(answer)

    def _read(self, answer: DirectusAnswer) -> Permissions:
        if answer.code in _REFUSALS or (answer.code is not None and answer.status in _DENIED):
            raise CredentialRefused(str(answer.code))
        if answer.status == HTTPStatus.NOT_FOUND:
            _log.error("Directus has no /permissions/me; it must be version 11 or newer")
        if answer.status != HTTPStatus.OK or not isinstance(answer.data, dict):
            raise answer.unavailable("GET /permissions/me")
        return Permissions.from_directus(answer.data, self._collections)

    async def identity(self, credential: Credential) -> Identity:
        """Read user and role in the token, where Directus reads them too; ask Directus about a static token.

        Of a static token's roles those are missing that it may not read. Then, or with no role at all, the public
        policies do not count for it. Raises CredentialRefused for a token that Directus refuses by now.
        """
        named = identity_in(credential)
        if named is not None:
            return named
        user, roles = await asyncio.gather(self._mine(credential, _USER), self._mine(credential, _ROLES))
        return Identity(_user(user), tuple(_ids(roles if isinstance(roles, list) else [])))

    async def user_patiently(self, credential: Credential) -> str | None:
        """Ask for the user alone, and wait for as long as the question lasts; None and raises as above."""
        answer = await self._client.request_patiently(credential, "GET", _USER, sent=lambda _: None)
        return _user(self._own(answer, _USER))

    async def _mine(self, credential: Credential, path: str) -> object:
        return self._own(await self._client.request(credential, "GET", path), path)

    @staticmethod
    def _own(answer: DirectusAnswer, path: str) -> object:
        if answer.code == "FORBIDDEN":  # said to a token without a user, which an extension of Directus may let in
            return None
        if answer.code in _REFUSALS:
            raise CredentialRefused(str(answer.code))
        if answer.status != HTTPStatus.OK:
            raise answer.unavailable(f"GET {path.partition('?')[0]}")
        return answer.data


def _user(row: object) -> str | None:
    return next(iter(_ids([row])), None)


def _ids(rows: Iterable[object]) -> list[str]:
    return [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
