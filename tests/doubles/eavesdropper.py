"""A proxy that the environment names and that nobody may use: it writes down who comes, and refuses."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_NAMES = ("http", "https", "all", "ws", "wss", "http://127.0.0.1", "all://127.0.0.1", "https://127.0.0.1")


@dataclass(frozen=True, slots=True)
class Eavesdropper:
    """`environment` names it in every way that an HTTP client reads; `heard` has the head of each connection."""

    environment: Mapping[str, str]
    heard: list[bytes] = field(default_factory=list)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def eavesdropping(scheme: str = "http") -> AsyncIterator[Eavesdropper]:
    """`scheme` is that of the proxy's own address."""
    heard: list[bytes] = []
    server = await asyncio.start_server(Eavesdropper({}, heard)._answer, "127.0.0.1", 0)
    url = f"{scheme}://{server.sockets[0].getsockname()[0]}:{server.sockets[0].getsockname()[1]}"
    named = {f"{name}_proxy": url for name in _NAMES}
    async with server:
        yield Eavesdropper({**named, **{name.upper(): url for name in named}}, heard)
