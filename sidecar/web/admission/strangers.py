"""Tokens that are nobody's: refused by what they say of themselves, except for shares that the operator lets read."""

from dataclasses import dataclass

from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Standing, share_of, standing
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.access.policy import Decision, Reason, Requirement
from sidecar.core.interfaces import SharedItems
from sidecar.web.admission.refusals import Refusals


@dataclass(frozen=True, slots=True)
class Strangers:
    """`items` is None where shares are refused."""

    items: SharedItems | None
    refusals: Refusals

    def share(self, credential: Credential, requirement: Requirement) -> str | None:
        """Give the share's ID where it is one that may do this, None for a user's token.

        Asks nobody. Raises PermissionDenied for every other token.
        """
        whose = standing(credential)
        if whose is Standing.SOMEBODY:
            return None
        if whose is Standing.SHARE and self.items is None:
            raise self.refusals.denied(Reason.SHARE, requirement)
        share = share_of(credential)
        if share is None:
            raise self.refusals.denied(Reason.NO_USER, requirement)
        if not requirement.plain_read:
            raise self.refusals.denied(Reason.SHARED_ITEM, requirement)
        return share

    async def shared_item(
        self, credential: Credential, share: str, permissions: Permissions, requirement: Requirement, decision: Decision
    ) -> str:
        """Give the primary key of the item that an admitted share shows.

        Directus lets a share also read what its item relates to, which may be other customers. Raises PermissionDenied
        for a share of anything else than an item of the customers, CredentialRefused and DirectusUnavailable.
        """
        customers = requirement.customers
        if self.items is None or not decision.scoped:
            raise self.refusals.denied(Reason.SHARED_ITEM, requirement)
        if not permissions.grant(customers.name, Action.READ).fields.allow(customers.key_field):
            raise self.refusals.denied(Reason.NO_KEY_FIELD, requirement)
        shown = await self.items.shared_item(credential, share)
        if shown.collection != customers.name:
            raise self.refusals.denied(Reason.SHARED_ITEM, requirement)
        return shown.key
