"""Whether Directus's public policy grants what the operator opened to requests without a credential.

Directus does not tell nobody what nobody may do, so the policies are read with the service token, as the service does.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.policies import DirectusPolicies
from sidecar.commands.lines import Line, Word
from sidecar.core.access.credentials import Credential
from sidecar.core.access.policy import Requirement, authorize
from sidecar.core.access.whole_access import Policies
from sidecar.core.operations.rules import Rule
from sidecar.settings import Settings


async def guest_lines(settings: Settings, client: DirectusClient, service: Credential) -> AsyncIterator[Line]:
    """Raises DirectusUnavailable."""
    rules = [rule for rule in settings.rules if rule.public]
    if not rules:
        return
    own_policy = settings.customers_collection.service_policy
    policies = await DirectusPolicies(client, service, settings.collections, own_policy).policies()
    if policies is None:
        names = ", ".join(rule.operation.name for rule in rules)
        yield Line(
            Word.FAULT,
            f"requests without a credential are refused ({names}), as the service token may not read who holds which "
            "policy: run `provision`",
        )
        return
    for rule in rules:
        yield _line(settings, rule, policies)


def _line(settings: Settings, rule: Rule, policies: Policies) -> Line:
    wanted, what = rule.requirement(settings.customers_collection).of_guests, f'"{rule.action}" on {rule.collection}'
    if _granted(policies, wanted):
        return Line(Word.OK, f"[{rule.operation.name}] is open to everybody: the public policy grants {what}")
    if _granted(replace(policies, ranges={}), wanted):
        return Line(
            Word.OK, f"[{rule.operation.name}] is open at some addresses: there the public policy grants {what}"
        )
    return Line(
        Word.FAULT,
        f"[{rule.operation.name}] has public = true, but Directus's public policy does not grant {what} for every "
        "item: grant it there, or take the line out",
    )


def _granted(policies: Policies, wanted: Requirement) -> bool:
    return authorize(policies.public(None), wanted).allowed
