"""We check every answer to an administrator's call ourselves, whatever the library makes of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.commands.administrator import Administrator, AdministratorFault
from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.doubles.eavesdropper import eavesdropping
from tests.doubles.faults import Fault, answer, not_http, redirect, reset_mid_body

TOKEN = "MARKEDadminTOKEN"


def refusal(status: int, code: str) -> Fault:
    error = {"message": "Directus's own words.", "extensions": {"code": code}}
    return answer(status, json.dumps({"errors": [error]}))


@pytest.fixture
async def directus() -> AsyncIterator[DirectusDouble]:
    async with DirectusDouble.running() as double:
        yield double


@pytest.fixture
def admin(directus: DirectusDouble) -> Administrator:
    return Administrator(directus.url, TOKEN)


async def test_a_row(directus: DirectusDouble, admin: Administrator) -> None:
    """A row is found, with the token as the only credential."""
    directus.fail(answer(200, '{"data": {"id": 1}}'))

    assert await asyncio.to_thread(admin.find, "roles/1") == {"id": 1}
    [request] = directus.requests
    assert request.values("Authorization") == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(("status", "code"), [(403, "FORBIDDEN"), (404, "ROUTE_NOT_FOUND")])
async def test_an_absent_row(directus: DirectusDouble, admin: Administrator, status: int, code: str) -> None:
    """Directus's answer about a missing row gives None."""
    directus.fail(refusal(status, code))

    assert await asyncio.to_thread(admin.find, "roles/1") is None


@pytest.mark.parametrize(("status", "code"), [(401, "INVALID_CREDENTIALS"), (403, "INVALID_TOKEN")])
async def test_a_bad_token(directus: DirectusDouble, admin: Administrator, status: int, code: str) -> None:
    """A refused token does not count as a missing row; the message names the setting, not the token."""
    directus.fail(refusal(status, code))

    with pytest.raises(AdministratorFault, match=f"{code}.*DIRECTUS_ADMIN_TOKEN") as fault:
        await asyncio.to_thread(admin.find, "roles/1")
    assert TOKEN not in str(fault.value)


async def test_errors_in_the_text(directus: DirectusDouble, admin: Administrator) -> None:
    """Rows with the word "errors" are rows, though the library takes them for a failure."""
    rows = [{"collection": "errors"}, {"collection": "errors_old"}]
    directus.fail(answer(200, json.dumps({"data": rows})))

    assert await asyncio.to_thread(admin.rows, "collections") == rows


async def test_nothing_to_say(directus: DirectusDouble, admin: Administrator) -> None:
    """An empty 204 is a success, though the library tries to read it as JSON."""
    directus.fail(answer(204))

    await asyncio.to_thread(admin.change, "roles/1", {"name": "x"})


async def test_no_license(directus: DirectusDouble, admin: Administrator) -> None:
    """A Directus 12 that refuses item rules for want of a license is told apart, with the reason."""
    directus.fail(refusal(403, "RESOURCE_RESTRICTED"))

    with pytest.raises(AdministratorFault, match=r"RESOURCE_RESTRICTED.*license"):
        await asyncio.to_thread(admin.create, "permissions", {})


async def test_a_path_in_the_address(directus: DirectusDouble) -> None:
    """A path in DIRECTUS_URL stays in front of every route; the library alone would drop it."""
    directus.fail(answer(200, '{"data": []}'))

    await asyncio.to_thread(Administrator(f"{directus.url}/cms", TOKEN).rows, "policies", {"name": {"_eq": "a&b=c"}})

    [request] = directus.requests
    assert request.path == "/cms/policies"
    wanted = {"limit": "-1", "offset": "0", "filter": '{"name": {"_eq": "a&b=c"}}'}
    assert request.query.items() > wanted.items()


@pytest.mark.parametrize(("most", "questions"), [(1, 6), (2, 4), (5, 2), (100, 2), (None, 2)])
async def test_all_rows(directus: DirectusDouble, most: int | None, questions: int) -> None:
    """With any QUERY_LIMIT_MAX every row is read, though Directus takes "no limit" for that maximum."""
    directus.limit_max = most
    directus.add_users([User("administrator", TOKEN, grants(read=full()))])
    keys = [directus.add_row()["id"] for _ in range(5)]

    rows = await asyncio.to_thread(Administrator(directus.url, TOKEN).rows, "items/customers")

    assert [row["id"] for row in rows] == keys
    assert len(directus.requests) == questions


async def test_a_login_in_netrc(
    directus: DirectusDouble, admin: Administrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is sent even if ~/.netrc has a login for that host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    directus.fail(answer(200, '{"data": []}'))

    await asyncio.to_thread(admin.rows, "policies")

    [request] = directus.requests
    assert request.values("Authorization") == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize("scheme", ["http", "socks5h", ""])
@pytest.mark.parametrize("upstream", ["http", "https"])
async def test_a_proxy_of_the_environment(
    directus: DirectusDouble, monkeypatch: pytest.MonkeyPatch, scheme: str, upstream: str
) -> None:
    """D2: whatever variable names a proxy, the administrator's token goes to Directus alone."""
    directus.fail(answer(200, '{"data": {"id": 1}}'))
    async with eavesdropping(scheme) as proxy:
        for name, value in proxy.environment.items():
            monkeypatch.setenv(name, value)
        admin = Administrator(directus.url.replace("http", upstream, 1), TOKEN)

        if upstream == "https":  # the double speaks no TLS
            with pytest.raises(AdministratorFault, match="SSLError"):
                await asyncio.to_thread(admin.find, "roles/1")
        else:
            await asyncio.to_thread(admin.find, "roles/1")
            await asyncio.to_thread(admin.create, "roles", {})
            await asyncio.to_thread(admin.change, "roles/1", {})

    assert proxy.heard == []
    assert len(directus.requests) == (3 if upstream == "http" else 0)


async def test_a_redirect(directus: DirectusDouble, admin: Administrator) -> None:
    """A redirect is a fault and is not followed, so the token is sent to no other server."""
    async with DirectusDouble.running() as elsewhere:
        directus.fail(redirect(elsewhere.url))

        with pytest.raises(AdministratorFault, match="status 307"):
            await asyncio.to_thread(admin.rows, "policies")

        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "fault",
    [
        answer(200, "<html>Welcome</html>", "text/html"),
        answer(200, '"text"'),
        answer(200, "{}"),
        answer(502, "<html>errors</html>", "text/html"),
        answer(404, "<html>Not found</html>", "text/html"),
        not_http,
        reset_mid_body,
    ],
)
async def test_answers_that_are_not_directuss(directus: DirectusDouble, admin: Administrator, fault: Fault) -> None:
    """An answer that is not Directus's is a fault, never a row and never a missing row."""
    directus.fail(fault)

    with pytest.raises(AdministratorFault):
        await asyncio.to_thread(admin.find, "roles/1")


async def test_refused_connection(directus: DirectusDouble, admin: Administrator) -> None:
    """A refused connection is a fault."""
    await directus.refuse()

    with pytest.raises(AdministratorFault, match="could not be asked"):
        await asyncio.to_thread(admin.find, "roles/1")
