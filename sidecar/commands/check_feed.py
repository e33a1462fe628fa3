"""Checks whether the service would receive changes of Directus: its rights, Directus's settings, and one try."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

from aiohttp import WSServerHandshakeError

from sidecar import opening
from sidecar.clients.directus.change_feed import COLLECTIONS, FeedLost, Pace
from sidecar.clients.directus.server_info import ServerInfo
from sidecar.commands.lines import Line, Word
from sidecar.core.access.permissions import Access, Action, Permissions
from sidecar.metrics import Metrics
from sidecar.settings import Settings

_EXCHANGES = 1 + len(COLLECTIONS)  # the sign-in, and each subscription


async def feed_lines(settings: Settings, permissions: Permissions, info: ServerInfo) -> AsyncIterator[Line]:
    faults = [line for line in (_rights_fault(permissions), _switch_fault(info)) if line is not None]
    for line in faults or [await _tried(settings, info)]:
        yield line


def _rights_fault(permissions: Permissions) -> Line | None:
    """An item rule hides changes: Directus reports a change only if the item matches the rule afterwards."""
    grants = {name: permissions.grant(name, Action.READ) for name in COLLECTIONS}
    lacking = [
        name for name, grant in grants.items() if grant.access is not Access.FULL or not grant.fields.allow("id")
    ]
    if not lacking:
        return None
    return Line(
        Word.FAULT,
        f"the service token may not read the ID of every item of {', '.join(lacking)}, so changes there are not heard: "
        "run `provision` with DIRECTUS_REALTIME=true",
    )


def _switch_fault(info: ServerInfo) -> Line | None:
    match info.websockets:
        case False:
            return Line(Word.FAULT, "Directus does not tell of its changes: set WEBSOCKETS_ENABLED=true there")
        case {"rest": False}:
            return Line(Word.FAULT, "Directus does not tell of its changes: set WEBSOCKETS_REST_ENABLED=true there")
        case _:
            return None


async def _tried(settings: Settings, info: ServerInfo) -> Line:
    """Follow the feed as the service does, until it is connected or fails for the first time.

    Directus never answers an upgrade on a path that is not its own; so where the paths differ one timeout is enough to
    find a proxy that changes the path.
    """
    elsewhere = info.websocket_path not in {None, settings.websockets_rest_path}
    patience = settings.directus_timeout * (1 if elsewhere else _EXCHANGES)
    connected = asyncio.Event()
    async with opening.feed_session(settings) as session:
        pace = Pace(handshake=patience)
        feed = opening.change_feed(
            settings, session, lambda _: connected.set(), Metrics(), forget_user=lambda _: None, pace=pace
        )
        following = asyncio.create_task(feed.follow())
        hearing = asyncio.create_task(connected.wait())
        await asyncio.wait([following, hearing], return_when=asyncio.FIRST_COMPLETED)
        for task in (following, hearing):
            task.cancel()
        [end, _] = await asyncio.gather(following, hearing, return_exceptions=True)
    if connected.is_set():
        return Line(Word.OK, "Directus tells the service of its changes")
    return Line(Word.FAULT, f"Directus does not let the service follow its changes: {_cause(settings, info, end)}")


def _cause(settings: Settings, info: ServerInfo, end: object) -> str:
    here, there = settings.websockets_rest_path, info.websocket_path
    if there not in {None, here}:
        return f"its WEBSOCKETS_REST_PATH is {there}, and here it is {here}; set the same"
    match end:
        case WSServerHandshakeError(status=status):
            return _refused_upgrade(settings, status)
        case FeedLost() as lost:
            return str(lost)
        case TimeoutError():
            return (
                f"nothing answers the upgrade at {here}: let proxies on the way to DIRECTUS_URL pass WebSockets on, "
                "and set WEBSOCKETS_REST_PATH here as there"
            )
        case _:
            return f"the connection fails ({type(end).__name__})"


def _refused_upgrade(settings: Settings, status: int) -> str:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                f"it takes no service token from the cookie {settings.session_cookie_name}, as WEBSOCKETS_REST_AUTH="
                "strict needs it: set SESSION_COOKIE_NAME here as there, and let proxies on the way pass cookies on"
            )
        case HTTPStatus.FORBIDDEN:
            return "it admits no further connection (status 403): look at its WEBSOCKETS_REST_CONN_LIMIT"
        case _:
            return (
                f"status {status} answers the upgrade: let proxies on the way to DIRECTUS_URL pass WebSockets on, "
                "or name Directus's own address there"
            )
