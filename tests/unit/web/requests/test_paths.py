"""Odd paths, methods and headers: the canonical verdict or a refusal, never more access and never another URL."""

import pytest

from tests.doubles.directus import User
from tests.doubles.running_app import CLERK, CREATOR, NOBODY, READER, OpenApp, RunningApp, bearer
from tests.doubles.server import Recorded
from tests.doubles.wire import request_bytes

IDS = {
    "slashes": "..%2f..%2faccounts",
    "slashes-upper": "cus_A%2Fsubscriptions",
    "dots-encoded-twice": "%252e%252e%252fcustomers",
    "query": "cus_A%3Fexpand[]=data",
    "ampersand": "cus_A&limit=1",
    "fragment": "cus_A%23",
    "semicolon": "cus_A;x",
    "semicolon-encoded": "cus_A%3bx",
    "null": "cus_A%00",
    "lines": "cus_A%0d%0aX-Injected:%201",
    "line-feed-at-end": "cus_A%0a",
    "space": "cus_A%20",
    "plus": "cus_A+",
    "other-kind": "pi_A",
    "other-case": "CUS_A",
    "nothing": "cus_",
    "dash": "cus_A-B",
    "other-digits": "cus_%D9%A1",
    "full-width": "cus_%EF%BC%A1",
    "not-utf-8": "cus_%ff",
    "bad-escape": "cus_%zz",
    "backslash": "cus_A%5c..%5c",
    "overlong": "cus_" + "A" * 251,
    "dots": "..",
    "one-dot": ".",
    "text": "cus_A/payment_methods",
}


@pytest.mark.parametrize("collection", ["payments", "customers"])
@pytest.mark.parametrize("identifier", IDS.values(), ids=IDS)
async def test_only_customer_ids(app: RunningApp, identifier: str, collection: str) -> None:
    """P1: an invalid customer ID is 404 or 400 before any URL is built; neither upstream is asked."""
    answer = await app.call(CLERK, f"/stripe/{collection}/{identifier}")

    assert answer.status in {400, 404}
    assert app.directus.requests == []
    assert app.stripe.asked == []


TARGETS = {
    "two-slashes": "//stripe/payments",
    "slashes-inside": "/stripe//payments",
    "dot": "/./stripe/payments",
    "dot-inside": "/stripe/./payments",
    "up": "/x/../stripe/payments",
    "up-inside": "/stripe/x/../payments",
    "up-from-customers": "/stripe/customers/../payments",
    "up-encoded": "/stripe/customers/%2e%2e/payments",
    "upper-case": "/STRIPE/PAYMENTS",
    "mixed-case": "/stripe/Payments",
    "slash-at-end": "/stripe/payments/",
    "slash-encoded": "/stripe%2Fpayments",
    "letter-encoded": "/%73tripe/p%61yments",
    "letter-encoded-twice": "/%2573tripe/payments",
    "semicolon": "/stripe/payments;x=1",
    "null": "/stripe/payments%00",
    "line": "/stripe/payments%0d%0a",
    "question-mark": "/stripe/payments?",
    "fragment": "/stripe/payments#x",
    "absolute": "http://sidecar.test/stripe/payments",
    "absolute-elsewhere": "http://evil.test/stripe/payments",
    "absolute-with-login": "http://admin:secret@sidecar.test/stripe/payments",
    "absolute-https": "https://sidecar.test:443/stripe/payments",
    "authority": "//evil.test/stripe/payments",
    "backslash": "/stripe\\payments",
    "no-slash": "stripe/payments",
    "star": "*",
    "health": "/healthz/../stripe/payments",
    "health-below": "/healthz/stripe/payments",
    "prefix-twice": "/stripe/stripe/payments",
    "no-prefix": "/payments",
    "stripe's-own": "/v1/payment_intents",
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("user", [None, NOBODY, CREATOR], ids=["nobody-signed-in", "nobody", "creator"])
async def test_no_spelling_gives_access(app: RunningApp, user: User | None, target: str) -> None:
    """P2: no spelling of a path admits a caller that the path itself refuses."""
    app.stripe.add_payments(1)

    answer = await app.call(user, target)

    assert answer.status in {400, 401, 404}
    assert app.stripe.asked == []


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
async def test_spelling_of_an_allowed_path(app: RunningApp, target: str) -> None:
    """P2: for an allowed caller another spelling is the same route or none at all."""
    expected = app.stripe.add_payments(1)

    answer = await app.call(READER, target)

    assert answer.status in {200, 400, 404}
    if answer.status == 200:
        assert expected == [payment["id"] for payment in answer.json()]
    assert all(request.path == "/v1/payment_intents" for request in app.stripe.asked)


ROUTES = {
    "/stripe/payments": {"GET"},
    "/stripe/payments/cus_A": {"GET"},
    "/stripe/customers": {"GET", "POST"},
    "/stripe/customers/cus_A": {"GET"},
    "/healthz": {"GET"},
    "/readyz": {"GET"},
    "/metrics": {"GET"},
    "/logout": {"POST"},
}


METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"}  # OPTIONS is a preflight; see test_browsers
OFF = {("/stripe/customers/cus_A", "POST")}  # see test_operations_off
OTHER_METHODS = [
    (path, method)
    for path, listed in ROUTES.items()
    for method in sorted(METHODS - listed)
    if (path, method) not in OFF
]


@pytest.mark.parametrize(("path", "method"), OTHER_METHODS)
async def test_other_methods(app: RunningApp, path: str, method: str) -> None:
    """P3: a method that is not in the table of routes is 405, with the allowed methods, and no upstream is asked."""
    answer = await app.call(CLERK, path, method=method)

    assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
    assert app.directus.requests == []
    assert set((answer.header("Allow") or "").split(",")) - {"HEAD", "OPTIONS"} == ROUTES[path]


@pytest.mark.parametrize("method", ["CONNECT", "FOO", "get", "PRI"])
@pytest.mark.parametrize("path", ROUTES)
async def test_unheard_of_methods(app: RunningApp, path: str, method: str) -> None:
    """P3: a method that is not one of HTTP's usual ones is refused, and no upstream is asked."""
    answer = await app.call(CLERK, path, method=method)

    assert answer.status in {400, 404, 405}
    assert app.directus.requests == []


@pytest.mark.parametrize("path", ["/stripe/payments", "/healthz", "/nowhere"])
async def test_head_has_no_body(app: RunningApp, path: str) -> None:
    """P3: an answer to HEAD ends with its headers, or a client would read its body as the next answer."""
    app.stripe.add_payments(1)

    answer = await app.call(CLERK, path, method="HEAD")

    assert answer.body == b""


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/stripe"),
        ("GET", "/stripe/"),
        ("GET", "/stripe/v1/customers"),
        ("GET", "/stripe/charges"),
        ("GET", "/stripe/payment_intents"),
        ("POST", "/stripe/refunds"),
        ("POST", "/stripe/customers/cus_A"),
        ("DELETE", "/stripe/customers/cus_A"),
        ("GET", "/stripe/customers/cus_A/payment_methods"),
        ("GET", "/stripe/customers/search"),
        ("POST", "/stripe/payments/pi_A/capture"),
        ("POST", "/v1/customers"),
        ("GET", "/permissions/me"),
        ("GET", "/healthz/"),
        ("GET", "/stripe/healthz"),
    ],
)
async def test_unlisted_routes(app: RunningApp, method: str, target: str) -> None:
    """P3: no part of Stripe's or Directus's API exists here except the routes of the table."""
    answer = await app.call(CLERK, target, method=method)

    assert answer.status in {404, 405}
    assert app.directus.requests == []
    assert app.stripe.asked == []


FOREIGN_HEADERS = [
    ("Stripe-Account", "acct_1"),
    ("Stripe-Version", "2020-01-01"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("X_Forwarded_For", "10.0.0.1"),
    ("X-Forwarded-Host", "evil.test"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Prefix", "/admin"),
    ("X-Original-URL", "/healthz"),
    ("X-HTTP-Method-Override", "POST"),
    ("Forwarded", "for=10.0.0.1;host=evil.test"),
    ("X-Real-IP", "10.0.0.1"),
    ("True-Client-IP", "10.0.0.1"),
    ("CF-Connecting-IP", "10.0.0.1"),
    ("Cookie", "other=1"),
    ("Origin", "https://evil.test"),
    ("Referer", "https://evil.test/?access_token=x"),
    ("Accept-Encoding", "gzip"),
    ("X-Stripe-Client-User-Agent", "evil"),
]


def without_own(request: Recorded) -> tuple[str, str, list[tuple[str, str]]]:
    """A request without what differs each time: its ID, the library's measurement, and what keeps caches out."""
    own = {"X-Request-Id", "X-Stripe-Client-Telemetry"}
    headers = [(name, value) for name, value in request.headers if name not in own]
    return request.method, request.target.partition("&fresh=")[0], headers


@pytest.mark.parametrize("header", FOREIGN_HEADERS, ids=[name for name, _ in FOREIGN_HEADERS])
async def test_headers_of_untrusted_peers(open_app: OpenApp, header: tuple[str, str]) -> None:
    """P4: these headers change neither the verdict nor the requests to the upstreams."""
    plain, headed = await open_app(), await open_app()
    answers = [await plain.call(READER), await headed.call(READER, headers=[header])]

    assert [answer.status for answer in answers] == [200, 200]
    for requests in (plain.directus.requests, plain.stripe.asked):
        first, second = requests
        assert without_own(first) == without_own(second)


async def test_forwarded_address_does_not_open_a_policy(app: RunningApp) -> None:
    """P4: a caller from outside cannot claim an address to which a policy grants more."""
    local = User("local", "MARKED-local", READER.permissions, ip_access=["10.0.0.0/8"])
    app.directus.add_users([local])
    app.tokens.add(local.token)

    answers = [
        await app.call(local, headers=[(name, "10.0.0.1")])
        for name in ("X-Forwarded-For", "X_Forwarded_For", "X-Real-IP", "Forwarded", "True-Client-IP")
    ]

    assert [answer.status for answer in answers] == [401] * 5


async def test_host_header_is_not_believed(app: RunningApp) -> None:
    """P4: a foreign Host changes nothing, since no URL is built from it."""
    sent = request_bytes("GET", "/stripe/payments", [bearer(READER.token)], None)

    answer = await app.send(sent.replace(b"sidecar.test", b"evil.test"))

    assert answer.status == 200
    assert all(request.values("Host") == [f"127.0.0.1:{app.stripe.port}"] for request in app.stripe.requests)
