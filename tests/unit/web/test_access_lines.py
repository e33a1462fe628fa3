"""What the one line of a request says of who asked: operation, user and client."""

import json
from base64 import urlsafe_b64encode

import pytest

from tests.doubles.directus import User, full, grants
from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, READER, OpenApp, RunningApp

PAGE = "/stripe/payments?limit=1"
PROXY = {"TRUSTED_PROXIES": "127.0.0.1"}
CLIENT = [("X-Forwarded-For", "203.0.113.77")]


def session(user: str) -> str:
    """Give a token as Directus issues it."""
    parts: list[dict[str, object]] = [{"alg": "HS256", "typ": "JWT"}, {"iss": "directus", "id": user}]
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "MARKED"])


def line(app: RunningApp) -> dict[str, object]:
    """Give the last request's."""
    return log_records(app.log, "request")[-1]


@pytest.mark.parametrize(
    ("form", "shown"),
    [("full", "203.0.113.77"), ("anonymous", "203.0.113.0/24"), ("none", None), ("", "203.0.113.0/24")],
)
async def test_client(open_app: OpenApp, form: str, shown: str | None) -> None:
    """The client's address is whole, hidden in its network, or absent; without the setting it is hidden."""
    app = await open_app(LOG_CLIENT_ADDRESS=form, **PROXY)

    for target in (PAGE, "/nowhere", "/healthz"):
        await app.call(CLERK, target, headers=CLIENT)

        assert line(app).get("client") == shown
    assert ("203.0.113.77" in "".join(app.log)) is (form == "full")


async def test_client_that_no_proxy_names(open_app: OpenApp) -> None:
    """P4: Where a proxy says what is no address the line names no client, and an untrusted one is not believed."""
    behind, alone = await open_app(**PROXY), await open_app()

    await behind.call(CLERK, "/nowhere", headers=[("X-Forwarded-For", "nonsense")])
    assert "client" not in line(behind)
    await alone.call(CLERK, "/nowhere", headers=CLIENT)
    assert line(alone)["client"] == "127.0.0.0/24"


async def test_user(app: RunningApp) -> None:
    """A session's user is named by its ID in Directus, when it is let in, when it is remembered and when refused."""
    reader = User("3f0e-reader", session("3f0e-reader"), grants(read=full()))
    nobody = User("3f0e-nobody", session("3f0e-nobody"), {})
    app.directus.add_users([reader, nobody])
    app.tokens |= {reader.token, nobody.token}

    for user in (reader, reader, nobody):
        await app.call(user, PAGE)

        assert (line(app)["operation"], line(app)["user"]) == ("payments.list", user.name)


async def test_user_whom_directus_did_not_confirm(app: RunningApp) -> None:
    """What an unaccepted token says of itself is not believed, and a static token says nothing."""
    forged = User("forged", session("an-admin"), {})
    app.tokens.add(forged.token)

    assert (await app.call(forged, PAGE)).status == 401
    assert "user" not in line(app)
    await app.call(READER, PAGE)
    assert "user" not in line(app)


async def test_user_of_a_static_token(app: RunningApp) -> None:
    """Where Directus was asked whose a static token is, as before each change, the line names the user."""
    await app.create(CLERK)

    assert (line(app)["operation"], line(app)["user"]) == ("customers.create", CLERK.name)


async def test_requests_that_are_no_operation(app: RunningApp) -> None:
    """What is no operation has none in its line."""
    await app.call(target="/healthz")

    assert "operation" not in line(app)
