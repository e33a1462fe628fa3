"""Serves connections, and shuts down so that no request is lost.

aiohttp's shutdown would reset connections that wait to be accepted, and close new ones whose requests are on their
way. A proxy cannot resend a POST that may have arrived.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from socket import socket
from time import perf_counter
from typing import Any

from aiohttp import hdrs, web

from sidecar.web.keys import HEALTH
from sidecar.web.server.applications import Applications, Judge
from sidecar.web.server.connection import ACCESS, AccessLogger, Connection, log_line

_SETTLING = 0.5  # seconds, during shutdown, for requests on their way to arrive
_LOOK = 0.01  # seconds between checks whether they have arrived
# Connections that wait for another request: with 500 requests under way and 100 connections to upstreams they stay
# below the 1,024 descriptors that a process often has. A proxy keeps fewer, such as Traefik 200.
_MOST_KEPT = 300
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def attended(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Tell the connection that a request has arrived, and log a request whose answer broke off."""
    started = perf_counter()
    if isinstance(request.protocol, Connection):
        request.protocol.attend()
    try:
        return await handler(request)
    except ConnectionError:
        log_line(request, "broken", perf_counter() - started)
        raise


class Runner(web.BaseRunner):
    """Another application may take over while it serves; the connections stay.

    `deadlines` are each connection's `arriving`, `reading` and `keepalive`, in seconds.

    An answer beyond `most_kept` connections that wait for another request ends its own: who floods the service with
    such connections takes a bounded number of descriptors, and nobody's request meets a connection that just closes.
    """

    def __init__(
        self, app: web.Application, *, shutdown_timeout: float, most_kept: int = _MOST_KEPT, **deadlines: float
    ) -> None:
        super().__init__(shutdown_timeout=shutdown_timeout)
        self._applications = Applications(self._prepared(app))
        self._deadlines, self._most_kept = deadlines, most_kept
        self._kept: set[Connection] = set()

    async def _announce_end(self, request: web.Request, response: web.StreamResponse) -> None:
        """While draining, close the connection with this answer: a proxy would lose another request sent on it."""
        if request.app[HEALTH].draining or len(self._kept) >= self._most_kept:
            response.headers[hdrs.CONNECTION] = "close"
            response.force_close()

    @property
    def app(self) -> web.Application:
        """The application that gets the next request."""
        return self._applications.current

    async def replace(self, app: web.Application, judge: Judge) -> None:
        """Let another application take over once `judge` has seen it running; what either raises is raised here."""
        await self._applications.replace(self._prepared(app), judge)

    def drain(self) -> None:
        """Let every answer end its connection from now on, and `/readyz` say so."""
        self._applications.drain()

    def _prepared(self, app: web.Application) -> web.Application:
        app.on_response_prepare.append(self._announce_end)
        return app

    async def _make_server(self) -> web.Server:
        await self._applications.start()
        handle, make_request = self._applications.handle, self._applications.make_request
        return web.Server(handle, request_factory=make_request)  # type: ignore[arg-type]  # it makes no other requests

    async def shutdown(self) -> None:
        """Nothing is told of the end before the requests have ended."""

    async def _cleanup_server(self) -> None:
        await self._applications.end()

    @property
    def server(self) -> Callable[[], asyncio.Protocol] | None:  # type: ignore[override]  # a site only calls it
        return None if self._server is None else partial(self._connection, self._server)

    def _connection(self, manager: web.Server) -> Connection:
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {"loop": loop, "access_log_class": AccessLogger, "access_log": ACCESS}
        # Bodies are not inflated: the result would have no bound, and aiohttp logs a traceback for a broken one.
        return Connection(manager, self._kept, **self._deadlines, auto_decompress=False, **options)

    async def cleanup(self) -> None:
        """Stop accepting, give requests on their way a moment to arrive, then do as aiohttp does."""
        if self._server is not None:
            await self._stop_accepting(self._server)
            with suppress(TimeoutError):
                await asyncio.wait_for(_arrived(self._server), _SETTLING)
        await super().cleanup()

    async def _stop_accepting(self, manager: web.Server) -> None:
        """Accept what waits in the kernel's queues too: closing a listener's last descriptor would reset it."""
        loop = asyncio.get_running_loop()
        listeners = [listener.dup() for site in self.sites for listener in _listeners(site)]
        for site in self.sites:
            for listener in _listeners(site):
                loop.remove_reader(listener.fileno())
        await asyncio.sleep(0)  # for asyncio to make connections of what it has accepted; after `close` it drops them
        for site in self.sites:
            await site.stop()
        waiting = [connection for listener in listeners for connection in _last(listener)]
        for connection in waiting:
            with suppress(OSError):
                await loop.connect_accepted_socket(partial(self._connection, manager), connection)


async def _arrived(manager: web.Server) -> None:
    """Wait until every request on its way has arrived."""
    while any(isinstance(one, Connection) and one.on_its_way for one in manager.connections):  # noqa: ASYNC110 - aiohttp has no event for it
        await asyncio.sleep(_LOOK)


def _listeners(site: web.BaseSite) -> tuple[socket, ...]:
    server = site._server  # noqa: SLF001 - aiohttp gives a site's addresses, not its sockets
    return server.sockets if isinstance(server, asyncio.Server) else ()


def _last(listener: socket) -> Iterator[socket]:
    """Accept all that wait, then close the listener; nothing else may run in between."""
    with listener, suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)  # noqa: FBT003 - the library's signature
            yield connection
