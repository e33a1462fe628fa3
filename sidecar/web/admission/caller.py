"""Who asked, once the gate let them in."""

from dataclasses import dataclass

from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Action, AllowedFields, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.core.access.scope import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, what Directus lets them do, and whose customers they may touch.

    `scope` is everything, or the one customer that the path names, or nobody yet: then `Hold` finds out.
    """

    credential: Credential
    permissions: Permissions
    requirement: Requirement
    scope: Scope

    def fields(self, action: Action) -> AllowedFields:
        return self.permissions.grant(self.requirement.collection, action).fields

    def customer_fields(self) -> AllowedFields:
        """What may be read of the customers collection, whichever collection the operation is granted on."""
        return self.permissions.grant(self.requirement.customers.name, Action.READ).fields
