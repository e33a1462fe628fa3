"""Load on one URL from several connections, in its own process; each connection sends its next request on an answer.

    python -m tests.benchmarks.load URL TOKEN... [--connections N] [--seconds S] [--first N --step N] [--every E]

With `--seconds 0` each connection sends one request. `{n}` in the URL is a number that no other request of this run
has: `--first`, and `--step` more each time. The tokens are used by the connections in turn. With `--every` a connection
sends a request each E seconds and not on an answer; the connections are spread over these seconds.

Prints the result as JSON. Reads answers with a Content-Length and answers in chunks, and does not parse their bodies.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

_LAST_CHUNK = b"\r\n0\r\n\r\n"  # no body here contains it: JSON has no raw carriage return


@dataclass(slots=True)
class Result:
    latencies: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    received: int = 0

    def summary(self, seconds: float) -> dict[str, object]:
        """`failed` counts answers by status, and lost connections.

        `bytes` are those of one body, with the sizes of its chunks if it has any.
        """
        ordered = sorted(self.latencies) or [float("inf")]
        return {
            "rps": len(self.latencies) / seconds,
            "p50_ms": ordered[len(ordered) // 2] * 1000,
            "p99_ms": ordered[len(ordered) * 99 // 100] * 1000,
            "requests": len(self.latencies),
            "failures": self.failed.total(),
            "failed": self.failed,
            "bytes": self.received / max(1, len(self.latencies)),
        }


class Body:
    """Tells when the body of an answer has ended."""

    def __init__(self, head: bytes) -> None:
        lines = head.lower()
        length = lines.partition(b"\r\ncontent-length:")[2].split(b"\r\n", 1)[0]
        self._left = None if b"\r\ntransfer-encoding: chunked" in lines else int(length or 0)
        self._tail = b"\r\n"  # an empty body is its last chunk alone

    def ends_with(self, data: bytes) -> bool:
        if self._left is not None:
            self._left -= len(data)
            return self._left == 0
        self._tail = (self._tail + data[-len(_LAST_CHUNK) :])[-len(_LAST_CHUNK) :]
        return self._tail == _LAST_CHUNK


@dataclass(frozen=True, slots=True)
class Plan:
    """No request is sent after `until`, by `time.perf_counter`. `every` is 0 for the next one on each answer."""

    began: float
    until: float
    every: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, by whom; `first` and `step` make the numbers for `{n}`."""

    url: str
    tokens: Sequence[str]
    first: int = 0
    step: int = 1

    def requests(self) -> Callable[[int], Callable[[], bytes]]:
        """Give for each connection, by its number, what makes its next request."""
        parts = urlsplit(self.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        numbers = count(self.first, self.step)

        def of_connection(number: int) -> Callable[[], bytes]:
            token = self.tokens[number % len(self.tokens)]
            rest = f" HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
            before, numbered, after = f"GET {target}{rest}".partition("{n}")

            def request() -> bytes:
                return (f"{before}{next(numbers)}{after}" if numbered else before).encode()

            return request

        return of_connection


class Client(asyncio.Protocol):
    """At `done` its last request was answered, or the connection lost."""

    def __init__(self, request: Callable[[], bytes], plan: Plan, result: Result, *, first: float = 0.0) -> None:
        self._request, self._plan, self._result = request, plan, result
        self._due = plan.began + first
        self._head = b""
        self._body: Body | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send_when_due()

    def _send_when_due(self) -> None:
        if not self._plan.every:
            self._send()
            return
        wait = max(0.0, self._due - time.perf_counter())
        self._due += self._plan.every
        asyncio.get_running_loop().call_later(wait, self._send)

    def _send(self) -> None:
        self._head, self._body = b"", None
        self._sent = time.perf_counter()
        self._transport.write(self._request())

    def data_received(self, data: bytes) -> None:
        if self._body is None:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._body = Body(head)
            if (status := head.split(b" ", 2)[1].decode()) != "200":
                self._result.failed[status] += 1
        self._result.received += len(data)
        if self._body.ends_with(data):
            self._answered()

    def _answered(self) -> None:
        now = time.perf_counter()
        self._result.latencies.append(now - self._sent)
        if max(now, self._due if self._plan.every else now) < self._plan.until:
            self._send_when_due()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self._result.failed["lost"] += 1
            self.done.set_result(None)


async def run(asked: Asked, connections: int, seconds: float, every: float = 0) -> dict[str, object]:
    loop, result, requests, began = asyncio.get_running_loop(), Result(), asked.requests(), time.perf_counter()
    plan, parts = Plan(began, began + seconds, every), urlsplit(asked.url)

    async def opened(number: int) -> Client:
        def client() -> Client:
            return Client(requests(number), plan, result, first=every * number / connections)

        _, protocol = await loop.create_connection(client, parts.hostname or "", parts.port or 80)
        return protocol

    clients = await asyncio.gather(*(opened(number) for number in range(connections)))
    await asyncio.gather(*(client.done for client in clients))
    return result.summary(time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("tokens", nargs="+")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--every", type=float, default=0)
    options = parser.parse_args()
    asked = Asked(options.url, options.tokens, options.first, options.step)
    print(json.dumps(asyncio.run(run(asked, options.connections, options.seconds, options.every))))


if __name__ == "__main__":
    main()
