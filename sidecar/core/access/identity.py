"""Who a credential belongs to: the user and its roles, by which Directus finds the policies that apply."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from sidecar.core.access.claims import claims, is_issued, issued_claims, user_in
from sidecar.core.access.credentials import Credential

_SHARE_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True)
class Identity:
    """`user` is None for a credential that is no user's, such as a share's.

    `roles` are those that are known to be the user's. `without_role` is True only where the user is known to have none:
    then Directus applies the public policies, and to nobody else.
    """

    user: str | None = None
    roles: tuple[str, ...] = ()
    without_role: bool = False


class Standing(Enum):
    """Whose a token says it is. Directus knows the user of a static token, and has no static token of anybody else."""

    SOMEBODY = auto()
    SHARE = auto()  # whoever has the link
    NOBODY = auto()  # Directus would let it in by the role that it names


def standing(credential: Credential) -> Standing:
    """Read it before Directus is asked. A `share` among the claims of any JWT counts, whatever its value."""
    found = claims(credential.token)
    if "share" in found:
        return Standing.SHARE
    return Standing.NOBODY if is_issued(found) and user_in(found) is None else Standing.SOMEBODY


def share_of(credential: Credential) -> str | None:
    """Read the ID of a share as Directus writes it; None where the token also names a user, or no share."""
    found = issued_claims(credential.token) or {}
    share = found.get("share")
    return share if isinstance(share, str) and "id" not in found and _SHARE_ID.fullmatch(share) else None


def identity_in(credential: Credential) -> Identity | None:
    """Read a token that Directus issued, from whose claims Directus itself takes user and role; None for a static one.

    Use it only after Directus accepted the token.
    """
    found = issued_claims(credential.token)
    if found is None:
        return None
    user, role = user_in(found), found.get("role")
    if user is None or "share" in found:
        return Identity()
    return Identity(user, (role,) if isinstance(role, str) else (), without_role="role" in found and role is None)
