"""The decision. Deny is the default: a caller is refused unless a rule below expressly allows it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.permissions import Access, Action, Grant, Permissions


@dataclass(frozen=True, slots=True)
class Requirement:
    """What Directus must grant before an operation runs.

    `customers` is the collection whose items say which customers are a caller's own. `names_customer`: the request
    names a customer. `scopable`: what is asked for belongs to customers, so a caller with partial access may have its
    own. `unscoped`: the action that a caller with access to all customers must be granted as well. `plain_read`: it
    only reads what belongs to customers, by the permission to read their items, so the operator may open it to shares.
    `everything`: it tells every attribute of every customer's objects. `public`: the operator opened it to guests.
    """

    collection: str
    action: Action
    customers: CustomersCollection
    names_customer: bool = False
    scopable: bool = False
    unscoped: Action | None = None
    plain_read: bool = False
    everything: bool = False
    public: bool = False

    @property
    def of_guests(self) -> "Requirement":
        """The same for a request without a credential, which is about no customer, so that no row decides."""
        return replace(self, scopable=False, unscoped=None)

    def granted_by(self, permissions: Permissions) -> bool:
        """Say whether the required action is granted at all; what else a decision takes is for `authorize`."""
        return permissions.grant(self.collection, self.action).usable

    def whole(self, permissions: Permissions) -> bool:
        """Say whether the required action is granted on every item."""
        if (self.collection, self.action) == (self.customers.name, Action.READ):
            return reads_all(permissions, self.customers)
        return _on_every_item(permissions.grant(self.collection, self.action))


class Reason(StrEnum):
    """The values of `extensions.reason` in a refusal, and of the label `verdict` in the metrics."""

    GRANTED = "granted"
    NO_ACCESS = "no_access"
    NO_CUSTOMERS = "no_customers"
    NO_ID_FIELD = "no_id_field"
    NO_KEY_FIELD = "no_key_field"
    PARTIAL_ACCESS = "partial_access"
    OWN_ONLY = "own_only"
    UNSEEN = "unseen"
    ID_FIELD_WRITABLE = "id_field_writable"
    NOT_VISIBLE = "not_visible"
    NO_CUSTOMER_YET = "no_customer_yet"
    NO_USER = "no_user"
    SHARE = "share"
    SHARED_ITEM = "shared_item"


@dataclass(frozen=True, slots=True)
class Decision:
    """`scoped`: allowed for the customers in the caller's own rows only."""

    allowed: bool = False
    reason: Reason = Reason.NO_ACCESS
    scoped: bool = False


def authorize(permissions: Permissions, requirement: Requirement) -> Decision:
    """Decide by what Directus grants; the ownership check reads the rows of a scoped caller afterwards.

    Only rows of the customers collection tell which customers a caller may touch, whichever collection grants the
    operation. An item rule on another collection, or on creating, says nothing about customers.
    """
    grant = permissions.grant(requirement.collection, requirement.action)
    read = permissions.grant(requirement.customers.name, Action.READ)
    partial = not requirement.whole(permissions)
    scoped = partial or (requirement.scopable and not reads_all(permissions, requirement.customers))
    about_rows = requirement.collection == requirement.customers.name and requirement.action is not Action.CREATE
    needs_id = scoped or requirement.names_customer
    by_key = partial and requirement.action is not Action.READ  # Directus says by primary key which items are covered
    objections = (
        (not grant.usable, Reason.NO_ACCESS),
        (partial and not (requirement.scopable and about_rows), Reason.PARTIAL_ACCESS),
        (requirement.scopable and not read.usable, Reason.NO_CUSTOMERS),
        (needs_id and not read.fields.allow(requirement.customers.id_field), Reason.NO_ID_FIELD),
        (by_key and not read.fields.allow(requirement.customers.key_field), Reason.NO_KEY_FIELD),
        (scoped and _may_write_id(permissions, requirement), Reason.ID_FIELD_WRITABLE),
        (not scoped and not _may_for_all(permissions, requirement), Reason.OWN_ONLY),
        (requirement.everything and not _sees_everything(permissions, requirement), Reason.UNSEEN),
    )
    for objection, reason in objections:
        if objection:
            return Decision(reason=reason)
    return Decision(allowed=True, reason=Reason.GRANTED, scoped=scoped)


def reads_all(permissions: Permissions, customers: CustomersCollection) -> bool:
    """Say whether a caller may see every customer.

    With partial access it takes the ID field in every item: a policy that shows all items without their customers
    shows nobody's customer.
    """
    grant = permissions.grant(customers.name, Action.READ)
    return grant.access is Access.FULL or grant.unruled.allow(customers.id_field)


def _on_every_item(grant: Grant) -> bool:
    return grant.access is Access.FULL or not grant.unruled.empty


def may_read_own(permissions: Permissions, customers: CustomersCollection) -> bool:
    """Say whether a caller could be shown a customer that one of its own items names."""
    reading = Requirement(customers.name, Action.READ, customers, names_customer=True, scopable=True)
    return authorize(permissions, reading).allowed


def _may_write_id(permissions: Permissions, requirement: Requirement) -> bool:
    """A caller who may write the ID field could put a foreign customer into a row of its own and read it."""
    grants = (permissions.grant(requirement.customers.name, action) for action in (Action.CREATE, Action.UPDATE))
    return any(grant.usable and grant.fields.allow(requirement.customers.id_field) for grant in grants)


def _may_for_all(permissions: Permissions, requirement: Requirement) -> bool:
    """Where the operator lets readers act for their own customers, reading all does not mean acting for all."""
    if requirement.unscoped is None:
        return True
    return _on_every_item(permissions.grant(requirement.collection, requirement.unscoped))


def _sees_everything(permissions: Permissions, requirement: Requirement) -> bool:
    """Say whether the caller sees every attribute of all objects, and whose they are."""
    seen = permissions.grant(requirement.collection, Action.READ).everywhere
    customers = requirement.customers
    ids = permissions.grant(customers.name, Action.READ).everywhere.allow(customers.id_field)
    return seen.unrestricted and ids and reads_all(permissions, customers)


def explain(reason: Reason, requirement: Requirement) -> str:
    """Tell the caller what is missing and how an administrator grants it, in Directus's words."""
    words = {
        "place": f'"{requirement.action}" on the collection "{requirement.collection}"',
        "rows": f'"read" on the collection "{requirement.customers.name}"',
        "field": f'"{requirement.customers.id_field}"',
        "key": f'"{requirement.customers.key_field}"',
        "all": f'"{requirement.unscoped}" on the collection "{requirement.collection}"',
    }
    return _WORDS[reason].format(**words)


_WORDS = {
    Reason.GRANTED: "You may do this.",
    Reason.NO_ACCESS: "You have no permission to {place}. An administrator can grant it in a policy.",
    Reason.NO_CUSTOMERS: (
        "This also takes the permission to {rows}, whose items say which customers are yours. "
        "An administrator can grant it in a policy."
    ),
    Reason.NO_ID_FIELD: "Your permission to {rows} does not allow the field {field}, which this route needs.",
    Reason.NO_KEY_FIELD: (
        "Your permission to {rows} does not allow the primary key {key}, by which Directus tells which of your items "
        "you may do this to."
    ),
    Reason.PARTIAL_ACCESS: (
        "Your permission to {place} covers some items only (partial access); here it takes one for all."
    ),
    Reason.OWN_ONLY: (
        "This permission covers your own customers only. You may see all customers, so you also need {all}."
    ),
    Reason.UNSEEN: (
        "What is chosen by an attribute tells it, so this takes sight of it in every item, which your permission to "
        "{rows} does not give. An administrator can grant it in a policy; a search takes every field (`*`)."
    ),
    Reason.ID_FIELD_WRITABLE: (
        "You may write the field {field} yourself, so your items cannot tell which customers are yours. "
        'An administrator can take {field} out of the fields of "create" and "update" in the policy.'
    ),
    Reason.NOT_VISIBLE: "This is not one of your customers, or does not belong to one of them.",
    Reason.NO_CUSTOMER_YET: (
        "You have no customer at Stripe yet: none of the items that your permission to {rows} covers names one in its "
        "field {field}. The operation customers.create makes one for an item where this service writes "
        "customer IDs back (STRIPE_WRITE_BACK); otherwise ask an administrator."
    ),
    Reason.NO_USER: (
        "This token names no user of Directus, so a permission to {place} is nobody's. Sign in to Directus as a user."
    ),
    Reason.SHARE: (
        "This token is a share's, which belongs to nobody but to whoever has the link, so its permission to {rows} "
        "does not count here. Sign in to Directus as a user. With ALLOW_SHARES=read the operator lets shares read."
    ),
    Reason.SHARED_ITEM: (
        "A share opens one thing here: by its permission to {rows} it reads the customer of the shared item. "
        "Sign in to Directus as a user for anything else."
    ),
}
