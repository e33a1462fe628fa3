"""A proxy between the sidecar and a real upstream, where a test can pause or lose any request or answer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from yarl import URL

from tests.doubles.server import Double

_NOT_PASSED_ON = {"host", "connection", "content-length", "transfer-encoding", "keep-alive"}


class Proxy(Double):
    """A request that was passed on reaches the upstream at `target` even if the client has left."""

    def __init__(self, target: str, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self._target = target
        self._session = session

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.route("*", "/{path:.*}", self._forward)]

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
        url = URL(self._target + request.raw_path, encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, data=await request.read(), allow_redirects=False
        ) as answer:
            passed = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON}
            return web.Response(body=await answer.read(), status=answer.status, headers=passed)


@asynccontextmanager
async def proxy_for(target: str) -> AsyncIterator[Proxy]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        proxy = Proxy(target, session)
        await proxy.listen()
        try:
            yield proxy
        finally:
            await proxy.close()
