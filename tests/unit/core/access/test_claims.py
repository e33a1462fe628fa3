"""What is read from a token's claims, and which tokens only look like Directus's."""

from base64 import urlsafe_b64encode

import pytest

from sidecar.core.access.claims import user_of
from sidecar.core.access.credentials import Credential, Source, expires_at, subject

USER = '"id": "7d1c", "iss": "directus", "exp": 1700000000'


def credential(claims: str, header: str = "") -> Credential:
    parts = (urlsafe_b64encode(f"{{{members}}}".encode()).decode().rstrip("=") for members in (header, claims))
    return Credential(f"{'.'.join(parts)}.signature", Source.HEADER, "192.0.2.7")


def test_a_token_of_directus_names_its_user() -> None:
    """The claim `id` of a token that Directus issued is the user, and identifies the caller."""
    issued = credential(USER)

    assert (user_of(issued.token), subject(issued)) == ("7d1c", "user 7d1c")
    assert expires_at(issued.token) == 1_700_000_000


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have(number: str) -> None:
    """Directus cannot parse NaN, so it reads a token with NaN as a static one, whose owner chose the claims."""
    for token in (credential(f'{USER}, "x": {number}'), credential(USER, header=f'"x": {number}')):
        assert (user_of(token.token), expires_at(token.token)) == (None, None)
        assert subject(token) == f"token {token.token}"
