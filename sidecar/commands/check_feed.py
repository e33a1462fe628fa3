"""Checks whether the service would receive changes of Directus: its rights, Directus's settings, and one try."""

import asyncio
from collections.abc import AsyncIterator

from sidecar import opening
from sidecar.clients.directus.change_feed import COLLECTIONS, ChangeFeed
from sidecar.commands.lines import Line, Word
from sidecar.core.access.permissions import Access, Action, Permissions
from sidecar.metrics import Metrics
from sidecar.settings import Settings

_EXCHANGES = 1 + len(COLLECTIONS)  # the sign-in, and each subscription


async def feed_lines(settings: Settings, permissions: Permissions, info: object) -> AsyncIterator[Line]:
    """`info` is the answer to `GET /server/info` with the service token."""
    faults = [line for line in (_rights_fault(permissions), _switch_fault(info)) if line is not None]
    for line in faults or [await _tried(settings)]:
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


def _switch_fault(info: object) -> Line | None:
    match info:
        case {"websocket": False}:
            return Line(Word.FAULT, "Directus does not tell of its changes: set WEBSOCKETS_ENABLED=true there")
        case {"websocket": {"rest": False}}:
            return Line(Word.FAULT, "Directus does not tell of its changes: set WEBSOCKETS_REST_ENABLED=true there")
        case _:
            return None


async def _tried(settings: Settings) -> Line:
    """Follow the feed as the service does, until it is connected once."""
    token, connected = settings.directus_service_token, asyncio.Event()
    async with opening.feed_session(settings) as session:
        feed = ChangeFeed(
            session,
            settings.directus_url,
            token.get_secret_value() if token else "",
            lambda cause: connected.set() if cause == "connected" else None,
            Metrics(),
        )
        following = asyncio.create_task(feed.run())
        try:
            await asyncio.wait_for(connected.wait(), _EXCHANGES * settings.directus_timeout)
        except TimeoutError:
            return Line(
                Word.FAULT,
                "Directus does not let the service follow its changes: do proxies on the way to DIRECTUS_URL pass "
                "WebSockets on, is WEBSOCKETS_REST_PATH /websocket and WEBSOCKETS_REST_AUTH handshake there?",
            )
        finally:
            following.cancel()
            await asyncio.wait([following])
    return Line(Word.OK, "Directus tells the service of its changes")
