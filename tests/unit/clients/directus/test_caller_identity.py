"""Who a static token belongs to, as Directus says it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.clients.http import open_session
from sidecar.core.access.identity import Identity
from sidecar.errors import CredentialRefused, DirectusUnavailable
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, User
from tests.unit.clients.directus.sources import credential

ADA = credential("the-token")
FORBIDDEN = '{"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}]}'


@asynccontextmanager
async def permissions_of(directus: DirectusDouble, refused: str | None = None) -> AsyncIterator[DirectusPermissions]:
    directus.add_users([User("ada", ADA.token, roles=("everyone", "clerk"), refused=refused)])
    async with open_session(total=30, connect=30, connections=3) as session:
        yield DirectusPermissions(DirectusClient(session, directus.url, address_header="X-Forwarded-For"), ())


async def test_a_static_token(directus: DirectusDouble) -> None:
    """O2: Directus names the user and the roles of a static token; the public policies do not count for it."""
    async with permissions_of(directus) as source:
        assert await source.identity(ADA) == Identity("ada", ("everyone", "clerk"), without_role=False)


@pytest.mark.parametrize("code", ["INVALID_CREDENTIALS", "TOKEN_EXPIRED", "INVALID_TOKEN"])
async def test_a_token_that_is_refused_by_now(directus: DirectusDouble, code: str) -> None:
    """C6: A token that Directus refuses by now is refused with its code; that is no outage."""
    async with permissions_of(directus, refused=code) as source:
        with pytest.raises(CredentialRefused) as refusal:
            await source.identity(ADA)

    assert refusal.value.code == code


async def test_a_token_without_a_user(directus: DirectusDouble) -> None:
    """O2: Where Directus names neither user nor roles, nothing is known of a token, and no policy counts for it."""
    directus.fail(faults.answer(403, FORBIDDEN))
    async with permissions_of(directus) as source:
        assert await source.identity(ADA) == Identity()


async def test_the_user_alone(directus: DirectusDouble) -> None:
    """F6: Whose a static token is costs one question."""
    async with permissions_of(directus) as source:
        assert await source.user_patiently(ADA) == "ada"
    assert [request.path for request in directus.requests] == ["/users/me"]


async def test_the_user_of_a_token_without_one(directus: DirectusDouble) -> None:
    """F6: A token of which Directus names no user has none."""
    directus.fail(faults.answer(403, FORBIDDEN))
    async with permissions_of(directus) as source:
        assert await source.user_patiently(ADA) is None


async def test_an_outage_tells_no_user(directus: DirectusDouble) -> None:
    """C6: An outage says nothing about whose a token is."""
    directus.fail(faults.answer(503))
    async with permissions_of(directus) as source:
        with pytest.raises(DirectusUnavailable):
            await source.user_patiently(ADA)


@pytest.mark.parametrize("path", ["/users/me", "/roles/me"])
async def test_an_outage(directus: DirectusDouble, path: str) -> None:
    """C6: An outage at either question is no answer."""
    directus.fail(faults.answer(503), when=lambda request: request.path == path)
    async with permissions_of(directus) as source:
        with pytest.raises(DirectusUnavailable):
            await source.identity(ADA)
