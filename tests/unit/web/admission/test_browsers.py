"""What pages of other sites may do with a visitor's session."""

import pytest

from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, OpenApp, RunningApp, bearer
from tests.doubles.wire import Answer

APP = "https://app.example.com"
HOST = "sidecar.test"  # as the tests' client names it
SESSION = ("Cookie", f"directus_session_token={CLERK.token}")
NEW = b'{"email": "ada@example.com"}'


async def create(app: RunningApp, *headers: tuple[str, str], credential: tuple[str, str] = SESSION) -> Answer:
    sent = [("Content-Type", "application/json"), credential, *headers]
    return await app.call(None, "/stripe/customers", method="POST", headers=sent, body=NEW)


FOREIGN = {
    "foreign": [("Origin", "https://evil.example")],
    "opaque": [("Origin", "null")],
    "empty": [("Origin", "")],
    "two": [("Origin", f"https://{HOST}"), ("Origin", "https://evil.example")],
    "other-port": [("Origin", f"https://{HOST}:8443")],
    "below": [("Origin", f"https://evil.{HOST}")],
    "prefixed": [("Origin", f"https://{HOST}.evil.example")],
    "user": [("Origin", f"https://{HOST}@evil.example")],
    "not-a-url": [("Origin", f"{HOST}")],
    "bad-port": [("Origin", f"https://{HOST}:99999")],
    "bad-bracket": [("Origin", "https://[")],
    "by-http": [("Origin", f"http://{HOST}")],
    "by-http-in-its-own-words": [("Origin", f"http://{HOST}"), ("X-Forwarded-Proto", "http")],
    "cross-site": [("Sec-Fetch-Site", "cross-site")],
    "same-site": [("Sec-Fetch-Site", "same-site")],
    "cross-site-with-own-origin": [("Origin", f"https://{HOST}"), ("Sec-Fetch-Site", "cross-site")],
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_session_on_a_foreign_page(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    """X1: a page of a foreign or opaque origin cannot create anything with a visitor's session."""
    answer = await create(app, *headers)

    assert (answer.status, answer.code) == (403, "FOREIGN_ORIGIN")
    assert app.stripe.customers == []


@pytest.mark.parametrize(
    ("headers", "reason", "named", "logged"),
    [
        ("foreign", "foreign_origin", "ALLOWED_ORIGINS", "the origin is https://evil.example"),
        ("cross-site", "foreign_origin", "ALLOWED_ORIGINS", "no origin that could be listed was sent"),
        ("user", "foreign_origin", "ALLOWED_ORIGINS", "no origin that could be listed was sent"),
        ("by-http", "foreign_scheme", "X-Forwarded-Proto", f"the origin is http://{HOST}"),
    ],
)
async def test_what_a_foreign_page_is_told(app: RunningApp, headers: str, reason: str, named: str, logged: str) -> None:
    """X1: the answer names the setting that decides, and the log the origin that could be listed."""
    answer = await create(app, *FOREIGN[headers])

    [line] = log_records(app.log, "request")
    assert answer.extensions == {"code": "FOREIGN_ORIGIN", "reason": reason}
    assert named in answer.message
    assert line["detail"] == logged


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_bearer_token_on_a_foreign_page(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    """X1: a token that a page itself sends is enough, from any origin."""
    assert (await create(app, *headers, credential=bearer(CLERK.token))).status == 201


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Origin", f"https://{HOST}")],
        [("Origin", f"https://{HOST}:443")],
        [("Origin", f"https://{HOST}"), ("Sec-Fetch-Site", "same-origin")],
    ],
    ids=["no-browser", "same", "with-port", "same-by-fetch-metadata"],
)
async def test_session_on_an_own_page(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    """X1: a page of this very origin can create something with a session."""
    assert (await create(app, *headers)).status == 201


@pytest.mark.parametrize(("scheme", "other"), [("https", "http"), ("http", "https")])
async def test_the_scheme_that_the_proxy_names(open_app: OpenApp, scheme: str, other: str) -> None:
    """X1: with a trusted proxy's word on the scheme, a page of the same host by the other one cannot use a session."""
    app = await open_app(TRUSTED_PROXIES="127.0.0.1")
    said = ("X-Forwarded-Proto", scheme)

    foreign = await create(app, said, ("Origin", f"{other}://{HOST}"))
    own = await create(app, said, ("Origin", f"{scheme}://{HOST}"))

    assert (foreign.status, foreign.code, own.status) == (403, "FOREIGN_ORIGIN", 201)


async def test_reading_with_a_session_from_elsewhere(app: RunningApp) -> None:
    """X1, X3: a foreign page's reading changes nothing, and its browser is not told to show it the answer."""
    answer = await app.call(headers=[SESSION, ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")])

    assert answer.status == 200
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


async def open_to_app(open_app: OpenApp) -> RunningApp:
    app = await open_app(ALLOWED_ORIGINS=APP)
    app.lets_origins_in = True
    return app


async def test_listed_origin(open_app: OpenApp) -> None:
    """X3: a listed origin may use the session and read the answer; the header names that origin, never `*`."""
    app = await open_to_app(open_app)

    answer = await create(app, ("Origin", APP), ("Sec-Fetch-Site", "cross-site"))

    assert answer.status == 201
    assert answer.header("Access-Control-Allow-Origin") == APP
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    assert "Origin" in (answer.header("Vary") or "")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "*", f"{APP}.evil.example", APP.upper(), f"{APP}/", "http://app.example.com"],
)
async def test_unlisted_origin(open_app: OpenApp, origin: str) -> None:
    """X3: no other origin may, and caches are told that the answer depends on it."""
    app = await open_to_app(open_app)

    created, read = await create(app, ("Origin", origin)), await app.call(headers=[SESSION, ("Origin", origin)])

    assert (created.status, read.status) == (403, 200)
    for answer in (created, read):
        assert answer.header("Access-Control-Allow-Origin") is None
        assert "Origin" in (answer.header("Vary") or "")


@pytest.mark.parametrize("origin", [APP, "https://evil.example"])
async def test_preflight(open_app: OpenApp, origin: str) -> None:
    """X3: a preflight is answered without any upstream, and allows only a listed origin."""
    app = await open_to_app(open_app)
    asked = [("Origin", origin), ("Access-Control-Request-Method", "POST")]

    answer = await app.call(None, "/stripe/customers", method="OPTIONS", headers=asked)

    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("Access-Control-Allow-Origin") == (APP if origin == APP else None)
    assert "POST" in (answer.header("Access-Control-Allow-Methods") or "")
    assert "*" not in answer.raw.decode()
    assert app.directus.requests == []
