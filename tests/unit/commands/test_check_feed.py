"""Whether the service would hear of changes in Directus, as `check` sees it against a faulty Directus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from sidecar.clients.directus.change_feed import COLLECTIONS
from sidecar.clients.directus.server_info import ServerInfo
from sidecar.commands.check_feed import feed_lines
from sidecar.commands.lines import Word
from sidecar.core.access.permissions import Permissions
from sidecar.settings import Settings
from tests.doubles.one_route import serving_get

ON = {"websocket": {"rest": {"authentication": "handshake", "path": "/websocket"}}}
OTHER_PATH = {"websocket": {"rest": {"authentication": "strict", "path": "/realtime"}}}
SETTINGS = Settings(
    directus_url="http://127.0.0.1:1",
    directus_service_token=SecretStr("service"),
    directus_realtime=True,
    directus_timeout=0.05,
    stripe_live_secret_key=SecretStr("rk_test_x"),
    stripe_customers_collection="customers",
)


def permissions(access: str = "full", field: str = "id") -> Permissions:
    """Give the same answer for each collection of the feed."""
    payload = {name: {"read": {"access": access, "fields": [field]}} for name in COLLECTIONS}
    return Permissions.from_directus(payload, payload)


async def found(granted: Permissions, info: object, settings: Settings = SETTINGS) -> list[tuple[Word, str]]:
    told = ServerInfo.from_directus(info)
    return [(line.word, line.text) async for line in feed_lines(settings, granted, told)]


@asynccontextmanager
async def answering(upgrade: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[Settings]:
    """Give settings that name a server which answers each upgrade so."""
    async with serving_get("/{path:.*}", upgrade) as url:
        yield Settings.model_validate(dict(SETTINGS) | {"directus_url": url, "directus_timeout": 5})


async def never(_: web.Request) -> web.StreamResponse:
    """Answer as Directus does an upgrade on a path that is not its own."""
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize("granted", [permissions("none"), permissions("partial"), permissions(field="name")])
async def test_rights_that_are_not_enough(granted: Permissions) -> None:
    """A right to fewer than all IDs is a fault: changes of the other items would not be heard."""
    [(word, text)] = await found(granted, ON)

    assert word is Word.FAULT
    assert ", ".join(COLLECTIONS) in text


@pytest.mark.parametrize(
    ("info", "setting"),
    [({"websocket": False}, "WEBSOCKETS_ENABLED"), ({"websocket": {"rest": False}}, "WEBSOCKETS_REST_ENABLED")],
)
async def test_websockets_that_are_off(info: object, setting: str) -> None:
    """WebSockets that Directus says are off are a fault that names their setting, next to a fault of the rights."""
    alone, both = await found(permissions(), info), await found(permissions("none"), info)

    [(word, text)] = alone
    assert word is Word.FAULT
    assert setting in text
    assert len(both) == 2


@pytest.mark.parametrize("info", [ON, {}, None])
async def test_a_feed_that_cannot_be_followed(info: object) -> None:
    """If nothing else is wrong, the feed is tried; a connection that fails is a fault that says so."""
    [(word, text)] = await found(permissions(), info)

    assert word is Word.FAULT
    assert "the connection fails (ClientConnectorError)" in text


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (401, "SESSION_COOKIE_NAME"),
        (403, "WEBSOCKETS_REST_CONN_LIMIT"),
        (404, "status 404 answers the upgrade: let proxies"),
        (200, "status 200 answers the upgrade: let proxies"),
        (502, "status 502 answers the upgrade: let proxies"),
    ],
)
async def test_an_upgrade_that_is_refused(status: int, cause: str) -> None:
    """The first refusal ends the try, and its status tells a wrong cookie from a proxy that passes no WebSockets on."""
    asked: list[web.Request] = []

    async def refuse(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return web.Response(status=status)

    async with answering(refuse) as settings:
        [(word, text)] = await found(permissions(), ON, settings)

    assert word is Word.FAULT
    assert cause in text
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("info", "cause"), [(OTHER_PATH, "its WEBSOCKETS_REST_PATH is /realtime"), (ON, "nothing answers")]
)
async def test_an_upgrade_that_is_not_answered(info: object, cause: str) -> None:
    """Directus never answers an upgrade on another path; the fault names that path, or proxies if it is the same."""
    async with answering(never) as settings:
        [(word, text)] = await found(permissions(), info, settings.model_copy(update={"directus_timeout": 0.05}))

    assert word is Word.FAULT
    assert cause in text


async def test_a_refusal_in_the_channel() -> None:
    """A refusal after the upgrade is reported with Directus's code, and at once."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "auth", "status": "error", "error": {"code": "AUTH_FAILED"}})
        return socket

    async with answering(refuse) as settings:
        [(word, text)] = await found(permissions(), ON, settings)

    assert word is Word.FAULT
    assert "AUTH_FAILED" in text
