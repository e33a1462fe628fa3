"""A logout through nginx ends all that the sidecar remembers of the session, whatever the cache's lifetime."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo import servers
from deploy.demo.admin import SESSION_COOKIE, Person, Rule, login, logout
from deploy.demo.processes import Server, free_port
from deploy.demo.stack import Stack
from tests.doubles.relay import relay_to
from tests.doubles.server import full_backlog
from tests.doubles.wire import exchange, request_bytes
from tests.integration.asking import Carried, ask, verdict
from tests.integration.conftest import Newcomer
from tests.integration.logouts import GONE, HEADER, LIST, Door, door_of
from tests.integration.replicas import replicas_of

PROXYS_OWN = (HEADER, servers.LOGOUT_SECRET)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def door(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """A sidecar that remembers for an hour, behind its own nginx."""
    async with door_of(stack, tmp_path_factory.mktemp("door")) as door:
        yield door


@pytest.fixture
async def person(newcomer: Newcomer) -> Person:
    return await newcomer(Rule("customers", "read"))


async def seen(url: str, session: str, carried: Carried = Carried.COOKIE) -> tuple[int, str | None]:
    return verdict(await ask(url, LIST, session, carried=carried))


async def post(url: str, path: str, *headers: tuple[str, str], body: bytes = b"") -> int:
    port = int(url.rpartition(":")[2])
    return (await exchange(port, request_bytes("POST", path, headers, body))).status


async def tell(sidecar: Server, *headers: tuple[str, str], query: str = "", body: bytes = b"") -> int:
    """Tell the sidecar of a logout as the proxy does."""
    return await post(sidecar.url, f"/logout{query}", PROXYS_OWN, *headers, body=body)


async def test_the_next_request_is_refused(door: Door, person: Person) -> None:
    """The first request after the logout's answer is refused, 20 times out of 20."""
    for _ in range(20):
        session = await login(door.nginx.url, person)
        assert await seen(door.nginx.url, session) == (200, None)
        await logout(door.nginx.url, session)

        assert await seen(door.nginx.url, session) == GONE


async def test_requests_meanwhile(door: Door, person: Person) -> None:
    """Requests with the same session during its logout leave nothing in the cache."""
    session = await login(door.nginx.url, person)
    over = asyncio.Event()

    async def ask_all_the_time() -> None:
        while not over.is_set():
            await seen(door.nginx.url, session)

    asking = [asyncio.create_task(ask_all_the_time()) for _ in range(4)]
    assert await seen(door.nginx.url, session) == (200, None)
    await logout(door.nginx.url, session)
    after = await seen(door.nginx.url, session)
    over.set()
    await asyncio.gather(*asking)

    assert (after, await seen(door.nginx.url, session)) == (GONE, GONE)


async def test_slow_logout(stack: Stack, person: Person, tmp_path: Path) -> None:
    """An answer of Directus between the logout's start and its end is not remembered."""
    async with (
        relay_to(stack.directus.url) as relay,
        stack.sidecar(PERMISSIONS_CACHE_TTL="3600", SHUTDOWN_DELAY="0") as sidecar,
        servers.nginx(tmp_path, port=free_port(), directus=relay.url, sidecar=sidecar.url) as nginx,
    ):
        session = await login(nginx.url, person)
        relay.pause()
        ending = asyncio.create_task(logout(nginx.url, session))
        while relay.paused == 0:
            await seen(nginx.url, session)
        during = await seen(nginx.url, session)
        relay.release()
        await ending

        assert during in {(200, None), GONE}
        assert await seen(nginx.url, session) == GONE


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/logout/", "/Auth/Logout", "/auth/logout?mode=session"])
async def test_spellings_of_the_path(door: Door, person: Person, path: str) -> None:
    """Each spelling of Directus's logout path ends the session here too."""
    session = await login(door.nginx.url, person)
    assert await seen(door.nginx.url, session) == (200, None)
    body = b'{"mode": "session"}'
    cookie = ("Cookie", f"{SESSION_COOKIE}={session}")
    assert await post(door.nginx.url, path, cookie, ("Content-Type", "application/json"), body=body) == 204

    assert await seen(door.nginx.url, session) == GONE


async def test_every_address(door: Door, person: Person) -> None:
    """A logout ends its session for all addresses and all places of the token."""
    session = await login(door.nginx.url, person)
    for source in ("127.0.0.1", "127.0.0.7"):
        for carried in (Carried.COOKIE, Carried.HEADER):
            assert (await ask(door.nginx.url, LIST, session, carried=carried, source=source)).status == 200
    await logout(door.nginx.url, session)

    for source in ("127.0.0.1", "127.0.0.7"):
        for carried in (Carried.COOKIE, Carried.HEADER):
            assert verdict(await ask(door.nginx.url, LIST, session, carried=carried, source=source)) == GONE


async def test_others_are_remembered(door: Door, person: Person) -> None:
    """A logout ends no other session, not even of the same user."""
    first, second = [await login(door.nginx.url, person) for _ in range(2)]
    assert (await seen(door.nginx.url, first), await seen(door.nginx.url, second)) == ((200, None), (200, None))
    hits = await door.counted("hit")
    await logout(door.nginx.url, first)

    assert await seen(door.nginx.url, second) == (200, None)
    assert await door.counted("hit") == hits + 1


@pytest.mark.parametrize("path", ["/sidecar-logout", "/metrics", "/logout", "/healthz", "/readyz", "/stripe/../logout"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_internal_routes(door: Door, path: str, method: str) -> None:
    """No client outside reaches the routes for the proxy, the platform and the monitoring."""
    port = int(door.nginx.url.rpartition(":")[2])
    answer = await exchange(port, request_bytes(method, path, [], None))

    assert answer.status in {404, 405}
    assert answer.header("Server") != "directus-stripe-sidecar"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Cookie", f"{SESSION_COOKIE}=a; {SESSION_COOKIE}=b")],
        [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
        [("Authorization", "Basic x"), ("Cookie", ";;=;")],
        [("X-Forwarded-For", "not an address"), ("Cookie", f"{SESSION_COOKIE}=x")],
        [("Authorization", "Bearer " + "x" * 7000)],
        [("Content-Type", "application/json"), ("Cookie", f"{SESSION_COOKIE}=\x80")],
    ],
    ids=["nothing", "two cookies", "two headers", "no token", "no address", "long", "not ASCII"],
)
async def test_same_answer_to_all(door: Door, headers: list[tuple[str, str]]) -> None:
    """Every request of the proxy gets the same 204, so that a client learns nothing from it."""
    assert await tell(door.sidecar, *headers) == 204
    assert await tell(door.sidecar, *headers, query="?access_token=a&access_token=b", body=b"{") == 204


async def test_two_cookies(stack: Stack, door: Door, person: Person) -> None:
    """A second session cookie, or a header beside it, does not keep a session remembered."""
    for other in (("Cookie", f"{SESSION_COOKIE}=other"), ("Authorization", "Bearer other")):
        session = await login(door.nginx.url, person)
        assert await seen(door.nginx.url, session) == (200, None)
        cookie = ("Cookie", f"{SESSION_COOKIE}={session}")
        body = b'{"mode": "session"}'
        await tell(door.sidecar, cookie, other)
        await post(stack.directus.url, "/auth/logout", cookie, ("Content-Type", "application/json"), body=body)

        assert await seen(door.nginx.url, session) == GONE


async def test_three_replicas(stack: Stack, person: Person, tmp_path: Path) -> None:
    """Behind nginx a session is over everywhere, though only one of three replicas is told of each logout."""
    async with replicas_of(stack, tmp_path, 3, PERMISSIONS_CACHE_TTL="3600", SHUTDOWN_DELAY="0") as replicated:
        url = replicated.proxy.url
        for _ in range(12):
            session = await login(url, person)
            assert {await seen(url, session) for _ in range(6)} == {(200, None)}
            await logout(url, session)

            assert {await seen(url, session, carried) for carried in Carried} == {GONE}


@pytest.mark.parametrize("sidecar", ["down", "silent"])
async def test_logout_without_a_sidecar(stack: Stack, person: Person, tmp_path: Path, sidecar: str) -> None:
    """A logout works, and soon, although no sidecar answers."""
    async with full_backlog() as silent:
        url = silent if sidecar == "silent" else f"http://127.0.0.1:{free_port()}"
        async with servers.nginx(tmp_path, port=free_port(), directus=stack.directus.url, sidecar=url) as nginx:
            session = await login(nginx.url, person)
            async with asyncio.timeout(30):  # nginx's own default is 60 s
                await logout(nginx.url, session)

    assert await seen(stack.main_sidecar.url, session) == GONE
