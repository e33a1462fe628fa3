"""A double of Directus whose changes are told, with the messages of unit/clients/directus/test_change_feed.py."""

from collections.abc import Sequence

from aiohttp import web

from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import SERVICE_TOKEN

# The settings with which a replica follows it.
FOLLOWING = {"DIRECTUS_REALTIME": "true", "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN}


class FollowedDirectus(DirectusDouble):
    """Handshakes, which carry the service's token in a cookie as no other request does, are not among `requests`."""

    def __init__(self) -> None:
        super().__init__()
        self.followers: list[web.WebSocketResponse] = []

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [*super().routes(), web.get("/websocket", self._follow)]

    async def change_permissions(self, *, told: int | None = None) -> None:
        """Tell the first `told` followers, or all, that a permission changed."""
        await self._tell({"event": "update", "uid": "directus_permissions", "data": [{"id": 1}]}, told)

    async def change_user(self, user: str, *, told: int | None = None) -> None:
        await self._tell({"event": "update", "uid": "directus_users", "data": [{"id": user}]}, told)

    async def _tell(self, change: dict[str, object], told: int | None) -> None:
        for follower in self.followers[:told]:
            await follower.send_json({"type": "subscription", **change})

    async def _follow(self, request: web.Request) -> web.WebSocketResponse:
        self.requests[:] = [each for each in self.requests if each.path != request.path]
        socket = web.WebSocketResponse(timeout=0.1)
        await socket.prepare(request)
        subscribed = 0
        async for each in socket:
            message = each.json()
            if message["type"] == "auth":
                await socket.send_json({"type": "auth", "status": "ok"})
            else:
                await socket.send_json({"type": "subscription", "event": "init", "data": [], "uid": message["uid"]})
                subscribed += 1
            if subscribed == 1:
                self.followers.append(socket)
        if socket in self.followers:
            self.followers.remove(socket)
        return socket
