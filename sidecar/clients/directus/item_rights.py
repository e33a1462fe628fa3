"""Asks Directus whether a caller may do something to one item: Directus alone knows which items a rule covers."""

from sidecar.clients.directus.client import DirectusClient, segment
from sidecar.clients.directus.refusals import data_of
from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Action
from sidecar.core.interfaces import PrimaryKey


async def may(
    client: DirectusClient, credential: Credential, collection: str, action: Action, key: PrimaryKey, *, what: str
) -> bool:
    """`what` is what ItemRefused says may not be done. Directus says nothing about `read` here.

    Raises ItemRefused and DirectusUnavailable.
    """
    path = f"/permissions/me/{segment(collection)}/{segment(key)}"
    match data_of(await client.request(credential, "GET", path), what):
        case {action.value: {"access": True}}:
            return True
        case _:
            return False
