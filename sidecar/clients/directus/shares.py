"""Asks Directus which item a share shows (Directus API reference, "Shares")."""

from http import HTTPStatus

from sidecar.clients.directus.client import DirectusClient
from sidecar.core.access.credentials import Credential
from sidecar.core.interfaces import SharedItem
from sidecar.errors import CredentialRefused


class DirectusShares:
    """Directus tells it to everybody, and keeps it from a share that is over though its tokens are not."""

    def __init__(self, client: DirectusClient) -> None:
        self._client = client

    async def shared_item(self, credential: Credential, share: str) -> SharedItem:
        """`share` is an ID in the form that Directus gives it, so it is safe in a path."""
        answer = await self._client.request(credential, "GET", f"/shares/info/{share}")
        if answer.code is not None and answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise CredentialRefused(str(answer.code))
        match answer.data:
            case {"id": told, "collection": str(collection), "item": str(key)} if told == share and key:
                return SharedItem(collection, key)
            case _:
                raise answer.unavailable("GET /shares/info")
