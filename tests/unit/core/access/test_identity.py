"""Who a token belongs to, by the claims from which Directus itself takes user and role."""

import json
from base64 import urlsafe_b64encode

import pytest

from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.identity import Identity, identity_in


def credential(**claims: object) -> Credential:
    parts = (urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims))
    return Credential(f"{'.'.join(parts)}.signature", Source.HEADER, "192.0.2.7")


@pytest.mark.parametrize(
    ("claims", "identity"),
    [
        ({"id": "ada", "role": "clerk"}, Identity("ada", ("clerk",))),
        ({"id": "ada", "role": None}, Identity("ada", without_role=True)),
        ({"id": "ada"}, Identity("ada")),
        ({"id": "ada", "role": 7}, Identity("ada")),
        ({"share": "s1", "role": "clerk"}, Identity()),
        ({"id": "ada", "share": "s1", "role": "clerk"}, Identity()),
        ({"role": "clerk"}, Identity()),
        ({"id": None, "role": None}, Identity()),
    ],
)
def test_claims(claims: dict[str, object], identity: Identity) -> None:
    """O1, O2: A share is nobody; only `role: null` says that a user has no role; what is odd holds nothing."""
    assert identity_in(credential(iss="directus", **claims)) == identity


@pytest.mark.parametrize("token", ["static", "a.b.c"])
def test_a_static_token(token: str) -> None:
    """A token that Directus did not issue tells nothing, whatever it claims."""
    assert identity_in(Credential(token, Source.HEADER, None)) is None
    assert identity_in(credential(iss="another", id="ada", role=None)) is None
