"""One connection of a visitor: sends a request, and waits for the end of its answer without reading its body."""

import asyncio

from tests.benchmarks.fair.plan import Group

_LAST_CHUNK = b"\r\n0\r\n\r\n"  # no body here contains it: JSON has no raw carriage return


class Gone(Exception):
    """The connection ended before the answer did."""


class Connection(asyncio.Protocol):
    def __init__(self, group: Group) -> None:
        self._group = group
        self._answer: asyncio.Future[str] | None = None
        self._head = b""
        self._tail = b""
        self._left: int | None = None  # bytes of the body, None while it comes in chunks
        self._taken = 0
        self._last = False
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, request: bytes) -> str:
        """Give the answer's status once all of it came. Raises Gone."""
        loop = asyncio.get_running_loop()
        self._head = self._tail = b""
        self._answer = loop.create_future()
        if self.closed:
            raise Gone
        self._transport.write(request)
        if self._group.leaves_after is not None:
            loop.call_later(self._group.leaves_after, self._transport.abort)
        try:
            return await self._answer
        finally:
            if not self._answer.done() or self._answer.cancelled():
                self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._slow_down(len(data))
        if self._answer is None or self._answer.done():
            return
        if not self._tail:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._begin(head)
            data = b"\r\n\r\n" + data
            if self._left is not None:
                self._left += 4
        self._tail = (self._tail + data)[-len(_LAST_CHUNK) :]
        if self._left is not None:
            self._left -= len(data)
        if self._left == 0 or (self._left is None and self._tail == _LAST_CHUNK):
            self._end()

    def _begin(self, head: bytes) -> None:
        lines = head.lower()
        length = lines.partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0]
        self._left = int(length) if length else None if b"chunked" in lines else 0
        self._last = b"\r\nconnection: close" in lines

    def _end(self) -> None:
        assert self._answer is not None
        self._answer.set_result(self._head.split(b" ", 2)[1].decode())
        if self._last:
            self.closed = True
            self._transport.close()

    def _slow_down(self, taken: int) -> None:
        self._taken += taken
        if self._group.stalls_after is not None and self._taken >= self._group.stalls_after:
            self._transport.pause_reading()
        elif self._group.reads_every is not None:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(self._group.reads_every, self._transport.resume_reading)

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Gone())
