"""Hears of changes in Directus as they happen, so that a permission taken away is gone at once.

Follows Directus's realtime protocol (its guide "Realtime: getting started with WebSockets"): authenticate,
subscribe, answer pings. What changed is not interpreted: any change in who may do what forgets all permissions.
Whatever may have been missed counts as a change: all are forgotten when the connection ends and when it begins.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping

import aiohttp

from sidecar.metrics import Metrics

_log = logging.getLogger(__name__)
COLLECTIONS = ("directus_access", "directus_permissions", "directus_policies", "directus_roles", "directus_users")
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds between attempts to connect
_HANDSHAKE = 10.0  # seconds for Directus to accept the token and the subscriptions
_SILENCE = 20.0  # seconds after which the connection is tried with a ping
_MESSAGE_LIMIT = 4 * 1024 * 1024


class FeedRefused(Exception):
    """Directus does not let the service token follow its changes."""


class ChangeFeed:
    """`purge` is called with a cause: "change", "connected" or "lost"."""

    def __init__(
        self, session: aiohttp.ClientSession, base: str, token: str, purge: Callable[[str], None], metrics: Metrics
    ) -> None:
        self._session = session
        self._url = f"{base}/websocket"
        self._token = token
        self._purge = purge
        self._metrics = metrics
        self.connected = False

    async def run(self) -> None:
        """Follow the feed for ever, with growing pauses while it cannot be followed."""
        wait = _FIRST_WAIT
        while True:
            try:
                await self._follow()
            except (aiohttp.ClientError, FeedRefused, TimeoutError, ValueError, OSError) as error:
                _log.warning("changes in Directus are not heard", extra={"reason": f"{type(error).__name__}: {error}"})
            if self.connected:
                wait = _FIRST_WAIT
                self._set_connected(connected=False)
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _follow(self) -> None:
        async with self._session.ws_connect(self._url, heartbeat=_SILENCE, max_msg_size=_MESSAGE_LIMIT) as socket:
            async with asyncio.timeout(_HANDSHAKE):
                await self._subscribe(socket)
            self._set_connected(connected=True)
            async for message in socket:
                await self._hear(socket, message.json())

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"type": "auth", "access_token": self._token})
        await self._expect(socket, {"auth"})
        for collection in COLLECTIONS:
            query = {"fields": ["id"], "limit": 1}
            await socket.send_json({"type": "subscribe", "collection": collection, "uid": collection, "query": query})
        waiting = set(COLLECTIONS)
        while waiting:
            waiting.discard(await self._expect(socket, waiting))

    async def _expect(self, socket: aiohttp.ClientWebSocketResponse, names: set[str]) -> str:
        """Wait for the answer to one of `names`. Raises FeedRefused where it is an error or the connection ends."""
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise FeedRefused("the connection ended during the handshake")
            answer = message.json()
            if answer.get("type") == "ping":
                await socket.send_json({"type": "pong"})
            elif answer.get("status") == "error":
                code = answer.get("error", {}).get("code")
                raise FeedRefused(f"{answer.get('type')} {answer.get('uid', '')}: {code}; see `provision`")
            elif answer.get("type") in names:
                return str(answer["type"])
            elif answer.get("uid") in names and answer.get("event") == "init":
                return str(answer["uid"])

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, message: Mapping[str, object]) -> None:
        if message.get("type") == "ping":
            await socket.send_json({"type": "pong"})
        else:
            self._purge("change")

    def _set_connected(self, *, connected: bool) -> None:
        self.connected = connected
        self._metrics.feed.set(connected)
        self._purge("connected" if connected else "lost")
