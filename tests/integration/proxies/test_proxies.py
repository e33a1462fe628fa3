"""Caddy, HAProxy and Traefik as deploy/ sets them up: what they pass on, what they take away, and how they stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.demo.progress import Fault
from sidecar.web.admission.unverified_bodies import LONGEST as MAX_EVENT
from sidecar.web.requests.bodies import MAX_BODY
from tests import programs
from tests.absent import left_out
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import Sidecar, serving
from tests.doubles.running_app import CLERK, KEY
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually
from tests.doubles.wire import exchange, request_bytes
from tests.integration.proxies.starting import BEGUN, Upstreams, proxy

NAMES = ("caddy", "haproxy", "traefik")
CLIENT = "127.0.0.2"
CLAIMED = "203.0.113.7"
SESSION = "directus_session_token"


@dataclass(slots=True)
class Upstream:
    """A server that notes the headers of each whole request, and sends the second half of /stripe/long when it may."""

    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        if request.path != BEGUN:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.requests.append((request.raw_path, headers))
        response = web.StreamResponse()
        await response.prepare(request)
        if request.path == "/stripe/long":
            await response.write(b"first half,")
            await self.may_end.wait()
        await response.write(b"the end")
        return response

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Give its host and port."""
        app = web.Application(client_max_size=2**21)
        app.router.add_route("*", "/{path:.*}", self.answer)
        async with TestServer(app) as server:
            yield f"{server.host}:{server.port}"


@pytest.fixture(scope="session")
def proxies() -> Path:
    try:
        return programs.environment("proxies.txt", "Caddy, HAProxy and Traefik")
    except Fault as fault:
        left_out(f"Caddy, HAProxy and Traefik could not be had: {fault}")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sidecar() -> Upstream:
    return Upstream()


@pytest.fixture
def behind() -> Upstream:
    """What stands in the place of Directus."""
    return Upstream()


@pytest.fixture
async def door(name: str, proxies: Path, sidecar: Upstream, behind: Upstream, tmp_path: Path) -> AsyncIterator[Sidecar]:
    async with (
        sidecar.running() as one,
        behind.running() as other,
        proxy(name, proxies, tmp_path, Upstreams(one, other)) as running,
    ):
        yield running


async def ask(
    door: Sidecar, target: str, *headers: tuple[str, str], method: str = "GET", body: bytes | None = None
) -> int:
    sent = request_bytes(method, target, headers, body)
    return (await exchange(door.port, sent, source=CLIENT)).status


async def test_only_the_prefix_goes_to_the_sidecar(door: Sidecar, sidecar: Upstream, behind: Upstream) -> None:
    """Everything but what begins with /stripe/ goes to Directus."""
    others = ["/", "/items/customers", "/stripes/payments", "/stripe", "/healthz"]
    for path in (*others, "/stripe/payments?limit=1"):
        await ask(door, path)

    assert [target for target, _ in sidecar.requests if target != "/healthz"] == ["/stripe/payments?limit=1"]
    assert [target for target, _ in behind.requests] == others


async def test_a_client_does_not_choose_its_address(door: Sidecar, sidecar: Upstream, behind: Upstream) -> None:
    """Both upstreams see the client's own address, whatever it claims, and nobody tells of a logout."""
    claims = [("X-Forwarded-For", CLAIMED), ("Forwarded", f"for={CLAIMED}"), ("X-Real-IP", CLAIMED)]
    for path in ("/stripe/payments", "/users/me"):
        await ask(door, path, *claims, ("X-Sidecar-Logout", "guessed"), ("Cookie", f"{SESSION}=abc"))

    for target, headers in (sidecar.requests[-1], behind.requests[-1]):
        assert headers["x-forwarded-for"] == CLIENT, target
        assert (headers["x-forwarded-proto"], headers["cookie"]) == ("http", f"{SESSION}=abc")
        assert CLAIMED not in str(headers)
        assert not {"forwarded", "x-sidecar-logout"} & headers.keys()


async def test_a_list_is_streamed(door: Sidecar, sidecar: Upstream) -> None:
    """The first bytes of an answer arrive while the rest is not there yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(request_bytes("GET", "/stripe/long", [], None))

    first = await asyncio.wait_for(reader.readuntil(b"first half,"), 60)
    sidecar.may_end.set()
    rest = await asyncio.wait_for(reader.read(), 60)
    writer.close()

    assert b" 200 " in first
    assert b"the end" in rest


async def test_bodies_up_to_the_sidecars_bounds_pass(door: Sidecar, sidecar: Upstream) -> None:
    """The largest body that the sidecar takes arrives there, of a request and of an event."""
    for path, size in (("/stripe/customers", MAX_BODY), ("/stripe/webhooks", MAX_EVENT)):
        assert await ask(door, path, method="POST", body=b"x" * size) == 200, path

    sizes = [headers["content-length"] for target, headers in sidecar.requests if target != "/healthz"]
    assert sizes == [str(MAX_BODY), str(MAX_EVENT)]


@pytest.mark.parametrize("name", ["caddy", "haproxy"])
async def test_a_body_has_a_bound(door: Sidecar, sidecar: Upstream) -> None:
    """A larger body is a 413 in the form of all errors, and does not reach the sidecar whole."""
    sent = request_bytes("POST", "/stripe/customers", [], b"x" * (MAX_BODY + 1))
    answer = await exchange(door.port, sent, source=CLIENT)

    [error] = answer.json()["errors"]
    assert (answer.status, error["extensions"]) == (413, {"code": "CONTENT_TOO_LARGE"})
    assert answer.header("Content-Type") == "application/json"
    assert [target for target, _ in sidecar.requests if target != "/healthz"] == []


@pytest.mark.parametrize("name", ["haproxy"])
async def test_an_address_has_so_many_requests_at_once(door: Sidecar, sidecar: Upstream) -> None:
    """With as many requests under way as nginx allows, one more is a 429; another address is answered."""

    async def begin() -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port, local_addr=(CLIENT, 0))
        writer.write(request_bytes("GET", "/stripe/long", [], None))
        await asyncio.wait_for(reader.readuntil(b"first half,"), 60)
        return writer

    under_way = [writer for _ in range(12) for writer in await asyncio.gather(*(begin() for _ in range(100)))]
    refused = await ask(door, "/stripe/payments")
    answered = (await exchange(door.port, request_bytes("GET", "/stripe/payments", [], None))).status
    sidecar.may_end.set()
    for writer in under_way:
        writer.close()

    assert (refused, answered) == (429, 200)


async def test_nothing_is_logged_of_a_token(door: Sidecar) -> None:
    """S2: No token of a request stands in what the proxy writes."""
    await ask(door, "/stripe/payments?access_token=MARKEDtoken", ("Cookie", f"{SESSION}=MARKEDsession"))
    door.terminate()
    await door.exit_code()

    assert "MARKED" not in door.said()


async def test_a_sidecar_that_is_down_is_an_error_without_a_token(
    name: str, proxies: Path, behind: Upstream, tmp_path: Path
) -> None:
    """S2: Where no sidecar answers, Directus is reached, and no token is logged."""
    async with behind.running() as other, proxy(name, proxies, tmp_path, Upstreams("127.0.0.1:9", other)) as door:
        refused = await ask(door, "/stripe/payments?access_token=MARKEDtoken", ("Referer", "http://a/?t=MARKED"))
        reached = await ask(door, "/server/ping")
        door.terminate()
        await door.exit_code()

    assert refused in {502, 503}
    assert reached == 200
    assert "MARKED" not in door.said()


async def test_the_sidecar_believes_it(
    name: str, proxies: Path, directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path
) -> None:
    """With TRUSTED_PROXIES the real sidecar takes the session, and asks Directus for the client's address."""
    given = {
        "DIRECTUS_URL": directus.url,
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_LIVE_SECRET_KEY": KEY,
        "STRIPE_CUSTOMERS_COLLECTION": "customers",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    session = ("Cookie", f"{SESSION}={CLERK.token}")
    async with serving(tmp_path / "sidecar.log", **given) as behind:
        upstreams = Upstreams(f"127.0.0.1:{behind.port}", directus.url.removeprefix("http://"))
        async with proxy(name, proxies, tmp_path, upstreams) as door:

            async def is_answered() -> bool:
                return await ask(door, "/stripe/payments", session, ("X-Forwarded-For", CLAIMED)) == 200

            await eventually(is_answered)

    questions = [each for each in directus.requests if each.path == "/permissions/me"]
    assert {value for each in questions for value in each.values("X-Forwarded-For")} == {CLIENT}
