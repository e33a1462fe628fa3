"""Which Directus this is: the ID that each project gets when its database is made, from some version 11 on.

It is `project_id` of Directus's settings, which `provision` lets the service token read. A copy of a database has the
same ID.
"""

import logging

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.refusals import data_of
from sidecar.core.access.credentials import Credential
from sidecar.errors import DirectusUnavailable, ItemRefused

COLLECTION, FIELD = "directus_settings", "project_id"
_PATH = f"/settings?fields={FIELD}"
_NO_ID = "Directus does not say which project it is: run `provision`, or set DIRECTUS_PROJECT"
_log = logging.getLogger(__name__)


class NamedProject:
    """A project that the operator named."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def name(self, _credential: Credential | None) -> str:
        return self._name


class DirectusProject:
    """Asks once, and remembers the answer: a running Directus does not become another one."""

    def __init__(self, client: DirectusClient) -> None:
        self._client = client
        self._known: str | None = None

    async def name(self, credential: Credential | None) -> str:
        """Raises DirectusUnavailable also where Directus refuses or has no ID, as before version 11.9."""
        if self._known is None:
            if credential is None:
                raise _unknown("no token")
            self._known = await self._ask(credential)
        return self._known

    async def _ask(self, credential: Credential) -> str:
        try:
            data = data_of(await self._client.request(credential, "GET", _PATH), "read its settings")
        except ItemRefused as refused:
            raise _unknown(refused.code) from refused
        match data:
            case {"project_id": str(project)} if project:
                return project
            case _:
                raise _unknown("no ID")


def _unknown(why: str) -> DirectusUnavailable:
    _log.error("no project", extra={"reason": why, "mend": _NO_ID})
    return DirectusUnavailable(f"{_NO_ID} ({why})")
