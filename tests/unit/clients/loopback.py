"""An upstream that answers with exact bytes, for answers that no well-behaved server sends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Loopback:
    """`url` has no slash at the end; `requests` are heads and bodies as they came off the wire."""

    url: str
    requests: list[bytes] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        return [request.split(b" ", 2)[1].decode() for request in self.requests]


def head(*lines: str, status: str = "200 OK") -> bytes:
    """Start an answer that declares JSON."""
    return "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: application/json", *lines, "", ""]).encode()


def whole(content: bytes, *lines: str, status: str = "200 OK") -> Answer:
    """Answer properly and close the connection."""
    return raw(head(f"Content-Length: {len(content)}", "Connection: close", *lines, status=status) + content)


def raw(*pieces: bytes) -> Answer:
    """Send exactly these bytes, then close."""

    async def send(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return send


async def silence(_writer: asyncio.StreamWriter) -> None:
    """Take the request and never answer."""
    await asyncio.Event().wait()


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@asynccontextmanager
async def loopback(*answers: Answer) -> AsyncIterator[Loopback]:
    """Give the next of `answers` to each connection; the last one is repeated forever."""
    queue, connections = list(answers), set[asyncio.Task[None]]()
    seen: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            seen.append(await _request(reader))
            await (queue.pop(0) if len(queue) > 1 else queue[0])(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has seen enough, or the test is over
        finally:
            writer.transport.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Loopback(f"http://127.0.0.1:{port}", seen)
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()


async def _request(reader: asyncio.StreamReader) -> bytes:
    lines = await reader.readuntil(b"\r\n\r\n")
    length = [line.split(b":")[1] for line in lines.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return lines + await reader.readexactly(int(length[0]) if length else 0)
