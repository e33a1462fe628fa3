"""The decision. Deny is the zero value: whatever is not expressly allowed below is refused."""

from dataclasses import dataclass
from enum import StrEnum

from sidecar.core.permissions import Access, Action, Permissions


@dataclass(frozen=True, slots=True)
class Requirement:
    """What Directus must grant before an operation runs.

    `id_field` is the field that holds Stripe's customer ID. `names_customer`: the request itself names one.
    `scopable`: a caller with partial access can be held to the customers in its own rows.
    """

    collection: str
    action: Action
    id_field: str
    names_customer: bool = False
    scopable: bool = False


class Reason(StrEnum):
    """Goes out as `extensions.reason` of a refusal."""

    GRANTED = "granted"
    NO_ACCESS = "no_access"
    NO_FIELDS = "no_fields"
    NO_ID_FIELD = "no_id_field"
    PARTIAL_ACCESS = "partial_access"
    ID_FIELD_WRITABLE = "id_field_writable"
    NOT_VISIBLE = "not_visible"


@dataclass(frozen=True, slots=True)
class Decision:
    """`scoped`: allowed for the customers in the caller's own rows, and for no other."""

    allowed: bool = False
    reason: Reason = Reason.NO_ACCESS
    scoped: bool = False


def authorize(permissions: Permissions, requirement: Requirement) -> Decision:
    """Decide from what Directus grants alone; which rows a scoped caller has is asked afterwards."""
    grant = permissions.grant(requirement.collection, requirement.action)
    partial = grant.access is not Access.FULL
    needs_id = partial or requirement.names_customer
    objections = (
        (grant.access is Access.NONE, Reason.NO_ACCESS),
        (grant.fields.empty, Reason.NO_FIELDS),
        (partial and not requirement.scopable, Reason.PARTIAL_ACCESS),
        (needs_id and not grant.fields.allow(requirement.id_field), Reason.NO_ID_FIELD),
        (partial and _may_write_id(permissions, requirement), Reason.ID_FIELD_WRITABLE),
    )
    for objection, reason in objections:
        if objection:
            return Decision(reason=reason)
    return Decision(allowed=True, reason=Reason.GRANTED, scoped=partial)


def _may_write_id(permissions: Permissions, requirement: Requirement) -> bool:
    """Whoever may write the field could put another's customer into a row of its own and read that."""
    grants = (permissions.grant(requirement.collection, action) for action in (Action.CREATE, Action.UPDATE))
    return any(grant.usable and grant.fields.allow(requirement.id_field) for grant in grants)


def explain(reason: Reason, requirement: Requirement) -> str:
    """Say to the caller what is missing and how it is mended, in Directus's words."""
    action, field = requirement.action, requirement.id_field
    place = f'"{action}" on the collection "{requirement.collection}"'
    match reason:
        case Reason.NO_FIELDS:
            return f"Your permission to {place} allows no field. An administrator can allow some in the policy."
        case Reason.NO_ID_FIELD:
            return f'Your permission to {place} does not allow the field "{field}", which this route needs.'
        case Reason.PARTIAL_ACCESS:
            return f"Your permission to {place} covers some items only (partial access); here it takes one for all."
        case Reason.ID_FIELD_WRITABLE:
            return (
                f'You may write the field "{field}" yourself, so your items cannot tell which customers are yours. '
                f'An administrator can take "{field}" out of the fields of "create" and "update" in the policy.'
            )
        case Reason.NOT_VISIBLE:
            return "This is not one of your customers."
        case _:
            return f"You have no permission to {place}. An administrator can grant it in a policy."
