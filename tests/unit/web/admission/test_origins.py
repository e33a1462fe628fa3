"""Which pages may use a visitor's session: the rule alone. test_browsers tests its use by the service."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from sidecar.core.access.credentials import Source
from sidecar.core.operations.table import OPERATIONS
from sidecar.errors import CrossSite
from sidecar.web.admission.origins import Origins
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import serving
from tests.doubles.running_app import CLERK, bearer, environment
from tests.doubles.stripe import StripeDouble

APP = "https://app.example.com"
ORIGINS = Origins(frozenset({APP}))


def request(method: str = "POST", *headers: tuple[str, str], host: str = "cms.example.com") -> web.Request:
    return make_mocked_request(method, "/stripe/customers", headers=CIMultiDict([("Host", host), *headers]))


def refused(sent: web.Request, source: Source = Source.COOKIE) -> bool:
    try:
        ORIGINS.check(sent, source)
    except CrossSite:
        return True
    return False


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("cms.example.com", "https://cms.example.com"),
        ("cms.example.com", "https://cms.example.com:443"),
        ("CMS.example.com", "https://cms.example.com"),
        ("cms.example.com:443", "https://cms.example.com"),
        ("cms.example.com:8055", "http://cms.example.com:8055"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("[2001:DB8::7]", "https://[2001:db8::7]"),
        ("[2001:db8::7]:443", "https://[2001:db8::7]"),
        ("cms.example.com.", "https://cms.example.com."),
        ("cms.example.com.", "https://cms.example.com"),
        ("cms.example.com", "https://cms.example.com."),
        ("CMS.EXAMPLE.COM.:8443", "https://cms.example.com:8443"),
        ("cms.example.com.:443", "https://cms.example.com."),
        ("cms.example.com", APP),
    ],
)
def test_own_and_listed(host: str, origin: str) -> None:
    """X1: a page of this host and port, or of a listed origin, may change something with a visitor's session."""
    assert not refused(request("POST", ("Origin", origin), host=host))


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "https://cms.example.com.evil.example",
        "https://evil.example/cms.example.com",
        "https://cms.example.com@evil.example",
        "https://cms.example.com:8443",
        "https://example.com",
        "https://a.cms.example.com",
        "https://app.example.com.evil.example",
        "https://app.example.com:444",
        "http://app.example.com",
        "HTTPS://APP.EXAMPLE.COM.",
        "https://[cms.example.com",
        "https://cms.example.com:99999",
        "https://cms.example.com:x",
        "cms.example.com",
        "file://cms.example.com",
        "https://visitor@cms.example.com",
        "https://cms.example.com/",
        "https://cms.example.com?x",
        "https://cms.example.com..",
        "https://.cms.example.com",
        "chrome-extension://cms.example.com",
        f"{APP} https://evil.example",
        "*",
    ],
)
def test_foreign_and_opaque(origin: str) -> None:
    """X1: no other origin may, in any spelling."""
    assert refused(request("POST", ("Origin", origin)))


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("cms.example.com:8443", "https://cms.example.com"),
        ("cms.example.com:8443", "app://cms.example.com:8443"),
        ("cms.example.com.:8443", "https://cms.example.com.:8444"),
        ("cms.example.com..", "https://cms.example.com"),
        ("[::1]:8000", "http://[::2]:8000"),
        ("[::1]:8000", "http://[::1]:8001"),
        ("[::1]", "https://::1"),
        ("", "https://cms.example.com"),
        ("", "https://."),
        ("", "https://"),
    ],
)
def test_another_host(host: str, origin: str) -> None:
    """X1: another host or port is not this one, whatever Host is sent."""
    assert refused(request("POST", ("Origin", origin), host=host))


@pytest.mark.parametrize("origin", ["https://a.preview.example.com", "capacitor://localhost"])
def test_origins_that_are_listed_otherwise(origin: str) -> None:
    """X1, X3: a page below a listed wildcard, or of an app's webview, may; the answer names that very origin."""
    origins = Origins(frozenset({"https://*.preview.example.com", "capacitor://localhost"}))
    asked, response = request("POST", ("Origin", origin), ("Sec-Fetch-Site", "cross-site")), web.Response()

    origins.check(asked, Source.COOKIE)
    origins.answer(asked, response)

    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origins", [("null",), ("*",), ("https://*.preview.example.com",), (APP, APP), ()])
def test_answers_to_others(origins: tuple[str, ...]) -> None:
    """X3: no answer names an origin that is not listed, nor one of two; all vary with the origin."""
    listed = Origins(frozenset({APP, "https://*.preview.example.com"}))
    response = web.Response()

    listed.answer(request("GET", *[("Origin", origin) for origin in origins]), response)

    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Vary"] == "Origin"


def test_two_origins() -> None:
    """X1: of two origins in one request neither counts."""
    assert refused(request("POST", ("Origin", APP), ("Origin", APP)))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "", "SAME-ORIGIN", "something new"])
def test_the_site_that_the_browser_names(site: str) -> None:
    """X1: if the browser describes the site, it must be "same-origin"; the same host over http is another site."""
    assert refused(request("POST", ("Sec-Fetch-Site", site)))
    assert refused(request("POST", ("Sec-Fetch-Site", site), ("Origin", "http://cms.example.com")))
    assert not refused(request("POST", ("Sec-Fetch-Site", site), ("Origin", APP)))
    assert not refused(request("POST", ("Sec-Fetch-Site", "same-origin")))


def test_no_browser() -> None:
    """X1: a program that sends a session sends no origin, and is allowed."""
    assert not refused(request("POST"))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading(method: str) -> None:
    """X1: reading changes nothing, and the browser keeps the answer from a foreign page."""
    assert not refused(request(method, ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_everything_else_changes_something(method: str) -> None:
    """X1: a method that is not certainly for reading counts as a change."""
    assert refused(request(method, ("Origin", "https://evil.example")))


@pytest.mark.parametrize("source", [Source.HEADER, Source.QUERY])
def test_tokens(source: Source) -> None:
    """X1: a token that the page itself sends is not affected."""
    assert not refused(request("POST", ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")), source)


async def test_the_real_process(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """X1, X3: the whole process follows the same rule, for raw requests with each method."""
    variables = environment(directus.url, stripe.url, ALLOWED_ORIGINS=f"{APP},https://b.example.com")
    path, body = "/stripe/customers", b'{"email": "ada@example.com"}'
    json = ("Content-Type", "application/json")
    cookie = ("Cookie", f"directus_session_token={CLERK.token}")
    async with serving(tmp_path / "output", **variables) as sidecar:

        async def create(*headers: tuple[str, str]) -> tuple[int, str | None, str | None]:
            answer = await sidecar.call(path, json, *headers, method="POST", body=body)
            return answer.status, answer.header("Access-Control-Allow-Origin"), answer.header("Vary")

        foreign, opaque, listed = ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", APP)
        assert await create(cookie, foreign) == (403, None, "Origin")
        assert await create(cookie, opaque) == (403, None, "Origin")
        assert await create(cookie, ("Sec-Fetch-Site", "cross-site")) == (403, None, "Origin")
        assert await create(cookie, listed, ("Sec-Fetch-Site", "cross-site")) == (201, APP, "Origin")
        assert await create(bearer(CLERK.token), foreign) == (201, None, "Origin")
        assert await create(listed) == (401, APP, "Origin")

        asked = len(directus.requests), len(stripe.requests)
        for operation in (row for row in OPERATIONS if row.basic):
            target = "/stripe" + operation.path.replace("{customer_id}", "cus_1")
            answers = [await sidecar.call(target, origin, method="OPTIONS") for origin in (listed, foreign)]
            assert [answer.status for answer in answers] == [204, 204]
            assert operation.method in str(answers[0].header("Access-Control-Allow-Methods"))
            named = [answer.header("Access-Control-Allow-Origin") for answer in answers]
            assert named == [APP, None]
        assert asked == (len(directus.requests), len(stripe.requests))
