"""The effect of an operator's settings, seen from outside."""

import pytest

from tests.doubles.directus import User
from tests.doubles.fresh import asked_for
from tests.doubles.running_app import CLERK, CREATOR, NOBODY, READER, OpenApp, RunningApp

LOCAL = User("local", "MARKED-local-network", READER.permissions, ip_access=["10.0.0.0/8", "2001:db8::/32"])
COOKIE = "directus_session_token"


async def test_denied_status(open_app: OpenApp) -> None:
    """DENIED_STATUS=403 applies to a known caller without the permission, and to no other refusal."""
    app = await open_app(DENIED_STATUS="403")
    unknown = User("unknown", "MARKED-unknown")
    app.tokens.add(unknown.token)

    answers = [await app.call(user) for user in (NOBODY, CREATOR, None, unknown)]

    assert [(answer.status, answer.code) for answer in answers] == [
        (403, "FORBIDDEN"),
        (403, "FORBIDDEN"),
        (401, "NO_CREDENTIALS"),
        (401, "INVALID_CREDENTIALS"),
    ]


@pytest.mark.parametrize("prefix", ["/pay", "/a/b-c/d_e"])
async def test_prefix(open_app: OpenApp, prefix: str) -> None:
    """SIDECAR_PREFIX moves all routes and leaves none at the old paths; health stays."""
    app = await open_app(SIDECAR_PREFIX=prefix)
    app.stripe.add_customer(id="cus_A")

    here = [(await app.call(CLERK, prefix + path)).status for path in ("/payments", "/payments/cus_A", "/customers")]
    there = [(await app.call(CLERK, path)).status for path in ("/stripe/payments", "/payments", prefix)]

    assert (here, there) == ([200, 200, 200], [404, 404, 404])
    assert (await app.call(target="/healthz")).status == 200


async def test_session_cookie_name(open_app: OpenApp) -> None:
    """SESSION_COOKIE_NAME names the only cookie that counts."""
    app = await open_app(SESSION_COOKIE_NAME="my.session")

    own = await app.call(headers=[("Cookie", f"my.session={CLERK.token}")])
    usual = await app.call(headers=[("Cookie", f"{COOKIE}={CLERK.token}")])

    assert (own.status, usual.status) == (200, 401)


async def open_behind_proxy(open_app: OpenApp, **settings: str) -> RunningApp:
    app = await open_app(TRUSTED_PROXIES="127.0.0.1, 192.0.2.0/24", **settings)
    app.directus.add_users([LOCAL])
    app.tokens.add(LOCAL.token)
    return app


FORWARDED = {
    "one": ("10.0.0.1", "10.0.0.1", 200),
    "through-two-proxies": ("10.0.0.1, 192.0.2.7", "10.0.0.1", 200),
    "forged-before": ("10.0.0.1, 203.0.113.9", "203.0.113.9", 401),
    "forged-before-two-proxies": ("10.0.0.1, 203.0.113.9, 192.0.2.7", "203.0.113.9", 401),
    "version-6": ("2001:db8::1", "2001:db8::1", 200),
    "version-6-with-port": ("[2001:db8::1]:443", "2001:db8::1", 200),
    "mapped": ("::ffff:10.0.0.1", "10.0.0.1", 200),
    "with-port": ("10.0.0.1:5555", "10.0.0.1", 200),
    "outside": ("203.0.113.9", "203.0.113.9", 401),
}


@pytest.mark.parametrize(("sent", "seen", "status"), FORWARDED.values(), ids=FORWARDED)
async def test_trusted_proxy(open_app: OpenApp, sent: str, seen: str, status: int) -> None:
    """P4: behind a trusted proxy the client's address goes to Directus, read from the right, and decides there."""
    app = await open_behind_proxy(open_app)

    answer = await app.call(LOCAL, headers=[("X-Forwarded-For", sent)])

    assert status == answer.status
    assert [[seen]] == [request.values("X-Forwarded-For") for request in app.directus.requests]


async def test_address_in_several_headers(open_app: OpenApp) -> None:
    """P4: a repeated header is read as one list, its last entry nearest."""
    app = await open_behind_proxy(open_app)

    await app.call(LOCAL, headers=[("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-For", "203.0.113.9")])

    assert [request.values("X-Forwarded-For") for request in app.directus.requests] == [["203.0.113.9"]]


async def test_untrusted_peer_beside_a_trusted_proxy(open_app: OpenApp) -> None:
    """P4: a client that bypasses the proxy is known by its own address."""
    app = await open_behind_proxy(open_app)

    answer = await app.call(LOCAL, headers=[("X-Forwarded-For", "10.0.0.1")], source="127.0.0.9")

    assert answer.status == 401
    assert [request.values("X-Forwarded-For") for request in app.directus.requests] == [["127.0.0.9"]]


@pytest.mark.parametrize("sent", ["unknown", "", "10.0.0.1\t;", "10.0.0.256", "localhost", "10.0.0.1,"])
async def test_odd_address_from_a_trusted_proxy(open_app: OpenApp, sent: str) -> None:
    """P4: an invalid address is 400: no question is asked in another's name."""
    app = await open_behind_proxy(open_app)

    answer = await app.call(LOCAL, headers=[("X-Forwarded-For", sent)])

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert app.directus.requests == []


async def test_the_cache_distinguishes_addresses(open_app: OpenApp) -> None:
    """C2: a permission that Directus granted to one address is not granted to another from the cache."""
    app = await open_behind_proxy(open_app)
    addresses = ["10.0.0.1", "203.0.113.9", "10.0.0.1"]

    statuses = [(await app.call(LOCAL, headers=[("X-Forwarded-For", sent)])).status for sent in addresses]

    assert statuses == [200, 401, 200]
    assert len(app.directus.requests) == 2


async def test_custom_address_header(open_app: OpenApp) -> None:
    """IP_CUSTOM_HEADER is read from the proxy and written to Directus in place of X-Forwarded-For."""
    app = await open_behind_proxy(open_app, IP_CUSTOM_HEADER="CF-Connecting-IP")
    app.directus.address_header = "CF-Connecting-IP"
    headers = [("X-Forwarded-For", "203.0.113.9"), ("CF-Connecting-IP", "10.0.0.1")]

    answer = await app.call(LOCAL, headers=headers)

    assert answer.status == 200
    [asked] = app.directus.requests
    assert [asked.values("CF-Connecting-IP"), asked.values("X-Forwarded-For")] == ([["10.0.0.1"], []])


async def test_address_without_proxies(app: RunningApp) -> None:
    """P4: without trusted proxies Directus sees the peer's own address."""
    await app.call(READER, source="127.0.0.5")

    assert [request.values("X-Forwarded-For") for request in app.directus.requests] == [["127.0.0.5"]]


async def test_directus_below_a_path(open_app: OpenApp) -> None:
    """DIRECTUS_URL may have a path of its own."""
    app = await open_app()
    below = await open_app(DIRECTUS_URL=f"{app.directus.url}/cms/")

    answer = await below.call(CLERK)

    assert answer.status == 503
    assert asked_for(app.directus.requests[-1].target) == "/cms/permissions/me"
