"""O3: which Directus this is, so that another one on the same Stripe account has other customers."""

from collections.abc import AsyncIterator

import pytest

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.project import DirectusProject, NamedProject
from sidecar.clients.http import open_session
from sidecar.core.access.credentials import Credential, Source
from sidecar.errors import DirectusUnavailable
from tests.aioresponses_compat import Reply, reply, upstream

SERVICE = Credential("service", Source.SERVICE, None)
ID = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
async def project() -> AsyncIterator[DirectusProject]:
    async with open_session(total=1, connect=1, connections=1) as session:
        yield DirectusProject(DirectusClient(session, "http://directus.test", address_header="X-Forwarded-For"))


async def test_it_is_asked_once(project: DirectusProject) -> None:
    """Directus is asked with the given token for its ID alone, and never again."""
    with upstream(reply({"data": {"project_id": ID}})) as directus:
        names = [await project.name(SERVICE) for _ in range(2)]

    assert names == [ID, ID]
    [request] = directus.requests
    assert (request.url.path, request.url.query["fields"]) == ("/settings", "project_id")


@pytest.mark.parametrize(
    "answer",
    [
        reply({"errors": [{"message": "m", "extensions": {"code": "FORBIDDEN"}}]}, status=403),
        reply({"data": {"project_id": None}}),
        reply({"data": {"project_id": ""}}),
        reply({"data": {"project_id": 7}}),
        reply({"data": {}}),
        reply({"data": [ID]}),
        reply({}, status=503),
    ],
    ids=["refused", "null", "empty", "a number", "without", "a list", "down"],
)
async def test_without_an_id_there_is_no_project(answer: Reply, project: DirectusProject) -> None:
    """No project is made up, and the next request asks again."""
    with upstream(answer, reply({"data": {"project_id": ID}})):
        with pytest.raises(DirectusUnavailable):
            await project.name(SERVICE)

        assert await project.name(SERVICE) == ID


async def test_nobody_asks_without_a_token(project: DirectusProject) -> None:
    """A token-less question would be the public's."""
    with upstream() as directus, pytest.raises(DirectusUnavailable) as unavailable:
        await project.name(None)

    assert "set DIRECTUS_PROJECT (no token)" in str(unavailable.value.detail)
    assert directus.requests == []


async def test_a_name_is_the_operators() -> None:
    """A project that the operator named needs no question."""
    assert await NamedProject("shop").name(None) == "shop"
