"""Faults of an upstream: each answers one request badly in place of the double.

A fault gets the double's own handler, so that "done, but the answer was lost" differs from "never arrived".
Faults that break HTTP itself write bytes to the connection.
"""

import asyncio
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from functools import cache

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

_MEBIBYTE = 1024 * 1024


class Stall:
    """Keeps requests waiting until `release`, then lets the double answer them, or `then` in its place."""

    def __init__(self, then: Fault | None = None) -> None:
        self.arrived = 0
        self._then = then
        self._released = asyncio.Event()

    def release(self) -> None:
        self._released.set()

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.arrived += 1
        await self._released.wait()
        return await (handler(request) if self._then is None else self._then(request, handler))


class Late:
    """Takes the answer when the request arrives, and sends it at `release`."""

    def __init__(self) -> None:
        self.arrived = False
        self._released = asyncio.Event()

    def release(self) -> None:
        self._released.set()

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        self.arrived = True
        await self._released.wait()
        return response


class Huge:
    """A body of 100 MiB; `sent` is the number of bytes that the connection accepted."""

    def __init__(self) -> None:
        self.sent = 0

    async def __call__(self, request: web.Request, _handler: Handler) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = 100 * _MEBIBYTE
        await response.prepare(request)
        while self.sent < 100 * _MEBIBYTE:
            await response.write(b" " * 65536)
            self.sent += 65536
        return response


def answer(status: int, body: bytes | str = b"", content_type: str = "application/json", **headers: str) -> Fault:
    """Send a well-formed answer with this content; underscores in names of headers become hyphens."""
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def fault(_request: web.Request, _handler: Handler) -> web.StreamResponse:
        return web.Response(status=status, body=content, content_type=content_type, headers=named)

    return fault


def after(healthy: int, fault: Fault) -> Fault:
    """Let this many requests pass, then fail."""
    passed = 0

    async def turn(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal passed
        passed += 1
        return await (handler(request) if passed <= healthy else fault(request, handler))

    return turn


def redirect(target: str, status: int = 307) -> Fault:
    return answer(status, Location=target)


async def hang(_request: web.Request, _handler: Handler) -> web.StreamResponse:
    """Accept the request and never answer."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def hang_after_headers(request: web.Request, _handler: Handler) -> web.StreamResponse:
    _connection(request).write(_head(length=100))
    return await hang(request, _handler)


async def drip(request: web.Request, _handler: Handler) -> web.StreamResponse:
    """Send a byte every 50 ms: each read succeeds, and the body never ends."""
    connection = _connection(request)
    connection.write(_head(length=100_000) + b'{"data":{"')
    while not connection.is_closing():
        await asyncio.sleep(0.05)
        connection.write(b"x")
    return web.Response()


async def gzip_bomb(_request: web.Request, _handler: Handler) -> web.StreamResponse:
    """Send 100 KiB that decompress to 100 MiB."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return web.Response(body=_bomb(), headers=headers)


async def half_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send half of the right answer as a well-formed body."""
    whole = await _body(request, handler)
    return web.Response(body=whole[: len(whole) // 2], content_type="application/json")


async def reset_before_headers(request: web.Request, _handler: Handler) -> web.StreamResponse:
    """Reset the connection without any effect."""
    return _reset(request)


async def reset_after_work(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Do the work, then reset the connection without an answer."""
    await handler(request)
    return _reset(request)


async def bad_gateway_after_work(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Do the work, and answer as a proxy that did not get the answer."""
    await handler(request)
    return web.Response(status=502, text="<html>", content_type="text/html")


async def reset_mid_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    whole = await _body(request, handler)
    _connection(request).write(_head(length=len(whole)) + whole[: len(whole) // 2])
    return _reset(request)


async def reset_after_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    whole = await _body(request, handler)
    _connection(request).write(_head(length=len(whole)) + whole)
    return _reset(request)


async def short_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Promise a longer body than is sent, then close properly."""
    whole = await _body(request, handler)
    _connection(request).write(_head(length=len(whole)) + whole[: len(whole) // 2])
    return _close(request)


async def open_chunks(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Close properly where the next chunk is due; the bytes sent so far parse as JSON."""
    whole = await _body(request, handler)
    _connection(request).write(_head() + b"%x\r\n%b\r\n" % (len(whole), whole))
    return _close(request)


async def bad_chunk(request: web.Request, handler: Handler) -> web.StreamResponse:
    whole = await _body(request, handler)
    _connection(request).write(_head() + b"zz\r\n%b\r\n0\r\n\r\n" % whole)
    return _close(request)


async def too_deep(_request: web.Request, _handler: Handler) -> web.StreamResponse:
    """Send a list that parses, has to be looked through for a secret, and that Python cannot traverse.

    It is an example of an internal fault of the sidecar.
    """
    inner = '{"client_secret": "pi_1_secret_2"}'
    entry = '{"id": "pi_1", "object": "payment_intent", "created": 1, "a": ' + '{"a":' * 900 + inner + "}" * 901
    return web.Response(text=f'{{"data": [{entry}], "has_more": false}}', content_type="application/json")


async def not_http(request: web.Request, _handler: Handler) -> web.StreamResponse:
    _connection(request).write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    return _close(request)


async def close_at_once(request: web.Request, _handler: Handler) -> web.StreamResponse:
    return _close(request)


# What breaks any answer, whatever the question.
BROKEN: tuple[Fault, ...] = (
    half_json,
    hang,
    drip,
    hang_after_headers,
    reset_before_headers,
    reset_after_work,
    reset_mid_body,
    short_body,
    open_chunks,
    bad_chunk,
    not_http,
    close_at_once,
    gzip_bomb,
)


@cache
def _bomb() -> bytes:
    return 100 * gzip.compress(b" " * _MEBIBYTE)  # consecutive members are one gzip file


async def _body(request: web.Request, handler: Handler) -> bytes:
    response = await handler(request)
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return response.body


def _head(*, length: int | None = None, extra: Mapping[str, str] | None = None) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", framing]
    lines += [f"{name}: {value}" for name, value in (extra or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _connection(request: web.Request) -> asyncio.Transport:
    assert request.transport is not None
    return request.transport


def _reset(request: web.Request) -> web.Response:
    connection = _connection(request)
    peer: socket.socket = connection.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.abort()
    return web.Response()  # this goes nowhere: the connection is closed


def _close(request: web.Request) -> web.Response:
    _connection(request).close()
    return web.Response()
