"""A relay of bytes between the sidecar and a real upstream, which can delay or pause answers, or cut connections."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_Arrivals = asyncio.Queue[tuple[float, bytes]]  # when each block leaves the relay, and the block; empty at the end


class Relay:
    """Reached at `url`, which is the upstream's with the relay's port.

    `delay` is the time of a round trip in seconds, half of it each way, for what arrives from now on.
    `paused` is the number of connections with a paused answer; websockets are never paused.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname, parts.port
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._socket = _bound(0)
        self.port: int = self._socket.getsockname()[1]
        self.url = parts._replace(netloc=f"{parts.netloc.removesuffix(str(parts.port))}{self.port}").geturl()
        self.delay = 0.0
        self.paused = 0

    def lead_to(self, target: str) -> None:
        """Connect to another upstream from now on; connections that exist stay where they are."""
        parts = urlsplit(target)
        self._host, self._port = parts.hostname, parts.port

    def pause(self) -> None:
        """Be silent: accept connections, pass requests on, and keep every answer until `release`."""
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """Close every connection and refuse new ones until `mend`."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._socket = _bound(self.port)
        for writer in self._writers:
            writer.transport.abort()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._accept, sock=self._socket, backlog=1024)

    async def close(self) -> None:
        self.release()
        self.cut()
        self._socket.close()
        await asyncio.gather(*self._connections)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        connection = asyncio.create_task(self._connect(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = {writer}
        try:
            there, back = await asyncio.open_connection(self._host, self._port)
            writers.add(back)
            self._writers.add(back)
            if not writer.is_closing():  # cut meanwhile
                await self._relay(reader, back, there, writer)
        except OSError:  # the upstream refuses connections, so this one ends too
            pass
        finally:
            self._writers -= writers
            for one in writers:
                one.transport.abort()

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Return when either side has closed the connection and what it sent before has been passed on."""
        requests, answers = _Arrivals(), _Arrivals()
        reading = [asyncio.create_task(self._read(*each)) for each in ((reader, requests), (there, answers))]
        writing = [
            asyncio.create_task(self._write(requests, back, pausable=False)),
            asyncio.create_task(self._write(answers, writer, pausable=True)),
        ]
        try:
            await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*reading, *writing):
                task.cancel()
            await asyncio.wait([*reading, *writing])

    async def _read(self, reader: asyncio.StreamReader, arrivals: _Arrivals) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while block := await reader.read(65536):
                arrivals.put_nowait((loop.time() + self.delay / 2, block))
        arrivals.put_nowait((loop.time() + self.delay / 2, b""))

    async def _write(self, arrivals: _Arrivals, writer: asyncio.StreamWriter, *, pausable: bool) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while True:
                leaves, block = await arrivals.get()
                await asyncio.sleep(max(0.0, leaves - loop.time()))
                pausable = pausable and not block.startswith(b"HTTP/1.1 101")
                if pausable:
                    await self._flow()
                if not block:
                    break
                writer.write(block)
                await writer.drain()
            writer.close()
            await writer.wait_closed()

    async def _flow(self) -> None:
        if self._flowing.is_set():
            return
        self.paused += 1
        try:
            await self._flowing.wait()
        finally:
            self.paused -= 1


@asynccontextmanager
async def relay_to(target: str) -> AsyncIterator[Relay]:
    relay = Relay(target)
    await relay.mend()
    try:
        yield relay
    finally:
        await relay.close()


def _bound(port: int) -> socket.socket:
    """Reserve a port; until somebody listens on it the system refuses connections to it."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    return server
