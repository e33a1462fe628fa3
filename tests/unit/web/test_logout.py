"""The route by which the proxy tells of logouts: who may tell, of what, and that it costs nobody else anything."""

import asyncio

import pytest

from tests.doubles import faults
from tests.doubles.directus import User, full, grants
from tests.doubles.faults import Stall
from tests.doubles.running_app import CLERK, LOGOUT_SECRET, NOBODY, READER, OpenApp, RunningApp, bearer
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer

NEWER = "MARKED-newer-secret-of-the-proxys-0123456789"
OF_THE_PROXY = ("X-Sidecar-Logout", LOGOUT_SECRET)
COOKIE = "directus_session_token"


def asked(app: RunningApp) -> int:
    return len(app.directus.requests)


def in_cookie(*tokens: str, name: str = COOKIE) -> tuple[str, str]:
    return "Cookie", "; ".join(f"{name}={token}" for token in tokens)


async def tell(app: RunningApp, *headers: tuple[str, str]) -> Answer:
    return await app.call(target="/logout", method="POST", headers=headers)


@pytest.mark.parametrize("secret", [OF_THE_PROXY, None, ("X-Sidecar-Logout", "x" * 40)], ids=["right", "none", "wrong"])
async def test_made_up_sessions_empty_no_cache(open_app: OpenApp, secret: tuple[str, str] | None) -> None:
    """C13, F6: 200 logouts with 750 made-up sessions each, then 300 requests of clerks: not one question more."""
    app = await open_app(SESSION_COOKIE_NAME="s", MAX_CONCURRENT_REQUESTS="1000")
    clerks = [User(f"clerk{number}", f"MARKED-clerk{number}", grants(read=full())) for number in range(10)]
    app.directus.add_users(clerks)
    app.tokens.update(clerk.token for clerk in clerks)
    for clerk in clerks:
        await app.call(clerk)
    before = asked(app)

    for number in range(200):
        made_up = in_cookie(*(f"{number}-{each}" for each in range(750)), name="s")
        await tell(app, *([secret] if secret else []), made_up)
    answers = [await app.call(clerk) for _ in range(30) for clerk in clerks]

    assert [answer.status for answer in answers] == [200] * 300
    assert asked(app) == before


async def test_one_credential_a_logout(app: RunningApp) -> None:
    """C13: Of several sessions, a header and others' tokens in one request only the first session is forgotten."""
    for user in (CLERK, READER, NOBODY):
        await app.call(user)
    before = asked(app)
    told = await app.log_out(
        in_cookie(CLERK.token, READER.token), ("Cookie", f"{COOKIE}={READER.token}"), bearer(NOBODY.token)
    )
    for user in (READER, NOBODY):
        await app.call(user)
    others = asked(app)
    await app.call(CLERK)

    assert told.status == 204
    assert (others, asked(app)) == (before, before + 1)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("X-Sidecar-Logout", "")],
        [("X-Sidecar-Logout", LOGOUT_SECRET[:-1])],
        [("X-Sidecar-Logout", LOGOUT_SECRET + "x")],
        [("X-Sidecar-Logout", f"{LOGOUT_SECRET},{LOGOUT_SECRET}")],
        [("X-Sidecar-Logout", "\x80ü")],
        [OF_THE_PROXY, OF_THE_PROXY],
        [("X_Sidecar_Logout", LOGOUT_SECRET)],
        [("X-Sidecar-Secret", LOGOUT_SECRET)],
        [bearer(LOGOUT_SECRET)],
        [in_cookie(LOGOUT_SECRET)],
    ],
    ids=["none", "empty", "shorter", "longer", "joined", "odd", "twice", "underscores", "name", "bearer", "cookie"],
)
async def test_only_the_proxy_tells(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    """C13: Whoever lacks the secret gets the answer of a route that does not exist, and nothing is forgotten."""
    app.tokens.add(LOGOUT_SECRET)
    await app.call(CLERK)
    before = asked(app)
    refused = await tell(app, *headers, in_cookie(CLERK.token))
    nowhere = await app.call(target="/no/such/route", method="POST", headers=[*headers, in_cookie(CLERK.token)])
    await app.call(CLERK)

    assert (refused.status, refused.body) == (nowhere.status, nowhere.body)
    assert (refused.status, refused.code) == (404, "ROUTE_NOT_FOUND")
    assert asked(app) == before


async def test_while_a_secret_is_replaced(open_app: OpenApp) -> None:
    """Each of several secrets counts, so that proxies can change theirs one after the other."""
    app = await open_app(LOGOUT_SECRET=f"{NEWER},{LOGOUT_SECRET}")

    for secret in (NEWER, LOGOUT_SECRET):
        await app.call(CLERK)
        before = asked(app)
        assert (await tell(app, ("X-Sidecar-Logout", secret), bearer(CLERK.token))).status == 204
        await app.call(CLERK)
        assert asked(app) == before + 1


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_without_a_secret_there_is_no_such_route(open_app: OpenApp, method: str) -> None:
    """P3: Where the operator sets no LOGOUT_SECRET nobody can tell of a logout."""
    app = await open_app(LOGOUT_SECRET="")

    answer = await app.call(CLERK, "/logout", method=method, headers=[OF_THE_PROXY])

    assert (answer.status, answer.code) == (404, "ROUTE_NOT_FOUND")


async def test_those_logged_out_share_questions(app: RunningApp) -> None:
    """C4, C13: 50 requests at once of one who was logged out are two questions: one under way, one for all others."""
    await app.call(CLERK)
    await app.log_out(bearer(CLERK.token))
    before = asked(app)
    stall = Stall()
    app.directus.fail(stall)
    answers = [app.start(CLERK)]
    await eventually(lambda: stall.arrived == 1)
    answers += [app.start(CLERK) for _ in range(49)]
    await app.handled(2 + 50)
    app.directus.recover()
    stall.release()

    assert [answer.status for answer in await asyncio.gather(*answers)] == [200] * 50
    assert asked(app) == before + 2


async def test_a_logout_while_a_question_is_under_way(app: RunningApp) -> None:
    """C7: Who asks after a logout does not get the answer to a question from before it, though that comes later."""
    stall = Stall()
    app.directus.fail(stall)
    before = app.start(CLERK)
    await eventually(lambda: stall.arrived == 1)
    await app.log_out(bearer(CLERK.token))
    after = app.start(CLERK)
    await app.handled(3)
    app.directus.recover()
    app.directus.fail(faults.answer(401, '{"errors":[{"message":"","extensions":{"code":"INVALID_CREDENTIALS"}}]}'))
    stall.release()

    assert ((await before).status, (await after).status) == (200, 401)
