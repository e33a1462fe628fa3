"""Stops one request of an upstream where a test wants to look, or to kill whoever asked."""

import asyncio

from aiohttp import web

from tests.doubles.faults import Handler


class Pause:
    """A fault that keeps a request waiting `after` the upstream has done its work, or before, until `release`."""

    def __init__(self, *, after: bool) -> None:
        self.reached = asyncio.Event()
        self._after = after
        self._released = asyncio.Event()

    def release(self) -> None:
        self._released.set()

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        done = await handler(request) if self._after else None
        self.reached.set()
        await self._released.wait()
        return await handler(request) if done is None else done
