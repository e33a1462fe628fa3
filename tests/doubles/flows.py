"""Flows of a double of Directus that a POST starts, as observed in Directus 11.17 (`test_flow_triggers`)."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Told = dict[str, Any]
FORBIDDEN = {"message": "You don't have permission to access this.", "extensions": {"code": "FORBIDDEN"}}


@dataclass
class Flow:
    """`told` has what started it, in order. It answers a code for an error at its end, otherwise what it `returns`."""

    told: list[Told] = field(default_factory=list)
    returns: object = None
    code: str | None = None
    meanwhile: Callable[[], Awaitable[None]] | None = None
    headers: list[dict[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0


class Flows:
    """The active Flows with such a trigger, by ID."""

    def __init__(self) -> None:
        self._flows: dict[str, Flow] = {}

    def add(self, identity: str) -> Flow:
        return self._flows.setdefault(identity, Flow())

    def remove(self, identity: str) -> None:
        del self._flows[identity]

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.post("/flows/trigger/{flow}", self._start)]

    async def _start(self, request: web.Request) -> web.Response:
        flow = self._flows.get(request.match_info["flow"])
        if flow is None:
            return web.json_response({"errors": [FORBIDDEN]}, status=403)
        flow.headers.append(dict(request.headers))
        flow.at_once += 1
        flow.most_at_once = max(flow.most_at_once, flow.at_once)
        try:
            if flow.meanwhile is not None:
                await flow.meanwhile()
        finally:
            flow.at_once -= 1
        flow.told.append(json.loads(await request.read()))
        if flow.code is not None:
            return web.json_response({"errors": [{"message": "no", "extensions": {"code": flow.code}}]}, status=500)
        return web.Response(status=204) if flow.returns is None else web.json_response(flow.returns)
