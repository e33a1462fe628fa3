"""What strangers can do to others with logouts: through nginx, and straight at the sidecar."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from deploy.demo import servers
from deploy.demo.admin import SESSION_COOKIE, Person, Rule, login, logout
from deploy.demo.processes import Server, free_port
from deploy.demo.stack import Stack
from tests.doubles.wire import exchange, request_bytes
from tests.integration.asking import Carried, ask, verdict
from tests.integration.conftest import Newcomer
from tests.integration.flood import Keeping, flood
from tests.integration.logouts import GONE, HEADER, LIST, Door, door_of

BURST, RATE = 200, 20  # as in the template
SESSION_MODE = b'{"mode": "session"}'


class Recording(Keeping):
    """Both upstreams of nginx; keeps the headers of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, list[str]]]] = []
        self.release()

    async def handle(self, request: web.Request) -> web.Response:
        names = {name.lower() for name in request.headers}
        self.seen.append((request.path, {name: request.headers.getall(name) for name in names}))
        return await super().handle(request)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def door(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """A sidecar that remembers for an hour, behind its own nginx."""
    async with door_of(stack, tmp_path_factory.mktemp("door")) as door:
        yield door


@pytest_asyncio.fixture
async def recording(tmp_path: Path) -> AsyncIterator[tuple[Recording, Server]]:
    async with AsyncExitStack() as exits:
        upstream = Recording()
        await exits.enter_async_context(upstream.serving())
        nginx = servers.nginx(tmp_path, port=free_port(), directus=upstream.url, sidecar=upstream.url)
        server = await exits.enter_async_context(nginx)
        upstream.seen.clear()  # the question whether nginx runs
        yield upstream, server


@pytest.fixture
async def clerk(newcomer: Newcomer) -> Person:
    return await newcomer(Rule("customers", "read"))


def made_up(number: int) -> tuple[str, str]:
    """Give as many made-up sessions as fit into one header that Directus takes."""
    return "Cookie", "; ".join(f"{SESSION_COOKIE}={number}-{each}" for each in range(500))


async def send(port: int, method: str, target: str, *headers: tuple[str, str], body: bytes | None = None) -> int:
    return (await exchange(port, request_bytes(method, target, headers, body))).status


@pytest.mark.parametrize("way", ["nginx", "sidecar", "sidecar, told by the proxy"])
async def test_made_up_sessions(door: Door, clerk: Person, way: str) -> None:
    """C13, F6: 200 requests with 500 made-up sessions each cost 300 requests of a clerk not one question."""
    tokens = [await login(door.nginx.url, clerk) for _ in range(10)]
    for token in tokens:
        assert (await ask(door.nginx.url, LIST, token)).status == 200
    asked, hits = await door.counted("asked"), await door.counted("hit")
    port = door.ports[way.partition(",")[0]]
    path = "/auth/logout" if way == "nginx" else "/logout"
    secret = [(HEADER, servers.LOGOUT_SECRET)] if "told" in way else []

    for number in range(200):
        await send(port, "POST", path, made_up(number), *secret, body=b"")
    answers = [(await ask(door.nginx.url, LIST, token)).status for _ in range(30) for token in tokens]

    assert answers == [200] * 300
    assert (await door.counted("asked") - asked, await door.counted("hit") - hits) == (0, 300)


@pytest.mark.parametrize("headers", [[], [(HEADER, "x" * 43)], [(HEADER, "")]], ids=["none", "wrong", "empty"])
async def test_nobody_else_tells(door: Door, clerk: Person, headers: list[tuple[str, str]]) -> None:
    """C13: Whoever reaches the sidecar without the proxy's secret gets a 404, and the session stays remembered."""
    session = await login(door.nginx.url, clerk)
    await ask(door.nginx.url, LIST, session)
    asked = await door.counted("asked")

    status = await send(door.ports["sidecar"], "POST", "/logout", ("Cookie", f"{SESSION_COOKIE}={session}"), *headers)
    await ask(door.nginx.url, LIST, session)

    assert (status, await door.counted("asked")) == (404, asked)


async def test_a_session_that_was_not_in_use(door: Door, clerk: Person) -> None:
    """C7: The first request of a session comes after the sidecar was told and before Directus ends it."""
    session = await login(door.nginx.url, clerk)
    told = (HEADER, servers.LOGOUT_SECRET)
    assert await send(door.ports["sidecar"], "POST", "/logout", ("Cookie", f"{SESSION_COOKIE}={session}"), told) == 204
    between = await ask(door.nginx.url, LIST, session)
    await logout(door.nginx.url, session)

    assert (between.status, verdict(await ask(door.nginx.url, LIST, session))) == (200, GONE)


@pytest.mark.parametrize("other", ["second cookie", "header"])
async def test_what_directus_ends_is_what_is_forgotten(door: Door, clerk: Person, other: str) -> None:
    """C13: Of two valid sessions in one logout Directus ends the first cookie's; only that one is forgotten."""
    first, second = [await login(door.nginx.url, clerk) for _ in range(2)]
    for each in (first, second):
        await ask(door.nginx.url, LIST, each)
    asked = await door.counted("asked")
    cookies = [first, second] if other == "second cookie" else [first]
    headers = [("Cookie", "; ".join(f"{SESSION_COOKIE}={each}" for each in cookies))]
    if other == "header":
        headers.append(("Authorization", f"Bearer {second}"))
    headers.append(("Content-Type", "application/json"))
    status = await send(door.ports["nginx"], "POST", "/auth/logout", *headers, body=SESSION_MODE)
    kept = await ask(door.nginx.url, LIST, second)
    between = await door.counted("asked")
    ended = verdict(await ask(door.nginx.url, LIST, first))

    assert (status, kept.status, ended) == (204, 200, GONE)
    assert (between, await door.counted("asked")) == (asked, asked + 1)


SPELLINGS = [
    "{0}",
    "/{0}",
    "{0}/",
    "{0}?x=1",
    "{0}%20",
    "/%2e{0}",
    "/.{0}",
    "/stripe/..{0}",
    "/stripe/%2e%2e{0}",
    "/stripe/..%2f{1}",
    "/stripe/%2e%2e%2f{1}",
    "/stripe/x/../..{0}",
    "/stripe//..{0}",
    "/stripe/..;{0}",
    "/stripe/..\\{1}",
    "/stripe/%3f/../..{0}",
    "/stripe{0}",
    "/stripe/webhooks/..{0}",
    "/stripe/webhooks/../..{0}",
    "{0}/../stripe/payments/../../{1}",
    "{0}%2f..%2fstripe/{1}",
    "{0}/..%2f..%2fstripe/..",
    "{0}#/../stripe/",
    "{0}%23/../stripe/",
    "{0}%3f/../stripe/",
    "{0};/../stripe/",
    "http://sidecar.test{0}",
    "http://sidecar.test/stripe/..{0}",
    "/sidecar-logout",
    "/sidecar%2dlogout",
    "//sidecar-logout",
    "/stripe/../sidecar-logout",
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/logout", "/metrics", "/healthz", "/readyz"])
async def test_no_spelling_reaches_the_platforms_routes(door: Door, clerk: Person, path: str, method: str) -> None:
    """P2: However a visitor spells them, nginx leads nobody to the routes for the proxy and the platform."""
    session = await login(door.nginx.url, clerk)
    await ask(door.nginx.url, LIST, session)
    asked = await door.counted("asked")
    headers = [(HEADER, servers.LOGOUT_SECRET), ("Cookie", f"{SESSION_COOKIE}={session}")]
    for spelling in SPELLINGS:
        target = spelling.format(path, path[1:])
        body = b"" if method == "POST" else None
        answer = await exchange(door.ports["nginx"], request_bytes(method, target, headers, body))
        assert answer.status not in {200, 204, 405}, (target, answer.raw)
    await ask(door.nginx.url, LIST, session)

    assert await door.counted("asked") == asked


TARGETS = [
    ("POST", "/auth/logout"),
    ("POST", "/Auth/LOGOUT/"),
    ("GET", "/items/customers"),
    ("GET", "/stripe/payments"),
    ("POST", "/stripe/customers"),
    ("POST", "/stripe/webhooks"),
    ("GET", "/stripe/../items/x"),
]


@pytest.mark.parametrize(("method", "target"), TARGETS)
async def test_the_secret_goes_nowhere_else(recording: tuple[Recording, Server], method: str, target: str) -> None:
    """C13: No client's header of that name goes through, and of nginx's requests only the notice has the secret."""
    upstream, nginx = recording
    headers = [(HEADER, "mine"), (HEADER.lower(), "mine"), (HEADER.replace("-", "_"), "mine"), ("X-Other", "passes")]
    headers += [("Cookie", f"{SESSION_COOKIE}=a; {SESSION_COOKIE}=b"), ("X-Forwarded-For", "192.0.2.1")]
    port = int(nginx.url.rpartition(":")[2])
    assert await send(port, method, target, *headers, body=b"" if method == "POST" else None) == 200

    told = [seen for path, seen in upstream.seen if path == "/logout"]
    others = [seen for path, seen in upstream.seen if path != "/logout"]
    assert len(told) == (target.lower().strip("/") == "auth/logout")
    for seen in told:
        assert seen[HEADER.lower()] == [servers.LOGOUT_SECRET]
        assert seen.keys() <= {HEADER.lower(), "cookie", "host", "x-request-id", "connection"}
        assert seen["cookie"] == [f"{SESSION_COOKIE}=a; {SESSION_COOKIE}=b"]
    assert len(others) == 1
    assert "mine" not in str(upstream.seen)
    assert servers.LOGOUT_SECRET not in str(others)
    assert others[0]["x-other"] == ["passes"]


async def test_what_one_address_may_tell(recording: tuple[Recording, Server]) -> None:
    """F1: nginx counts the notice, a subrequest, by client: a burst and a rate are told; Directus gets every logout."""
    upstream, nginx = recording
    started = time.monotonic()
    answers = await flood(nginx, "/auth/logout", 2000, method="POST")
    most = BURST + 1 + RATE * (time.monotonic() - started) + 1
    other = await send(int(nginx.url.rpartition(":")[2]), "POST", "/auth/logout", body=b"")

    assert answers == {200: 2000}
    assert (upstream.paths["/auth/logout"], other) == (2001, 200)
    assert BURST <= upstream.paths["/logout"] <= most


@pytest.mark.parametrize("told", ["with another secret", "with none", "where there is no such route"])
async def test_logouts_that_are_not_told(stack: Stack, clerk: Person, tmp_path: Path, told: str) -> None:
    """Where proxy and sidecar share no secret everybody can log out, and a session ends after the lifetime."""
    known = {"LOGOUT_SECRET": ""} if "route" in told else {}
    async with stack.sidecar(PERMISSIONS_CACHE_TTL="0.5", PERMISSIONS_DENIED_TTL="0.5", **known) as sidecar:
        secret = "" if "none" in told else "x" * 40 if "another" in told else servers.LOGOUT_SECRET
        start = servers.nginx(
            tmp_path, port=free_port(), directus=stack.directus.url, sidecar=sidecar.url, logout_secret=secret
        )
        async with start as nginx:
            session = await login(nginx.url, clerk)
            assert (await ask(nginx.url, LIST, session, carried=Carried.COOKIE)).status == 200
            await logout(nginx.url, session)
            ended = asyncio.get_running_loop().time()
            while verdict(await ask(nginx.url, LIST, session, carried=Carried.COOKIE)) != GONE:
                assert asyncio.get_running_loop().time() < ended + 30
