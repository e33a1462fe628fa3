"""The token of a credential that is known to have one."""

from sidecar.core.access.credentials import Credential


def token_of(credential: Credential) -> str:
    """Give the token; only a guest has none."""
    assert credential.token is not None
    return credential.token
