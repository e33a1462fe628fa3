"""Which pages may use a visitor's session: the rule alone. test_browsers tests its use by the service."""

from ipaddress import ip_network
from pathlib import Path
from unittest.mock import Mock

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
ORIGINS = Origins(frozenset({APP}), [ip_network("10.0.0.0/24")])
PROXY, STRANGER = "10.0.0.7", "192.0.2.7"


def request(
    method: str = "POST", *headers: tuple[str, str], host: str = "cms.example.com", peer: str = PROXY
) -> web.Request:
    transport = Mock()
    transport.get_extra_info.return_value = (peer, 1)
    sent = CIMultiDict([("Host", host), *headers])
    return make_mocked_request(method, "/stripe/customers", sent, transport=transport)


def by(*schemes: str) -> list[tuple[str, str]]:
    return [("X-Forwarded-Proto", scheme) for scheme in schemes]


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
    """X1: a page of this scheme, host and port, or of a listed origin, may change something with a session."""
    said = by(origin.partition(":")[0])

    assert not refused(request("POST", ("Origin", origin), *said, host=host))


@pytest.mark.parametrize(
    ("host", "origin", "said"),
    [
        ("shop.example", "http://shop.example", ["https"]),
        ("shop.example", "http://shop.example:80", ["https"]),
        ("shop.example:443", "http://shop.example:443", ["https"]),
        ("shop.example", "HTTP://shop.example", ["HTTPS"]),
        ("shop.example", "http://shop.example", ["https, http"]),
        ("shop.example", "http://shop.example", ["http, https"]),
        ("shop.example", "http://shop.example", ["http", "https"]),
        ("shop.example", "http://shop.example", ["http,"]),
        ("shop.example", "http://shop.example", [""]),
        ("shop.example", "http://shop.example", ["ftp"]),
        ("shop.example", "http://shop.example", ["http https"]),
        ("shop.example", "http://shop.example", []),
        ("localhost:8000", "http://localhost:8000", ["https"]),
        ("127.0.0.1", "http://127.0.0.1", ["http", "https"]),
        ("127.0.0.1.evil.example", "http://127.0.0.1.evil.example", []),
        ("shop.example", "https://shop.example", ["http"]),
        ("shop.example", "https://shop.example:80", ["https"]),
        ("shop.example:80", "https://shop.example", ["https"]),
        ("shop.example:443", "http://shop.example", ["http"]),
        ("shop.example:0", "https://shop.example", ["https"]),
    ],
)
def test_another_scheme(host: str, origin: str, said: list[str]) -> None:
    """X1: the same host by another scheme is another site; where proxies say different things it is https."""
    assert refused(request("POST", ("Origin", origin), *by(*said), host=host))


@pytest.mark.parametrize(
    ("host", "origin", "said"),
    [
        ("shop.example", "https://shop.example", ["https"]),
        ("shop.example", "https://shop.example:443", ["https, https"]),
        ("shop.example:443", "https://shop.example", ["https", "HTTPS"]),
        ("shop.example", "https://shop.example", ["https, http"]),
        ("shop.example", "https://shop.example", []),
        ("shop.example:8000", "http://shop.example:8000", ["http"]),
        ("shop.example:80", "http://shop.example", ["http,http"]),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", []),
        ("[::1]:8000", "http://[::1]:8000", []),
        ("shop.localhost.:8000", "http://shop.localhost:8000", []),
    ],
)
def test_the_same_scheme(host: str, origin: str, said: list[str]) -> None:
    """X1: a page by the scheme that the proxy names may; without a word, one by https, and by http on this machine."""
    assert not refused(request("POST", ("Origin", origin), *by(*said), host=host))


@pytest.mark.parametrize("peer", [STRANGER, ""])
def test_the_scheme_in_a_strangers_words(peer: str) -> None:
    """X1, P4: X-Forwarded-Proto of whoever is no trusted proxy is not believed."""
    assert refused(request("POST", ("Origin", "http://shop.example"), *by("http"), host="shop.example", peer=peer))
    assert not refused(request("POST", ("Origin", "https://shop.example"), *by("http"), host="shop.example", peer=peer))


def test_the_refusal_names_the_correction() -> None:
    """X1: who is refused for the scheme alone reads which header and which setting decide."""
    with pytest.raises(CrossSite, match=r"X-Forwarded-Proto.*TRUSTED_PROXIES"):
        ORIGINS.check(request("POST", ("Origin", "http://cms.example.com")), Source.COOKIE)


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
