"""A server on loopback: of one application, or of a handler that answers GET on one path."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web


def serving_get(
    path: str, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> AbstractAsyncContextManager[str]:
    """Give the server's URL; `path` is a pattern of aiohttp's router."""
    app = web.Application()
    app.router.add_get(path, handler)
    return serving(app)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Give the server's URL."""
    runner = web.AppRunner(app, shutdown_timeout=0.05, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
