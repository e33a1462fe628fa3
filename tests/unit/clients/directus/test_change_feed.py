"""The change feed against a double of Directus's websocket, with messages observed in Directus 11.17."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest
from aiohttp import web

from sidecar.clients.directus.change_feed import COLLECTIONS, ChangeFeed, Pace
from sidecar.clients.http import open_session
from sidecar.metrics import Metrics
from tests.doubles.one_route import serving_get
from tests.doubles.waiting import eventually

TOKEN = "MARKED;service/%2B+token"
COOKIE = "directus_session_token"
QUICK = Pace(first_wait=0.01, longest_wait=0.04, handshake=0.2, silence=600, window=0.05, settling=0.2)
Send = Callable[[web.WebSocketResponse], Awaitable[object]]


async def nothing(_: web.WebSocketResponse) -> None:
    pass


@dataclass(slots=True)
class Socket:
    """Directus's side. `errors` are the names, "auth" or a collection, that get an error as answer.

    With `strict` the upgrade must carry the token, as with WEBSOCKETS_REST_AUTH=strict.
    """

    strict: bool = False
    upgrade: Callable[[], web.Response | None] = lambda: None
    errors: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    meanwhile: Send = nothing
    open: list[web.WebSocketResponse] = field(default_factory=list)
    heard: list[dict[str, object]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    attempts: int = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.attempts += 1
        self.targets.append(request.raw_path)
        refusal = self.upgrade() or self._refuse_upgrade(request)
        if refusal is not None:
            return refusal
        socket = web.WebSocketResponse(timeout=0.1)
        await socket.prepare(request)
        self.open.append(socket)
        try:
            async for message in socket:
                self.heard.append(message.json())
                await self._answer(socket, message.json())
        finally:
            self.open.remove(socket)
        return socket

    def _refuse_upgrade(self, request: web.Request) -> web.Response | None:
        """Judge the query or the session cookie, which is decoded; a wrong token is refused with handshake too."""
        cookie = request.headers.get("Cookie", "").partition(f"{COOKIE}=")[2]
        token = request.query.get("access_token") or unquote(cookie)
        return None if token == TOKEN or not (token or self.strict) else web.Response(status=401)

    async def _answer(self, socket: web.WebSocketResponse, message: dict[str, object]) -> None:
        name = str(message.get("collection", message["type"]))
        if name in self.silent or name == "pong":
            return
        uid = {"uid": message["uid"]} if "uid" in message else {}
        if name in self.errors:
            await socket.send_json({"type": message["type"], "status": "error", "error": {"code": "FORBIDDEN"}, **uid})
        elif name == "auth":
            await socket.send_json({"type": "auth", "status": "ok"})
        else:
            await self.meanwhile(socket)
            await socket.send_json({"type": "subscription", "event": "init", "data": [], **uid})

    async def send(self, message: object) -> None:
        for socket in self.open:
            await socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def drop(self) -> None:
        """End every connection without a close frame, as a killed server does."""
        for socket in self.open:
            assert socket._req is not None
            assert socket._req.transport is not None
            socket._req.transport.abort()


@dataclass(slots=True)
class Following:
    feed: ChangeFeed
    task: asyncio.Task[None]
    metrics: Metrics
    purges: list[str]
    forgotten: list[str]

    def gauge(self) -> str:
        [line] = [line for line in self.metrics.exposition().decode().splitlines() if line.startswith("sidecar_feed")]
        return line.removeprefix("sidecar_feed_connected ")


Open = Callable[..., Awaitable[Following]]


@pytest.fixture
async def socket() -> Socket:
    return Socket()


@asynccontextmanager
async def following(
    url: str,
    pace: Pace = QUICK,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    *,
    cookie: str = COOKIE,
) -> AsyncIterator[Following]:
    metrics, purges, forgotten = Metrics(), list[str](), list[str]()
    async with open_session(total=None, connect=60, connections=1) as session:
        feed = ChangeFeed(
            session,
            f"{url}/websocket",
            TOKEN,
            purges.append,
            metrics,
            forget_user=forgotten.append,
            cookie=cookie,
            pace=pace,
            sleep=sleep,
        )
        task = asyncio.create_task(feed.run())
        yield Following(feed, task, metrics, purges, forgotten)
        assert task.cancelled() or not task.done()
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def fed(socket: Socket) -> AsyncIterator[Following]:
    async with serving_get("/websocket", socket.serve) as url, following(url) as feed:
        yield feed


async def connected(fed: Following) -> None:
    await eventually(lambda: fed.feed.connected)


async def test_connecting(socket: Socket, fed: Following) -> None:
    """The feed sends the token and five subscriptions as Directus's messages, then purges the cache once."""
    assert fed.gauge() == "0.0"
    await connected(fed)

    auth, *subscriptions = socket.heard
    assert auth == {"type": "auth", "access_token": TOKEN}
    assert [message["collection"] for message in subscriptions] == list(COLLECTIONS)
    assert {message["type"] for message in subscriptions} == {"subscribe"}
    assert fed.purges == ["connected"]
    assert fed.gauge() == "1.0"


async def test_strict_authentication(socket: Socket, log_lines: list[str]) -> None:
    """S1: WEBSOCKETS_REST_AUTH=strict changes no message of the feed, and the token is in no URL and no log."""
    socket.strict = True
    async with serving_get("/websocket", socket.serve) as url, following(url) as fed:
        await connected(fed)

        assert socket.heard[0] == {"type": "auth", "access_token": TOKEN}
        assert socket.targets == ["/websocket"]
        assert not any("MARKED" in line for line in log_lines)


async def test_another_session_cookie(socket: Socket, log_lines: list[str]) -> None:
    """A cookie that Directus does not know is refused in the upgrade with strict, and ignored with handshake."""
    async with serving_get("/websocket", socket.serve) as url:
        async with following(url, cookie="another") as fed:
            await connected(fed)
        socket.strict = True
        async with following(url, cookie="another") as fed:
            await eventually(lambda: socket.attempts >= 3)

            assert not fed.feed.connected
            assert any("401" in line for line in log_lines)
            assert not any("MARKED" in line for line in log_lines)


@pytest.mark.parametrize("event", ["create", "update", "delete"])
async def test_a_change(socket: Socket, fed: Following, event: str) -> None:
    """Any change in any of the collections purges the cache at once, and again when Directus has settled."""
    await connected(fed)
    for number, collection in enumerate(COLLECTIONS, start=1):
        await socket.send({"type": "subscription", "event": event, "data": [{"id": 1}], "uid": collection})

        await eventually(lambda: fed.purges[1:] == ["change", "settled"] * number)  # noqa: B023 - within this round


ANNA, BERT = "6d0b4c1e-0a5f-4f6e-9a0b-0d9e6c2f1a01", "6D0B4C1E-0A5F-4F6E-9A0B-0D9E6C2F1A02"


@pytest.mark.parametrize(
    ("event", "data", "users"),
    [
        ("create", [{"id": ANNA}], [ANNA]),
        ("update", [{"id": BERT}], [BERT.lower()]),
        ("delete", [ANNA], [ANNA]),
        ("delete", [ANNA, BERT], [ANNA, BERT.lower()]),
    ],
)
async def test_a_change_of_users(
    socket: Socket, fed: Following, event: str, data: list[object], users: list[str]
) -> None:
    """F6: A change that names all its users forgets them, at once and when Directus has settled, and nobody else."""
    await connected(fed)
    await socket.send({"type": "subscription", "event": event, "data": data, "uid": "directus_users"})

    await eventually(lambda: sorted(fed.forgotten) == sorted(users * 2))
    assert fed.purges == ["connected"]


@pytest.mark.parametrize(
    "message",
    [
        {"event": "update", "data": [{"id": ANNA}, {"id": BERT}]},  # as many as the limit: there may be more
        {"event": "update", "data": [{"id": "anna"}]},
        {"event": "update", "data": [{"id": None}]},
        {"event": "update", "data": [{}]},
        {"event": "update", "data": [ANNA]},
        {"event": "update", "data": {"id": ANNA}},
        {"event": "update", "data": []},
        {"event": "update"},
        {"event": "delete", "data": []},
        {"event": "delete", "data": [ANNA, 7]},
        {"event": "delete", "data": [ANNA, ANNA]},
        {"event": "sort", "data": [{"id": ANNA}]},
        {"data": [{"id": ANNA}]},
        {"event": "update", "data": [{"id": ANNA}], "uid": "directus_roles"},
        {"event": "update", "data": [{"id": ANNA}], "uid": None},
        {"event": "update", "data": [{"id": ANNA}], "type": "items"},
    ],
    ids=json.dumps,
)
async def test_a_change_that_does_not_name_its_users(
    socket: Socket, fed: Following, message: dict[str, object]
) -> None:
    """F6: A message of another form, or one that may leave users out, forgets everybody."""
    await connected(fed)
    await socket.send({"type": "subscription", "uid": "directus_users", **message})

    await eventually(lambda: fed.purges == ["connected", "change", "settled"])
    assert fed.forgotten == []


async def test_pings(socket: Socket, fed: Following) -> None:
    """A ping is answered and does not count as a change."""
    await connected(fed)
    await socket.send({"type": "ping"})

    await eventually(lambda: socket.heard[-1] == {"type": "pong"})
    assert fed.purges == ["connected"]


async def test_pings_and_changes_during_the_handshake(socket: Socket) -> None:
    """Messages between the answers of the handshake neither break it nor count as those answers."""

    async def meanwhile(channel: web.WebSocketResponse) -> None:
        await channel.send_json({"type": "ping"})
        await channel.send_json({"type": "subscription", "event": "update", "data": [{"id": 1}], "uid": COLLECTIONS[0]})

    socket.meanwhile = meanwhile
    async with serving_get("/websocket", socket.serve) as url, following(url) as fed:
        await connected(fed)

        await eventually(lambda: {"type": "pong"} in socket.heard)
        assert fed.purges[0] == "connected"


@pytest.mark.parametrize("name", ["auth", *COLLECTIONS])
async def test_refused(socket: Socket, log_lines: list[str], name: str) -> None:
    """If Directus refuses the token or a subscription, the log says so and the feed tries again with pauses."""
    socket.errors = {name}
    async with serving_get("/websocket", socket.serve) as url, following(url) as fed:
        await eventually(lambda: socket.attempts >= 3)

        assert not fed.feed.connected
        assert fed.purges == []
        assert any("FORBIDDEN" in line for line in log_lines)
        assert not any(TOKEN in line for line in log_lines)

        socket.errors = set()
        await connected(fed)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
async def test_no_websocket(socket: Socket, status: int) -> None:
    """If Directus offers no websocket, the feed tries again and purges nothing."""
    socket.upgrade = lambda: web.Response(status=status)
    async with serving_get("/websocket", socket.serve) as url, following(url) as fed:
        await eventually(lambda: socket.attempts >= 3)

        assert (fed.purges, fed.gauge()) == ([], "0.0")


async def test_redirect(socket: Socket) -> None:
    """U1: a redirect is not followed, so the token is sent to no other server."""
    elsewhere = Socket()
    async with serving_get("/websocket", elsewhere.serve) as other, serving_get("/websocket", socket.serve) as url:
        socket.upgrade = lambda: web.Response(status=307, headers={"Location": f"{other}/websocket"})
        async with following(url):
            await eventually(lambda: socket.attempts >= 3)

    assert elsewhere.attempts == 0


@pytest.mark.parametrize("name", ["auth", COLLECTIONS[-1]])
async def test_silent_handshake(socket: Socket, name: str) -> None:
    """The feed gives up a Directus that accepts and stays silent, and tries again."""
    socket.silent = {name}
    async with serving_get("/websocket", socket.serve) as url, following(url) as fed:
        await eventually(lambda: socket.attempts >= 2)
        socket.silent = set()

        await connected(fed)


async def test_silent_upgrade() -> None:
    """The feed also gives up a Directus that never answers the upgrade."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    async with following(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
        await eventually(lambda: len(writers) >= 2)

    server.close()
    for writer in writers:
        writer.transport.abort()


async def test_directus_is_down(unused_tcp_port: int) -> None:
    """While Directus is down, the feed keeps trying."""
    async with following(f"http://127.0.0.1:{unused_tcp_port}") as fed:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(fed.task), 0.2)

        assert not fed.feed.connected


@pytest.mark.parametrize("garbage", ["", "no JSON", "[]", "null", '"text"', "1", '{"status": "error", "error": []}'])
async def test_garbage(socket: Socket, fed: Following, garbage: str) -> None:
    """Any message that Directus would not send counts as a loss: the cache is purged and the feed starts again."""
    await connected(fed)
    await socket.send(garbage)

    await eventually(lambda: fed.purges[-2:] == ["lost", "connected"])
    assert fed.feed.connected


async def test_binary_and_oversized(socket: Socket, fed: Following) -> None:
    """Binary frames and oversized messages count as a loss too."""
    await connected(fed)
    await socket.open[0].send_bytes(b"\0")
    await eventually(lambda: fed.purges == ["connected", "lost", "connected"])
    with suppress(ConnectionError):
        await socket.open[0].send_str(" " * (5 * 1024 * 1024))

    await eventually(lambda: fed.purges == ["connected", "lost", "connected", "lost", "connected"])


async def test_rights_taken_away(socket: Socket, fed: Following) -> None:
    """If Directus answers a change with an error, the feed reports a loss until Directus accepts it again."""
    await connected(fed)
    socket.errors = {COLLECTIONS[1]}
    error = {"type": "subscribe", "status": "error", "error": {"code": "FORBIDDEN"}, "uid": COLLECTIONS[1]}
    await socket.send(error)

    await eventually(lambda: fed.purges == ["connected", "lost"])
    await eventually(lambda: socket.attempts >= 3)
    assert (fed.feed.connected, fed.gauge()) == (False, "0.0")
    socket.errors = set()
    await connected(fed)


async def test_lost_connection(socket: Socket, fed: Following) -> None:
    """If a connection ends without a close frame, the cache is purged at once and again after the reconnection."""
    await connected(fed)
    await socket.drop()

    await eventually(lambda: fed.purges == ["connected", "lost", "connected"])
    assert fed.gauge() == "1.0"


async def test_half_open_connection(socket: Socket) -> None:
    """The feed notices by the silence that the other side of a connection is gone."""
    pace = Pace(first_wait=0.01, longest_wait=0.04, handshake=0.2, silence=0.1)
    async with serving_get("/websocket", socket.serve) as url, following(url, pace) as fed:
        await connected(fed)
        transport = socket.open[0]._req.transport if socket.open[0]._req else None
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

        await eventually(lambda: fed.purges[:2] == ["connected", "lost"])


async def test_pauses_grow(socket: Socket) -> None:
    """Pauses between failed attempts double, with jitter, up to a bound; a success resets them."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        socket.upgrade = (lambda: None) if len(pauses) == 6 else lambda: web.Response(status=404)
        await asyncio.sleep(0)

    await sleep(0)
    pauses.clear()
    pace = Pace(first_wait=1, longest_wait=8)
    async with serving_get("/websocket", socket.serve) as url, following(url, pace, sleep) as fed:
        await connected(fed)
        await socket.drop()
        await eventually(lambda: len(pauses) >= 7)

    for expected, pause in zip((1, 2, 4, 8, 8, 8, 1), pauses, strict=False):
        assert expected / 2 <= pause <= expected * 1.5


async def test_ending(socket: Socket, fed: Following) -> None:
    """L4: the process ends without waiting for Directus to close the connection."""
    await connected(fed)
    transport = socket.open[0]._req.transport if socket.open[0]._req else None
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()

    fed.task.cancel()
    done, _ = await asyncio.wait([fed.task], timeout=1)
    transport.resume_reading()

    assert done == {fed.task}
