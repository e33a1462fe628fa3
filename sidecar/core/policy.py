"""The decision. Deny is the zero value: whatever is not expressly allowed below is refused."""

from dataclasses import dataclass
from enum import StrEnum

from sidecar.core.permissions import Access, Action, Permissions


@dataclass(frozen=True, slots=True)
class Requirement:
    """What Directus must grant before an operation runs."""

    collection: str
    action: Action


class Reason(StrEnum):
    """Goes out as `extensions.reason` of a refusal."""

    GRANTED = "granted"
    NO_ACCESS = "no_access"
    NO_FIELDS = "no_fields"
    PARTIAL_ACCESS = "partial_access"


@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool = False
    reason: Reason = Reason.NO_ACCESS


def authorize(permissions: Permissions, requirement: Requirement) -> Decision:
    """Allow where access is full and at least one field is allowed.

    Partial access holds for some items only. Until a caller can be held to its own items, it is refused.
    """
    grant = permissions.grant(requirement.collection, requirement.action)
    if grant.access is Access.NONE:
        return Decision()
    if grant.fields.empty:
        return Decision(reason=Reason.NO_FIELDS)
    if grant.access is not Access.FULL:
        return Decision(reason=Reason.PARTIAL_ACCESS)
    return Decision(allowed=True, reason=Reason.GRANTED)


def explain(decision: Decision, requirement: Requirement) -> str:
    """Say to the caller what is missing, in Directus's words."""
    place = f'"{requirement.action}" on the collection "{requirement.collection}"'
    match decision.reason:
        case Reason.PARTIAL_ACCESS:
            return (
                f"Your permission to {place} covers some items only (partial access). "
                "Here it takes one without an item rule; an administrator can change that in the policy."
            )
        case Reason.NO_FIELDS:
            return f"Your permission to {place} allows no field. An administrator can allow some in the policy."
        case _:
            return f"You have no permission to {place}. An administrator can grant it in a policy."
