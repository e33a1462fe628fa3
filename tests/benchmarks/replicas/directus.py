"""A Directus as slow as one process of it is, with its change feed and its logout.

Its answers come one after the other. The feed follows Directus's guide "Realtime: getting started with WebSockets",
with messages as seen in Directus 11.17.
"""

from collections.abc import Sequence

from aiohttp import web

from sidecar.clients.directus.change_feed import COLLECTIONS
from tests.benchmarks.fair.people import OneProcess
from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.doubles.server import Recorded

RATE = 180.0  # questions a second, as measured on one process of Directus 11.17
SESSION_COOKIE = "directus_session_token"
SERVICE = User("user-service", "benchmark-service", grants(read=full(), update=full()))
_EVERYTHING = grants(read=full(), create=full(), update=full())
_NO_QUESTIONS = ("/websocket", "/auth/logout")


class FedDirectus(DirectusDouble):
    """`feeds` are the connections that have subscribed to all there is to hear."""

    def __init__(self) -> None:
        super().__init__()
        self.feeds: list[web.WebSocketResponse] = []
        self.add_users([SERVICE])
        self.fail(OneProcess(1 / RATE), when=_is_question)

    @property
    def questions(self) -> int:
        return sum(map(_is_question, self.requests))

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.get("/websocket", self._feed), web.post("/auth/logout", self._log_out), *super().routes()]

    def move_in(self, name: str, number: int) -> list[str]:
        """Add so many clerks, who may do everything with customers; give their tokens."""
        users = [User(f"user-{name}-{one}", f"benchmark-{name}-{one:05}", _EVERYTHING) for one in range(number)]
        self.add_users(users)
        return [user.token for user in users]

    async def announce(self) -> None:
        """Tell everybody who listens that a permission was changed."""
        change = {"type": "subscription", "event": "update", "uid": "directus_permissions", "data": [{"id": 1}]}
        for feed in self.feeds:
            await feed.send_json(change)

    async def _log_out(self, request: web.Request) -> web.Response:
        """End the session in the cookie."""
        self.users[request.cookies[SESSION_COOKIE]].refused = "INVALID_CREDENTIALS"
        return web.Response(status=204)

    async def _feed(self, request: web.Request) -> web.WebSocketResponse:
        feed, subscribed = web.WebSocketResponse(), set[str]()
        await feed.prepare(request)
        try:
            async for message in feed:
                heard = message.json()
                if heard["type"] == "auth":
                    assert heard["access_token"] == SERVICE.token
                    await feed.send_json({"type": "auth", "status": "ok"})
                elif heard["type"] == "subscribe":
                    await feed.send_json({"type": "subscription", "event": "init", "data": [], "uid": heard["uid"]})
                    subscribed.add(heard["collection"])
                    if subscribed == set(COLLECTIONS):
                        self.feeds.append(feed)
        finally:
            if feed in self.feeds:
                self.feeds.remove(feed)
        return feed


def _is_question(request: Recorded) -> bool:
    return request.path not in _NO_QUESTIONS
