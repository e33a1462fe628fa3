"""A relay of bytes between the sidecar and a real upstream, which can pause answers or cut all connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Relay:
    """`paused` is the number of connections with a paused answer; websockets are never paused."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname, parts.port
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._reachable = True
        self.paused = 0
        self.url = ""

    def pause(self) -> None:
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """Close every connection and accept none until `mend`."""
        self._reachable = False
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._reachable = True

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._reachable:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pass(reader, back, pausable=False), self._pass(there, writer, pausable=True))
        finally:
            for one in (writer, back):
                one.transport.abort()
                self._writers.discard(one)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, pausable: bool) -> None:
        websocket = False
        with suppress(ConnectionError):
            while block := await reader.read(65536):
                websocket = websocket or block.startswith(b"HTTP/1.1 101")
                if pausable and not websocket and not self._flowing.is_set():
                    self.paused += 1
                    await self._flowing.wait()
                    self.paused -= 1
                writer.write(block)
        writer.transport.abort()


@asynccontextmanager
async def relay_to(target: str) -> AsyncIterator[Relay]:
    relay = Relay(target)
    server = await asyncio.start_server(relay.connected, "127.0.0.1", 0)
    relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        server.close()
        relay.release()
        relay.cut()
        await asyncio.sleep(0)
