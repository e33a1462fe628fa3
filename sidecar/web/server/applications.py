"""The application that gets the next request, and former ones whose requests are still being answered.

A connection belongs to the server and not to an application. So when another application takes over, no request is
lost or refused: each is answered by the application that was there when it arrived.
"""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web, web_app

from sidecar.web.keys import HEALTH

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Judge = Callable[[web.Application], Awaitable[None]]
_log = logging.getLogger(__name__)


class Applications:
    """`current` gets the next request."""

    def __init__(self, app: web.Application) -> None:
        self._serving = _Served(app)
        self._former: dict[asyncio.Task[None], _Served] = {}

    @property
    def current(self) -> web.Application:
        return self._serving.app

    async def start(self) -> None:
        await self._serving.start()

    async def replace(self, app: web.Application, judge: Judge) -> None:
        """Start another application, and let it take over once `judge` has seen it running.

        Raises what either of them raises, and then nothing is replaced.
        """
        successor = _Served(app)
        await successor.start()
        try:
            await judge(app)
        except BaseException:
            await successor.end()
            raise
        former, self._serving = self._serving, successor
        ending = asyncio.create_task(former.end_when_idle())
        self._former[ending] = former
        ending.add_done_callback(self._forget)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        return await self._serving.answer(request)

    def make_request(self, *arguments: Any) -> web.BaseRequest:  # noqa: ANN401 - what aiohttp's server passes
        return self._serving.make_request(*arguments)

    def drain(self) -> None:
        """Let every answer end its connection from now on, and the current application say that it is not ready."""
        for served in (self._serving, *self._former.values()):
            served.app[HEALTH].draining = True

    async def end(self) -> None:
        """End all of them; call it when the server has ended their requests."""
        for ending, former in list(self._former.items()):
            former.idle.set()
            await asyncio.wait([ending])
        await self._serving.end()

    def _forget(self, ending: asyncio.Task[None]) -> None:
        """Drop what is left of a former application at once, since it has the secrets of before."""
        del self._former[ending]
        web_app._cached_build_middleware.cache_clear()  # noqa: SLF001 - it keeps the applications of handlers
        asyncio.get_running_loop().call_soon(gc.collect)
        if not ending.cancelled() and (error := ending.exception()) is not None:
            _log.error("a former application did not end properly", exc_info=error)


class _Served:
    """One application; a runner of its own, which has no address, starts and ends it."""

    def __init__(self, app: web.Application) -> None:
        self.app = app
        self.idle = asyncio.Event()
        self.idle.set()
        self._runner = web.AppRunner(app)
        self._requests = 0

    async def start(self) -> None:
        try:
            await self._runner.setup()
        except BaseException:
            await self.end()
            raise

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self._requests += 1
        self.idle.clear()
        try:
            return await self._server.request_handler(request)
        except web.HTTPExpectationFailed as error:
            return await _answered(self.app, request, error)
        finally:
            self._requests -= 1
            if self._requests == 0:
                self.idle.set()

    def make_request(self, *arguments: Any) -> web.BaseRequest:  # noqa: ANN401 - the same
        return self._server.request_factory(*arguments)

    async def end_when_idle(self) -> None:
        await self.idle.wait()
        await self.end()

    async def end(self) -> None:
        await self._runner.cleanup()

    @property
    def _server(self) -> web.Server:
        assert self._runner.server is not None  # noqa: S101 - it has been started, and gets no request after its end
        return self._runner.server


async def _answered(app: web.Application, request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    """aiohttp refuses an unknown `Expect` before any middleware; let them answer, count and log that like all else."""

    async def refuse(_request: web.Request) -> web.StreamResponse:
        raise error

    handler: _Handler = refuse
    for middleware in reversed(app.middlewares):
        handler = partial(middleware, handler=handler)
    return await handler(request)
