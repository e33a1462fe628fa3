"""Reads, with the service token, which policies have a permission without an item rule, and who holds them.

Directus leaves out or blanks what a token may not read, and a blank item rule would look like none. So nothing counts
unless the token may read every permission, policy, assignment and role in full.
"""

import asyncio
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.item_pages import ItemPages
from sidecar.clients.directus.item_search import Item, Query
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.core.access.credentials import Credential
from sidecar.core.access.known_addresses import NOBODYS_ADDRESS
from sidecar.core.access.permissions import Access, Action, Permissions, fields_of
from sidecar.core.access.whole_access import Assignment, Policies, Range, Unruled, ranges
from sidecar.errors import CredentialRefused, DirectusUnavailable, ItemRefused

_log = logging.getLogger(__name__)
_MOST = 5_000  # rows of one collection; some 50 questions
_PERMISSIONS = "directus_permissions"
READ = {
    _PERMISSIONS: ("id", "collection", "action", "fields", "permissions", "policy"),
    "directus_policies": ("id", "name", "ip_access"),
    "directus_access": ("id", "policy", "role", "user"),
    "directus_roles": ("id", "parent"),
}
# Directus adds the permissions that come with its app to what a token with app access lists; they are no rows, have no
# `id` and would shift the pages (its `PermissionsService.readByQuery`).
_IN_A_POLICY = {"policy": {"_nnull": True}}
_ACTIONS = {action.value: action for action in Action}


def may_read_policies(permissions: Permissions) -> bool:
    """Say whether a token with these permissions may read all that is needed here, in every row."""
    grants = {name: permissions.grant(name, Action.READ) for name in READ}
    return all(
        grant.access is Access.FULL and all(grant.fields.allow(field) for field in READ[name])
        for name, grant in grants.items()
    )


class DirectusPolicies:
    """`collections` are those whose permissions decide on an operation; `own_policy` names the service's policy."""

    def __init__(
        self, client: DirectusClient, service: Credential, collections: Collection[str], own_policy: str
    ) -> None:
        self._service, self._own_policy = service, own_policy
        self._pages = {name: ItemPages(client, name) for name in READ}
        self._collections = sorted(collections)
        self._own = DirectusPermissions(client, READ)

    async def policies(self) -> Policies | None:
        """Ask Directus; see `PolicySource`."""
        try:
            if not await self._may_read():
                return None
            found = await self._read()
            return found if not found.unruled or await self._may_read() else None
        except (CredentialRefused, ItemRefused) as refusal:
            _log.warning("policies cannot be read", extra={"code": refusal.code})
            return None

    async def _may_read(self) -> bool:
        """Ask before and after the rows are read: a right that went in between leaves blanks that look like no rule."""
        return may_read_policies(await self._own.permissions(self._service))

    async def _read(self) -> Policies:
        wanted = {"_and": [{"collection": {"_in": self._collections}}, _IN_A_POLICY]}
        permissions = await self._rows(_PERMISSIONS, wanted)
        unruled = [each for row in permissions for each in _unruled(row)]
        addresses = await self._addresses(sorted({each.policy for each in unruled}))
        if not addresses:
            return Policies()
        access, roles = await asyncio.gather(
            self._rows("directus_access", {"policy": {"_in": sorted(addresses)}}),
            self._rows("directus_roles", {"id": {"_nnull": True}}),
        )
        limited = {policy: _ranges(networks) for policy, networks in addresses.items() if networks not in (None, [])}
        counting = addresses.keys() if not limited or await self._believed() else addresses.keys() - limited.keys()
        return Policies(
            [each for each in unruled if each.policy in counting],
            [given for row in access if (given := _assignment(row)).policy in counting],
            {str(row["id"]): _optional(row["parent"]) for row in roles},
            {policy: limited[policy] for policy in limited if policy in counting},
        )

    async def _addresses(self, policies: Sequence[str]) -> dict[str, object]:
        """Give the `ip_access` of these policies, but of the service's own: no caller holds that one."""
        found = await self._rows("directus_policies", {"id": {"_in": policies}}) if policies else []
        return {str(row["id"]): row["ip_access"] for row in found if row["name"] != self._own_policy}

    async def _believed(self) -> bool:
        """Say whether Directus takes a caller's address from us, so that its policies apply where we think they do.

        `provision` makes a service policy that does not apply at one address; another policy shows nothing.
        """
        as_nobody = replace(self._service, address=NOBODYS_ADDRESS)
        try:
            return not (await self._own.permissions(as_nobody)).grants
        except CredentialRefused:
            return False

    async def _rows(self, collection: str, wanted: Query) -> list[Item]:
        query = {"fields": list(READ[collection]), "filter": wanted, "sort": ["id"]}
        pages = self._pages[collection].of(self._service, query, f"read {collection}")
        found: list[Item] = []
        while not pages.ended:
            found += await pages.next_page()
            if pages.position > _MOST:
                raise ItemRefused(f"{collection} has more than {_MOST} rows.", status=422, code="TOO_MANY_ROWS")
        if any(not row.keys() >= {*READ[collection]} for row in found):
            raise DirectusUnavailable(f"the answer to a list of {collection} lacks fields that were asked for")
        return found


def _unruled(row: Item) -> Iterator[Unruled]:
    action, policy = _ACTIONS.get(str(row["action"])), row["policy"]
    if row["permissions"] in (None, {}, []) and action is not None and isinstance(policy, str):
        yield Unruled(policy, str(row["collection"]), action, fields_of(action, row["fields"]))


def _ranges(networks: object) -> list[Range]:
    return ranges(str(network) for network in networks) if isinstance(networks, list) else []


def _assignment(row: Item) -> Assignment:
    return Assignment(str(row["policy"]), _optional(row["role"]), _optional(row["user"]))


def _optional(value: object) -> str | None:
    return None if value is None else str(value)
