"""Many requests on few connections, as fast as they are read, and servers behind nginx that answer at once or later."""

import asyncio
import re
import resource
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from deploy.demo import servers
from deploy.demo.processes import Server, free_port
from tests.doubles.wire import Answer, exchange, request_bytes

Headers = Sequence[tuple[str, str]]
OWN_REFUSAL = '{"errors":[{"message":"yours","extensions":{"code":"REQUESTS_EXCEEDED"}}]}'
_EACH = 500  # requests on one connection; nginx ends one after 1,000
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
# nginx answers by itself here, since a server in Python would be slower than the limits.
_QUICK = """
access_log off;
server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 served; }}
    location = /stripe/busy {{ default_type application/json; return 429 '{refusal}'; }}
}}
"""


class Keeping:
    """Keeps requests of the sidecar's until `release`; `paths` counts what has arrived."""

    def __init__(self) -> None:
        self.paths = Counter[str]()
        self.url = ""
        self._released = asyncio.Event()

    def release(self) -> None:
        self._released.set()

    async def handle(self, request: web.Request) -> web.Response:
        await request.read()
        self.paths[request.path] += 1
        if request.path.startswith("/stripe/"):
            await self._released.wait()
        return web.Response(text="served")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Keeping"]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()


@asynccontextmanager
async def quick(folder: Path) -> AsyncIterator[Server]:
    port = free_port()
    http = _QUICK.format(port=port, refusal=OWN_REFUSAL)
    async with servers.nginx_with(http, folder / "quick", port=port, log=folder / "quick.log") as server:
        yield server


@asynccontextmanager
async def shipped(
    folder: Path, upstream: str, *changes: tuple[str, str], own_servers: str = ""
) -> AsyncIterator[Server]:
    """Start the shipped nginx before `upstream`, which is Directus and the sidecar, with these lines replaced."""
    port = free_port()
    http = servers.shipped(port=port, directus=upstream, sidecar=upstream, own_servers=own_servers)
    for old, new in changes:
        assert http.count(old) == 1, old
        http = http.replace(old, new)
    async with servers.nginx_with(http, folder / "shipped", port=port, log=folder / "shipped.log") as server:
        yield server


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


def allow_descriptors(number: int = 8192) -> None:
    """Allow this process thousands of connections, where the system does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


async def flood(
    server: Server,
    target: str,
    number: int,
    *headers: tuple[str, str],
    method: str = "GET",
    source: str = "127.0.0.1",
) -> Counter[int]:
    """Send this many requests and give the number of answers of each status."""
    last = request_bytes(method, target, headers, b"" if method == "POST" else None)
    sent = last.replace(b"Connection: close\r\n", b"") * (_EACH - 1) + last
    raw = await asyncio.gather(*(_all(port_of(server), sent, source) for _ in range(number // _EACH)))
    return Counter(int(status) for each in raw for status in _STATUS.findall(each))


async def _all(port: int, sent: bytes, source: str) -> bytes:
    return (await exchange(port, sent, source=source)).raw


async def ask(server: Server, target: str, *headers: tuple[str, str], source: str = "127.0.0.1") -> Answer:
    return await exchange(port_of(server), request_bytes("GET", target, headers, None), source=source)
