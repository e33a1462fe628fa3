"""Receives changes in Directus as they happen, so that a revoked permission stops counting at once.

Follows Directus's realtime protocol (its guide "Realtime: getting started with WebSockets"): authenticate,
subscribe, answer pings. A change of users purges what is cached of them; any other in COLLECTIONS, and any message that
does not say whom it concerns, purges all cached permissions. Changes may be missed while there is no connection, so its
begin and its end purge them too.

The token is sent twice, so that each WEBSOCKETS_REST_AUTH of Directus accepts it: `strict` wants it in the upgrade,
the others in a message. In the upgrade Directus takes `?access_token=` or the session cookie, which may contain a
static token; a cookie stands in no log.
"""

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp

from sidecar.clients.directus.purges import Purges
from sidecar.metrics import Metrics

_log = logging.getLogger(__name__)
COLLECTIONS = ("directus_access", "directus_permissions", "directus_policies", "directus_roles", "directus_users")
_USERS = "directus_users"
# Of the items that one change created or updated, Directus names as many as the subscription's limit (its
# `websocket/utils/items`). So two may be more, and one alone is all.
_LIMIT = 2
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_MESSAGE_LIMIT = 4 * 1024 * 1024
_CLOSING = aiohttp.ClientWSTimeout(ws_close=0.3)  # seconds to wait for Directus's close frame
Socket = aiohttp.ClientWebSocketResponse


class FeedLost(Exception):
    """Changes are not heard: Directus refuses, breaks the protocol, or has ended the connection."""


@dataclass(frozen=True, slots=True)
class Pace:
    """All in seconds: pauses between attempts to connect, the bound of a handshake, the silence before a ping.

    `window` and `settling` are of Purges.
    """

    first_wait: float = 0.5
    longest_wait: float = 30.0
    handshake: float = 10.0
    silence: float = 10.0
    window: float = 0.25
    settling: float = 1.0


class ChangeFeed:
    """`purge` is called with a cause: "change", "settled", "connected" or "lost"; `forget_user` with a user's ID.

    `cookie` is the name of Directus's session cookie.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        token: str,
        purge: Callable[[str], None],
        metrics: Metrics,
        *,
        forget_user: Callable[[str], None],
        cookie: str,
        pace: Pace = Pace(),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        session.trace_configs.append(_no_redirects())
        self._session = session
        self._url = url
        self._token = token
        # Directus decodes the cookie; unencoded, a `;` or `%` in the token would change it.
        self._headers = {"Cookie": f"{cookie}={quote(token, safe='')}"}
        self._purge = purge
        self._metrics = metrics
        self._pace, self._sleep = pace, sleep
        self._purges = Purges(purge, forget_user, window=pace.window, settling=pace.settling)
        self.connected = False
        metrics.feed.set(0)  # the metric has a value only where changes are followed

    async def run(self) -> None:
        """Follow the feed until canceled, with growing pauses while Directus cannot be reached."""
        wait = self._pace.first_wait
        while True:
            try:
                await self.follow()
            except Exception as error:  # noqa: BLE001 - without a retry, a dead feed looks like a quiet one
                _log.warning(
                    "changes in Directus are not heard; `check` says why",
                    extra={"reason": f"{type(error).__name__}: {error}"},
                )
            if self.connected:
                wait = self._pace.first_wait
                self._set_connected(connected=False)
            await self._sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
            wait = min(wait * 2, self._pace.longest_wait)

    async def follow(self) -> None:
        """Connect and receive changes until the connection ends, which always raises."""
        async with asyncio.timeout(self._pace.handshake) as handshake:
            async with self._session.ws_connect(
                self._url,
                headers=self._headers,
                heartbeat=self._pace.silence,
                max_msg_size=_MESSAGE_LIMIT,
                timeout=_CLOSING,
            ) as socket:
                await self._subscribe(socket)
                handshake.reschedule(None)
                self._set_connected(connected=True)
                while True:
                    self._hear(await self._next(socket))

    async def _subscribe(self, socket: Socket) -> None:
        await socket.send_json({"type": "auth", "access_token": self._token})
        await self._expect(socket, "type", {"auth"})
        for collection in COLLECTIONS:
            query = {"fields": ["id"], "limit": _LIMIT}
            await socket.send_json({"type": "subscribe", "collection": collection, "uid": collection, "query": query})
        waiting = set(COLLECTIONS)
        while waiting:
            waiting.discard(await self._expect(socket, "uid", waiting))

    async def _expect(self, socket: Socket, member: str, names: Collection[str]) -> str:
        """Wait for a message whose `member` is one of `names`; the purge on connecting covers changes until then."""
        while True:
            name = (await self._next(socket)).get(member)
            if isinstance(name, str) and name in names:
                return name

    async def _next(self, socket: Socket) -> Mapping[str, object]:
        """Raises FeedLost when the connection ends, for an error, and for anything but a message of Directus's."""
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise FeedLost(f"the connection ended ({message.type.name}, {socket.close_code})")
        answer = message.json()
        if not isinstance(answer, dict):
            raise FeedLost("a message is not an object")
        if answer.get("type") == "ping":
            await socket.send_json({"type": "pong"})
        if answer.get("status") == "error":
            code = answer["error"].get("code") if isinstance(answer.get("error"), dict) else None
            raise FeedLost(f"Directus refuses {answer.get('type')} {answer.get('uid', '')}: {code}")
        return answer

    def _hear(self, message: Mapping[str, object]) -> None:
        users = users_in(message)
        if users:
            self._purges.change_users(users)
        elif message.get("type") != "ping":
            self._purges.change_everybody()

    def _set_connected(self, *, connected: bool) -> None:
        self.connected = connected
        self._metrics.feed.set(connected)
        self._purge("connected" if connected else "lost")


def users_in(message: Mapping[str, object]) -> frozenset[str]:
    """Give the IDs of the users that a change is about; none where it is about anything else or does not name all."""
    match message:
        case {"type": "subscription", "uid": uid, "event": "delete", "data": [*named]} if uid == _USERS:
            users = named
        case {"type": "subscription", "uid": uid, "event": "create" | "update", "data": [{"id": user}]} if (
            uid == _USERS
        ):
            users = [user]
        case _:
            return frozenset()
    known = {user.lower() for user in users if isinstance(user, str) and _UUID.fullmatch(user)}
    return frozenset(known if len(known) == len(users) else ())


def _no_redirects() -> aiohttp.TraceConfig:
    """Keep the token from any address but the one in the settings; `ws_connect` has no option for that."""

    async def refuse(*_: object) -> None:
        raise FeedLost("Directus redirects")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    trace.freeze()
    return trace
