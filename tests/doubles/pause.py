"""Pauses one request to an upstream, so that a test can look at that moment or kill the client."""

import asyncio

from aiohttp import web

from tests.doubles.faults import Handler


class Pause:
    """A fault that pauses a request until `release`, before the upstream does the work or `after` it."""

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
