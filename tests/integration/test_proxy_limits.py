"""What the shipped nginx lets through from one address, what it refuses, and how. Behind it are servers of the test."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.demo import servers, tools
from deploy.demo.processes import Server, free_port
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer, exchange, parse, request_bytes
from tests.integration.flood import (
    OWN_REFUSAL,
    Keeping,
    allow_descriptors,
    ask,
    flood,
    port_of,
    quick,
    shipped,
)

PAGE = "/stripe/payments?limit=1"
EVENTS = "/stripe/webhooks"
SECRET = "MARKEDtoken"
BURST, EVENT_BURST, LOGOUT_BURST = 2000, 500, 200  # as in the template
CONNECTIONS, EVENT_CONNECTIONS = 1200, 50
TOO_MANY = 5000  # enough in one go, also where a second passes and 300 more may come
OTHER = "127.0.0.2"
BEHIND_PROXY = (
    ("#set_real_ip_from 192.0.2.1;", "set_real_ip_from 127.0.0.1;"),
    ("#real_ip_header X-Forwarded-For;", "real_ip_header X-Forwarded-For;"),
)


@pytest.fixture
async def upstream(tmp_path: Path) -> AsyncIterator[str]:
    async with quick(tmp_path) as server:
        yield server.url


@pytest.fixture
async def nginx(tmp_path: Path, upstream: str) -> AsyncIterator[Server]:
    async with shipped(tmp_path, upstream) as server:
        yield server


@pytest.fixture
async def exits() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def limited(server: Server, target: str, *, source: str = "127.0.0.1") -> Answer:
    """Send requests until one is refused, and give its answer."""
    found: list[Answer] = []

    async def is_refused() -> bool:
        sent = request_bytes("GET", target, [], None)
        many = sent.replace(b"Connection: close\r\n", b"") * 900 + sent
        raw = (await exchange(port_of(server), many, source=source)).raw
        _, refused, rest = raw.partition(b"HTTP/1.1 429 ")
        if refused:
            head, _, body = rest.partition(b"\r\n\r\n")
            length = int(parse(refused + head + b"\r\n\r\n").header("Content-Length") or 0)
            found.append(parse(refused + head + b"\r\n\r\n" + body[:length]))
        return bool(refused)

    await eventually(is_refused)
    return found[0]


@pytest.mark.parametrize("target", [PAGE, EVENTS])
async def test_a_flood_is_refused(nginx: Server, target: str) -> None:
    """F1: A flood from one address is refused in the shape of all errors, and another address is served."""
    refused = await limited(nginx, target)
    other = await ask(nginx, target, source=OTHER)

    assert (refused.status, refused.code, refused.header("Retry-After")) == (429, "REQUESTS_EXCEEDED", "1")
    assert refused.message
    assert refused.header("Content-Type") == "application/json"
    assert (refused.header("Cache-Control"), refused.header("X-Content-Type-Options")) == ("no-store", "nosniff")
    assert (other.status, other.body) == (200, b"served")


async def test_a_burst_is_served(nginx: Server) -> None:
    """2,000 requests of an office, one after the other as fast as they are answered, are all served."""
    assert await flood(nginx, PAGE, BURST) == {200: BURST}


async def test_a_flood_of_events_is_not_one_of_callers(nginx: Server) -> None:
    """What one address sends as events is counted apart, with a lower bound: its callers are served."""
    events = await flood(nginx, EVENTS, TOO_MANY, method="POST")
    callers = await flood(nginx, PAGE, BURST)

    assert EVENT_BURST <= events[200] < TOO_MANY
    assert callers == {200: BURST}


@pytest.mark.parametrize("target", ["/items/customers", "/auth/login", "/admin/", "/stripes"])
async def test_directus_has_limits_of_its_own(nginx: Server, target: str) -> None:
    """Paths of Directus have no limits here."""
    assert await flood(nginx, target, TOO_MANY) == {200: TOO_MANY}


async def test_own_servers_have_no_limits(tmp_path: Path, upstream: str) -> None:
    """An address in OWN_SERVERS has no limits; others still do."""
    async with shipped(tmp_path, upstream, own_servers="192.0.2.0/24 1; 127.0.0.1 1;") as nginx:
        own = await flood(nginx, PAGE, TOO_MANY)
        other = await flood(nginx, PAGE, TOO_MANY, source=OTHER)

    assert own == {200: TOO_MANY}
    assert other[429] > 0


async def test_a_refusal_of_the_sidecars_passes(nginx: Server) -> None:
    """A 429 of the sidecar's own is passed on unchanged."""
    answer = await ask(nginx, "/stripe/busy")

    assert (answer.status, answer.body.decode(), answer.header("Retry-After")) == (429, OWN_REFUSAL, None)


@pytest.mark.parametrize("level", ["alert", "error"])
async def test_no_token_in_the_log(tmp_path: Path, upstream: str, level: str) -> None:
    """S2: Refusals are in the access log without the query, and not in the error log, also at nginx's usual level."""
    target = f"{PAGE}&access_token={SECRET}"
    async with shipped(tmp_path, upstream, ("error_log stderr alert;", f"error_log stderr {level};")) as nginx:
        await limited(nginx, target)
        await asyncio.to_thread(_is_logged, nginx.log)


def _is_logged(log: Path) -> None:
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    refused = [line for line in lines if line["status"] == "429"]

    assert SECRET not in text
    assert {(line["path"], line["limit_req"], line["upstream"]) for line in refused} == {
        ("/stripe/payments", "REJECTED", "")
    }


async def test_a_thousand_at_once(tmp_path: Path, exits: AsyncExitStack) -> None:
    """C4: 1,000 requests at once from one address, such as a server that renders pages, are all answered."""
    allow_descriptors()
    keeping = await exits.enter_async_context(Keeping().serving())
    nginx = await exits.enter_async_context(shipped(tmp_path, keeping.url))
    waiting = [asyncio.create_task(ask(nginx, PAGE)) for _ in range(1000)]
    await eventually(lambda: keeping.paths["/stripe/payments"] == 1000)

    keeping.release()

    assert Counter([(await each).status for each in waiting]) == {200: 1000}


async def test_connections_of_one_address(tmp_path: Path, exits: AsyncExitStack) -> None:
    """F1: One address has 1,200 requests under way at most; what is beyond is a 429 at once, and others are served."""
    allow_descriptors()
    keeping = await exits.enter_async_context(Keeping().serving())
    nginx = await exits.enter_async_context(shipped(tmp_path, keeping.url))
    tasks = [asyncio.create_task(ask(nginx, PAGE)) for _ in range(CONNECTIONS + 50)]
    await eventually(lambda: sum(task.done() for task in tasks) == 50)
    refused = [await task for task in tasks if task.done()]
    other = asyncio.create_task(ask(nginx, PAGE, source=OTHER))
    await eventually(lambda: keeping.paths["/stripe/payments"] == CONNECTIONS + 1)

    keeping.release()

    assert {(answer.status, answer.code) for answer in refused} == {(429, "REQUESTS_EXCEEDED")}
    assert (await other).status == 200
    assert Counter([(await task).status for task in tasks]) == {200: CONNECTIONS, 429: 50}


async def test_slow_events_of_one_address(nginx: Server) -> None:
    """F1: One address may send 50 events slowly; what is beyond is a 429, and another address's event is passed on."""
    head = request_bytes("POST", EVENTS, [("Content-Length", "100")], None) + b"{"
    connections = [await asyncio.open_connection("127.0.0.1", port_of(nginx)) for _ in range(EVENT_CONNECTIONS + 10)]
    for _, writer in connections:
        writer.write(head)
    heads = [asyncio.create_task(reader.readuntil(b"\r\n\r\n")) for reader, _ in connections]
    await eventually(lambda: sum(each.done() for each in heads) >= 10)
    answered = [each.result() for each in heads if each.done()]

    event = await exchange(port_of(nginx), request_bytes("POST", EVENTS, [], b"{}"), source=OTHER)

    for (_, writer), each in zip(connections, heads, strict=True):
        writer.transport.abort()
        each.cancel()
    await asyncio.gather(*heads, return_exceptions=True)
    assert [parse(each).status for each in answered] == [429] * 10
    assert event.status == 200


async def test_a_flood_of_logouts(tmp_path: Path, exits: AsyncExitStack) -> None:
    """F1: Every logout reaches Directus and is answered; the sidecar is told of as many as one address may send."""
    keeping = await exits.enter_async_context(Keeping().serving())
    nginx = await exits.enter_async_context(shipped(tmp_path, keeping.url))
    keeping.release()

    answers = await flood(nginx, "/auth/logout", 2000, method="POST")

    assert answers == {200: 2000}
    assert keeping.paths["/auth/logout"] == 2000
    assert LOGOUT_BURST <= keeping.paths["/logout"] < 2000


async def test_the_containers_own_file(tmp_path: Path) -> None:
    """nginx takes the nginx.conf of the container together with the template."""
    written = (servers.ROOT / "deploy/nginx/nginx.conf").read_text()
    here = written.replace("/tmp/", f"{tmp_path}/").replace("/etc/nginx/conf.d/*.conf", f"{tmp_path}/http.conf")  # noqa: S108 - the image's
    (tmp_path / "nginx.conf").write_text(here)
    port = free_port()
    nobody = f"http://127.0.0.1:{port}"
    (tmp_path / "http.conf").write_text(servers.shipped(port=port, directus=nobody, sidecar=nobody))
    command = [tools.find("nginx") or "nginx", "-t", "-p", f"{tmp_path}/", "-c", "nginx.conf", "-e", "stderr"]

    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()

    assert process.returncode == 0, said
    assert b"[warn]" not in said


def told(address: str) -> tuple[str, str]:
    return ("X-Forwarded-For", address)


async def test_behind_another_proxy(tmp_path: Path, upstream: str) -> None:
    """F1: With set_real_ip_from each client of the other proxy has its own limit, and cannot choose another address."""
    async with shipped(tmp_path, upstream, *BEHIND_PROXY) as nginx:
        flooded = await flood(nginx, PAGE, TOO_MANY, told("203.0.113.5"))
        other = await flood(nginx, PAGE, BURST, told("203.0.113.6"))
        inventive = await flood(nginx, PAGE, TOO_MANY, told("192.0.2.7, 203.0.113.7"))

    assert flooded[429] > 0
    assert other == {200: BURST}
    assert inventive[429] > 0


@pytest.mark.parametrize(
    ("addresses", "one_client"),
    [
        (["2001:db8:1:1::a", "2001:db8:1:1::a0a", "2001:db8:1:1:a::1", "2001:db8:1:1:ffff:0:a:1"], True),
        (["2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:a::1", "2001:db8:2:1::1"], False),
        (["::ffff:203.0.113.1", "::ffff:203.0.113.2", "::ffff:203.0.113.10", "203.0.113.4"], False),
    ],
    # Among their bytes is a line feed, which a pattern may not count as a character.
    ids=["same half", "other halves", "IPv4 as IPv6"],
)
async def test_what_one_client_is(tmp_path: Path, upstream: str, addresses: list[str], *, one_client: bool) -> None:
    """F1: IPv6 addresses with the same first half count as one client; others, and each IPv4 address, count alone."""
    async with shipped(tmp_path, upstream, *BEHIND_PROXY) as nginx:
        answers = await asyncio.gather(*(flood(nginx, PAGE, BURST - 500, told(address)) for address in addresses))

    assert (sum(each[429] for each in answers) > 0) is one_client
