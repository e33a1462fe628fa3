"""Where a credential may be sent, and the answer to one that is missing, ambiguous or refused."""

import base64
import json
import time
from urllib.parse import quote

import pytest

from tests.doubles.directus import User, full, grants
from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, NOBODY, OpenApp, RunningApp, bearer
from tests.doubles.waiting import eventually

COOKIE = "directus_session_token"
TARGET = "/stripe/payments"


def in_query(token: str, target: str = TARGET) -> str:
    return f"{target}?access_token={quote(token, safe='')}"


def in_cookie(token: str) -> tuple[str, str]:
    return "Cookie", f"theme=dark; {COOKIE}={token}; other=1"


def jwt(**claims: object) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, b"signature-MARKED"))


def tokens_asked(app: RunningApp) -> list[str]:
    return [value for request in app.directus.requests for value in request.values("Authorization")]


@pytest.mark.parametrize("place", ["header", "query", "cookie"])
async def test_each_place_is_accepted(app: RunningApp, place: str) -> None:
    """A1: header, query and cookie are each accepted, and reach Directus as one bearer token."""
    headers = {"header": [bearer(CLERK.token)], "query": [], "cookie": [in_cookie(CLERK.token)]}[place]
    target = in_query(CLERK.token) if place == "query" else TARGET

    answer = await app.call(target=target, headers=headers)

    assert answer.status == 200
    assert [f"Bearer {CLERK.token}"] == tokens_asked(app)


@pytest.mark.parametrize("place", ["header", "query"])
@pytest.mark.parametrize(("first", "status"), [(CLERK, 200), (NOBODY, 401)], ids=["clerk", "nobody"])
async def test_header_or_query_beats_cookie(app: RunningApp, place: str, first: User, status: int) -> None:
    """A1: next to a header or query token the cookie is ignored, valid or not."""
    cookie = in_cookie((NOBODY if first is CLERK else CLERK).token)
    headers = [bearer(first.token), cookie] if place == "header" else [cookie]
    target = in_query(first.token) if place == "query" else TARGET

    answer = await app.call(target=target, headers=headers)

    assert answer.status == status
    assert [f"Bearer {first.token}"] == tokens_asked(app)


async def test_header_and_query_together(app: RunningApp) -> None:
    """A1: header and query together are an error, and neither is tried."""
    answer = await app.call(CLERK, in_query(CLERK.token))

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert tokens_asked(app) == []


AMBIGUOUS = {
    "two-headers": (TARGET, [bearer(CLERK.token), bearer(NOBODY.token)]),
    "header-twice": (TARGET, [bearer(CLERK.token), bearer(CLERK.token)]),
    "header-in-two-cases": (TARGET, [bearer(CLERK.token), ("AUTHORIZATION", "Basic Og==")]),
    "two-cookies": (TARGET, [("Cookie", f"{COOKIE}={CLERK.token}; {COOKIE}={NOBODY.token}")]),
    "two-cookie-headers": (TARGET, [in_cookie(CLERK.token), in_cookie(NOBODY.token)]),
    "query-twice": (in_query(CLERK.token) + f"&access_token={quote(NOBODY.token, safe='')}", []),
    "query-twice-the-same": (in_query(CLERK.token) + f"&access_token={quote(CLERK.token, safe='')}", []),
    "query-encoded-name": (in_query(CLERK.token) + "&access%5ftoken=x", []),
    "query-empty": (f"{TARGET}?access_token=", [in_cookie(CLERK.token)]),
    "query-bare": (f"{TARGET}?access_token", [in_cookie(CLERK.token)]),
}


@pytest.mark.parametrize(("target", "headers"), AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_ambiguous_credentials(app: RunningApp, target: str, headers: list[tuple[str, str]]) -> None:
    """A2: if two credentials are possible, none is chosen: 400, and no upstream is asked."""
    answer = await app.call(target=target, headers=headers)

    assert answer.status == 400
    assert answer.code in {"INVALID_PAYLOAD", "INVALID_QUERY"}
    assert tokens_asked(app) == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_scheme_in_any_case(app: RunningApp, scheme: str) -> None:
    """A3: the scheme's case does not matter."""
    answer = await app.call(headers=[("Authorization", f"{scheme} {CLERK.token}")])

    assert answer.status == 200


@pytest.mark.parametrize(
    "value",
    [
        f"Bearer  {CLERK.token}",
        f"Bearer {CLERK.token} b",
        f"Bearer\t{CLERK.token}",
        f"Bearer,{CLERK.token}",
        f"Basic {CLERK.token}",
        CLERK.token,
        "Bearer",
        "",
    ],
    ids=["two-spaces", "two-parts", "tab", "comma", "basic", "no-scheme", "no-token", "empty"],
)
async def test_other_headers_are_no_credential(app: RunningApp, value: str) -> None:
    """A3: a header that Directus does not read as a bearer token is no credential here either."""
    answer = await app.call(headers=[("Authorization", value)])

    assert (answer.status, answer.code) == (401, "NO_CREDENTIALS")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("Basic MARKED", "The scheme of the Authorization header is Basic; it must be Bearer."),
        ("tOkEn MARKED", "The scheme of the Authorization header is Token; it must be Bearer."),
        ("MARKED token", "The scheme of the Authorization header must be Bearer."),
        ("MARKED", "The Authorization header has no scheme: write `Bearer` and a space before the token."),
        ("Basic", "The Authorization header has no scheme: write `Bearer` and a space before the token."),
        ("Bearer", "The Authorization header must be `Bearer`, one space, and the token."),
        ("bearer MARKED b", "The Authorization header must be `Bearer`, one space, and the token."),
    ],
)
async def test_the_wrong_scheme_is_named(app: RunningApp, value: str, told: str) -> None:
    """A3: the answer says what is wrong with the header, and repeats nothing of it but a scheme's name."""
    answer = await app.call(headers=[("Authorization", value)])

    assert answer.message == f"{told} Sign in to Directus and send its token or session with the request."
    assert answer.extensions == {"code": "NO_CREDENTIALS", "reason": "no_bearer_token"}
    assert "MARKED" not in answer.message


async def test_other_header_leaves_the_cookie(app: RunningApp) -> None:
    """A3: next to a header without a bearer token the cookie counts, as in Directus."""
    answer = await app.call(headers=[("Authorization", "Basic Og=="), in_cookie(CLERK.token)])

    assert answer.status == 200


@pytest.mark.parametrize(
    "headers", [[], [("Cookie", f"{COOKIE}=")], [("Cookie", "theme=dark")], [("Cookie", f"X{COOKIE}=a")]]
)
async def test_no_credential(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    """A4: without a credential Directus is not asked, since it would answer for the public role."""
    answer = await app.call(headers=headers)

    assert (answer.status, answer.code) == (401, "NO_CREDENTIALS")
    assert app.directus.requests == []


ODD = {
    "control": "MARKED\x01token",
    "delete": "MARKED\x7ftoken",
    "null": "MARKED\x00token",
    "line-feed": "MARKED\ntoken",
    "carriage-return": "MARKED\rtoken",
    "latin-1": "MARKED\udce9token",
    "utf-8": "MARKEDé\u202etoken",
    "16-KB": "MARKED" + "t" * 16_384,
    "60-KB": "MARKED" + "t" * 61_440,
}


@pytest.mark.parametrize("place", ["header", "query", "query-raw", "cookie"])
@pytest.mark.parametrize("token", ODD.values(), ids=ODD)
async def test_odd_tokens(app: RunningApp, place: str, token: str) -> None:
    """A5: an impossible token is 400, 401 or 431, is never sent on, and is neither echoed nor logged."""
    encoded = quote(token, safe="", errors="surrogateescape")
    raw = token.replace("\n", "%0a")  # a bare line feed would end the request line
    target = {"query": f"{TARGET}?access_token={encoded}", "query-raw": f"{TARGET}?access_token={raw}"}.get(
        place, TARGET
    )
    headers = {"header": [bearer(token)], "cookie": [in_cookie(token)]}.get(place, [])

    answer = await app.call(target=target, headers=headers)

    assert answer.status in {400, 401, 431}
    assert tokens_asked(app) == []
    shown = answer.raw.decode("latin-1") + "".join(app.log)
    assert "MARKED" not in shown
    assert "token" not in "".join(app.log)


REFUSED = {
    "unknown": (User("x", "MARKED-unknown-token", refused="INVALID_CREDENTIALS"), "INVALID_CREDENTIALS"),
    "expired": (User("x", jwt(exp=1, id="a"), refused="TOKEN_EXPIRED"), "TOKEN_EXPIRED"),
    "malformed": (User("x", jwt() + "x", refused="INVALID_TOKEN"), "INVALID_TOKEN"),
    "logged-out": (User("x", jwt(exp=2**31, session="s"), refused="INVALID_CREDENTIALS"), "INVALID_CREDENTIALS"),
    "suspended": (User("x", "MARKED-suspended", grants(read=full()), "INVALID_CREDENTIALS"), "INVALID_CREDENTIALS"),
    "no-access": (User("x", "MARKED-forbidden", refused="FORBIDDEN"), "FORBIDDEN"),
}


@pytest.mark.parametrize(("user", "code"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("place", ["header", "cookie"])
async def test_refused_credentials(app: RunningApp, user: User, code: str, place: str) -> None:
    """A6: a refusal by Directus is 401 with Directus's own code, whatever its status."""
    app.directus.add_users([user])
    app.tokens.add(user.token)

    answer = await app.call(headers=[bearer(user.token) if place == "header" else in_cookie(user.token)])

    assert (401, code) == (answer.status, answer.code)


COOKIES = {
    "empty-first": (f"{COOKIE}=; {COOKIE}={CLERK.token}", 401),
    "empty-last": (f"{COOKIE}={CLERK.token}; {COOKIE}=", 200),
    "without-a-value": (f"{COOKIE}; {COOKIE}={CLERK.token}", 200),
    "quoted": (f'{COOKIE}="{CLERK.token}"', 200),
    "escaped": (f"{COOKIE}=%{ord(CLERK.token[0]):02x}{CLERK.token[1:]}", 200),
    "json": (f'{COOKIE}=j:"{CLERK.token}"', 200),
    "json-escaped": (f"{COOKIE}=j%3A%22{CLERK.token}%22", 200),
    "json-object": (f"{COOKIE}=j:{{}}", 400),
    "escaped-line": (f"{COOKIE}=%0d%0a{CLERK.token}", 400),
}


@pytest.mark.parametrize(("cookie", "status"), COOKIES.values(), ids=COOKIES)
async def test_cookies_as_express_reads_them(app: RunningApp, cookie: str, status: int) -> None:
    """A1: the session is read out of the header as Express reads it; tests/integration has Directus's own word."""
    answer = await app.call(headers=[("Cookie", cookie)])

    assert answer.status == status
    assert tokens_asked(app) == ([f"Bearer {CLERK.token}"] if status == 200 else [])


async def test_an_old_and_a_new_session(app: RunningApp) -> None:
    """A2: of two sessions of one user the first is asked about, and the other one never."""
    old, new = (User("x", jwt(iss="directus", id="x", session=which), grants(read=full())) for which in "ab")
    app.directus.add_users([old, new])
    app.tokens.update({old.token, new.token})

    answer = await app.call(headers=[("Cookie", f"{COOKIE}={old.token}; {COOKIE}={new.token}")])

    assert answer.status == 200
    assert tokens_asked(app) == [f"Bearer {old.token}"]


async def test_logout_between_two_calls(open_app: OpenApp) -> None:
    """A6: an ended session is refused as soon as its cached permissions have expired."""
    app = await open_app(PERMISSIONS_CACHE_TTL="0.05", PERMISSIONS_DENIED_TTL="0.01")
    session = User("session", jwt(exp=int(time.time()) + 900, session="s"), grants(read=full()))
    app.directus.add_users([session])
    app.tokens.add(session.token)
    assert (await app.call(session)).status == 200

    session.refused = "INVALID_CREDENTIALS"

    async def is_refused() -> bool:
        return (await app.call(session)).status != 200

    await eventually(is_refused)
    assert (await app.call(session)).code == "INVALID_CREDENTIALS"


async def test_refusals_are_logged_without_the_token(app: RunningApp) -> None:
    """A5, S2: a refused request leaves a log line with path, status and code, and nothing else of the request."""
    await app.call(target=in_query(NOBODY.token))

    [line] = log_records(app.log, "request")
    assert (line["path"], line["status"], line["code"]) == (TARGET, 401, "FORBIDDEN")
