"""A server with one handler and deadlines of a fraction of a second, on a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from sidecar.metrics import Metrics
from sidecar.web import keys
from sidecar.web.admission.logged_clients import LoggedClients
from sidecar.web.admission.origins import Origins
from sidecar.web.health import Health
from sidecar.web.server.middlewares import envelope, identified, secure
from sidecar.web.server.runner import Runner, attended
from sidecar.web.server.sending import send

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
NEVER = 600.0  # seconds, for a deadline that no test waits for
ARRIVING, READING = 0.3, 0.5


async def probe() -> None:
    pass


@dataclass(slots=True)
class Serving:
    """A server with one handler; `begun` counts the requests it was given."""

    runner: Runner
    app: web.Application
    port: int
    release: asyncio.Event = field(default_factory=asyncio.Event)
    begun: int = 0
    answer: Callable[[web.Request], web.Response] = lambda _: web.Response(text="ok")
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.begun += 1
        if request.path == "/paused":
            await self.release.wait()
        if request.path == "/broken":
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"begun")
            raise ConnectionError
        if request.method == "POST":
            await request.read()
        answer = self.answer(request)
        if request.path == "/sent":
            await send(request, answer, write_timeout=ARRIVING)
        return answer

    async def connect(self, sent: bytes = b"") -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**26)
        self.connections.append(writer)
        writer.write(sent)
        return reader


@asynccontextmanager
async def served(*, most_kept: int = 500, **deadlines: float) -> AsyncIterator[Serving]:
    app = web.Application(middlewares=[attended, identified, envelope])
    app.on_response_prepare.append(secure)
    app[keys.METRICS], app[keys.HEALTH], app[keys.ORIGINS] = Metrics(), Health(lambda: False, probe), Origins()
    app[keys.LOGGED_CLIENTS] = LoggedClients("none", lambda peer, _: peer, "X-Forwarded-For")
    times = {"arriving": ARRIVING, "reading": READING, **deadlines}
    runner = Runner(app, shutdown_timeout=0.3, most_kept=most_kept, **times)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = Serving(runner, app, listener.getsockname()[1])
    app.router.add_route("*", "/{path:.*}", serving.handle)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    yield serving
    serving.release.set()
    await runner.cleanup()
    for writer in serving.connections:
        writer.transport.abort()
