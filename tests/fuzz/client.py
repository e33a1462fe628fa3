"""Sends bytes as they are, and collects what comes back until the connection ends."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

DEADLINE = 45.0  # seconds: above every deadline of the service's own (15 s for a request, 25 s for Stripe)


@dataclass(frozen=True, slots=True)
class Received:
    """All that came in `seconds`. `ended`: by the service; `left`: by the client, which did not wait for that."""

    raw: bytes
    seconds: float
    ended: bool
    left: bool = False


async def send(port: int, data: bytes, *, leaves: float | None, within: float = DEADLINE) -> Received:
    """Send `data`, and wait for the end of the connection for `within` seconds, or leave after `leaves` seconds."""
    started = time.monotonic()
    received, ended = bytearray(), False
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        with suppress(TimeoutError):
            async with asyncio.timeout(within if leaves is None else leaves):
                await _read(reader, received)
                ended = True
    finally:
        writer.transport.abort()
    return Received(bytes(received), time.monotonic() - started, ended, left=not ended and leaves is not None)


async def _read(reader: asyncio.StreamReader, received: bytearray) -> None:
    with suppress(ConnectionError):  # a reset ends the connection too
        while block := await reader.read(65536):
            received += block
