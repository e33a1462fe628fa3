"""A loopback server that records every request as received, and fails on demand."""

import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from tests.doubles.faults import Fault, Handler

_log = logging.getLogger("doubles")
_log.propagate = False  # a test reads the sidecar's log, not the log of a double about a closed connection
_LONGEST_BODY = 4 * 1024 * 1024
_LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request; `target` is undecoded, `headers` keeps order, case and repetitions."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=bool(self.body))

    def values(self, name: str) -> list[str]:
        return [value for header, value in self.headers if header.lower() == name.lower()]

    def text(self) -> str:
        """Give the whole request as text, to be searched for leaks."""
        lines = [f"{self.method} {self.target}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\n".join([*lines, self.body.decode("latin-1")])


Condition = Callable[[Recorded], bool]


@dataclass(slots=True)
class _Order:
    fault: Fault
    when: Condition
    left: int | None


class Double:
    """Subclasses add routes. The port is bound at creation, so that no other process can take it before `listen`.

    `longest_head` bounds a head's target, names and values together, in bytes.
    """

    longest_head = _LONGEST_LINE

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self._orders: list[_Order] = []
        self._runner: web.AppRunner | None = None
        self._socket = _bound(0)
        self.port: int = self._socket.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        raise NotImplementedError

    def fail(self, fault: Fault, *, when: Condition = lambda _: True, times: int | None = None) -> None:
        """Answer requests that match `when` with `fault`: the next `times` of them, or all until `recover`."""
        self._orders.append(_Order(fault, when, times))

    def recover(self) -> None:
        self._orders.clear()

    async def listen(self) -> None:
        app = web.Application(middlewares=[self._observe], client_max_size=_LONGEST_BODY)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_log,
            handler_cancellation=True,
            shutdown_timeout=0.05,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
        )
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, backlog=1024).start()

    async def refuse(self) -> None:
        """Close every connection and refuse new ones until `listen`."""
        await self.close()
        self._socket = _bound(self.port)

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._socket.close()

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        double = cls()
        await double.listen()
        try:
            yield double
        finally:
            await double.close()

    @web.middleware
    async def _observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        recorded = Recorded(request.method, request.raw_path, _headers(request), await request.read())
        self.requests.append(recorded)
        if len(recorded.target) + sum(len(name + value) for name, value in recorded.headers) > self.longest_head:
            raise web.HTTPRequestHeaderFieldsTooLarge
        fault = self._ordered(recorded)
        return await (handler(request) if fault is None else fault(request, handler))

    def _ordered(self, recorded: Recorded) -> Fault | None:
        for order in self._orders:
            if order.left != 0 and order.when(recorded):
                order.left = None if order.left is None else order.left - 1
                return order.fault
        return None


@asynccontextmanager
async def full_backlog() -> AsyncIterator[str]:
    """Give the URL of a listening server with a full backlog that never accepts: connecting to it hangs."""
    with _bound(0) as server:
        server.listen(0)
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        try:
            for client in waiting:
                client.setblocking(False)  # noqa: FBT003 - the library's signature
                client.connect_ex(address)
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            for client in waiting:
                client.close()


def _bound(port: int) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    return server


def _headers(request: web.Request) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
