"""Who asks, once the gate let them in."""

import secrets
from dataclasses import dataclass
from hashlib import blake2b

from sidecar.core.access.credentials import Credential, Guest, subject
from sidecar.core.access.permissions import Action, AllowedFields, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.core.access.scope import Everything, Scope

_SECRET = secrets.token_bytes(32)  # of this process: what keeps turns and places by name must not keep tokens


def name_of(who: Credential | Guest) -> str:
    """Give the same name for all sessions of one user, whatever their number; a static token has a name of its own.

    Guests go by their addresses, those of one IPv6 subscriber by one name.
    """
    return blake2b(subject(who).encode(), key=_SECRET, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who it is, what Directus lets them do, and which customers that covers.

    `shared_item` is the primary key of the one item that a share shows, None for a user. `name` is that of `name_of`.
    """

    who: Credential | Guest
    permissions: Permissions
    requirement: Requirement
    scope: Scope
    name: str
    shared_item: str | None = None

    @property
    def is_guest(self) -> bool:
        """Whether the request carries no credential."""
        return isinstance(self.who, Guest)

    @property
    def credential(self) -> Credential:
        """Give the token with which Directus is asked in this caller's name; of a guest nothing may be asked."""
        assert isinstance(self.who, Credential)  # noqa: S101 - what is open to guests reads no rows and writes none
        return self.who

    @property
    def has_all_customers(self) -> bool:
        return isinstance(self.scope, Everything)

    def fields(self, action: Action) -> AllowedFields:
        """Give the fields allowed for an action on the operation's own collection.

        Where a caller has the action on every item, fields that an item rule adds do not count: they are granted in
        that rule's items only. For reading its own items, each row tells. In another collection than that of the
        customers no row is looked at, so the fields in every item are all that counts.
        """
        grant = self.permissions.grant(self.requirement.collection, action)
        if self.requirement.collection != self.requirement.customers.name:
            return grant.everywhere
        by_row = action is Action.READ and not self.has_all_customers
        return grant.fields if by_row or grant.everywhere.empty else grant.everywhere

    def customer_fields(self) -> AllowedFields:
        """Give the fields that may be read of the customers collection, whichever collection the operation has."""
        return self.permissions.grant(self.requirement.customers.name, Action.READ).fields
