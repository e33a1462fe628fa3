"""Whether Directus's public policy grants what the operator opened to requests without a credential.

`check` asks as a guest does, without a token. A public policy with `ip_access` counts for it at its own address only.
"""

from collections.abc import AsyncIterator

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.clients.directus.policies import DirectusPolicies
from sidecar.commands.lines import Line, Word
from sidecar.core.access.credentials import Credential, guest
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Permissions
from sidecar.core.access.policy import authorize
from sidecar.core.operations.rules import Rule
from sidecar.errors import CredentialRefused, DirectusUnavailable
from sidecar.settings import Settings

_GUEST = Identity(without_role=True)


async def guest_lines(settings: Settings, client: DirectusClient, service: Credential | None) -> AsyncIterator[Line]:
    rules = [rule for rule in settings.rules if rule.public]
    if not rules:
        return
    try:
        permissions = await _permissions(settings, client, service)
    except (CredentialRefused, DirectusUnavailable) as error:
        yield Line(Word.FAULT, f"Directus does not say what it lets everybody do ({error.detail or error.code})")
        return
    for rule in rules:
        yield _line(settings, rule, permissions)


async def _permissions(settings: Settings, client: DirectusClient, service: Credential | None) -> Permissions:
    """Ask, and add what is granted without an item rule beside permissions with one, as the service does."""
    said = await DirectusPermissions(client, settings.collections).permissions(guest(None))
    if service is None or not said.partial:
        return said
    own_policy = settings.customers_collection.service_policy
    policies = await DirectusPolicies(client, service, settings.collections, own_policy).policies()
    return said if policies is None else policies.complete(said, _GUEST, None)


def _line(settings: Settings, rule: Rule, permissions: Permissions) -> Line:
    what = f'"{rule.action}" on {rule.collection}'
    if authorize(permissions, rule.requirement(settings.customers_collection).of_guests).allowed:
        return Line(Word.OK, f"[{rule.operation.name}] is open to everybody: the public policy grants {what}")
    return Line(
        Word.NOTE,
        f"[{rule.operation.name}] has public = true, but Directus's public policy does not grant {what} for all items, "
        "at least not at this address: requests without a credential are refused; grant it there, or take the line out",
    )
