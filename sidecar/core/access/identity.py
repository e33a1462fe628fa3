"""Who a credential belongs to: the user and its roles, by which Directus finds the policies that apply."""

from dataclasses import dataclass

from sidecar.core.access.claims import issued_claims
from sidecar.core.access.credentials import Credential


@dataclass(frozen=True, slots=True)
class Identity:
    """`user` is None for a credential that is no user's, such as a share's.

    `roles` are those that are known to be the user's. `without_role` is True only where the user is known to have none:
    then Directus applies the public policies, and to nobody else.
    """

    user: str | None = None
    roles: tuple[str, ...] = ()
    without_role: bool = False


def identity_in(credential: Credential) -> Identity | None:
    """Read a token that Directus issued, from whose claims Directus itself takes user and role; None for a static one.

    Use it only after Directus accepted the token.
    """
    found = issued_claims(credential.token)
    if found is None:
        return None
    user, role = found.get("id"), found.get("role")
    if not isinstance(user, str) or "share" in found:
        return Identity()
    return Identity(user, (role,) if isinstance(role, str) else (), without_role="role" in found and role is None)
