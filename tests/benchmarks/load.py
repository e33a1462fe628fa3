"""Load on one URL from several connections, in its own process; each connection sends its next request on an answer.

    python -m tests.benchmarks.load URL TOKEN --connections N --seconds S     (0: one request on each)

Prints the result as JSON. Supports answers with a Content-Length, and does not parse their bodies.
"""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(slots=True)
class Result:
    latencies: list[float] = field(default_factory=list)
    failures: int = 0

    def summary(self, seconds: float) -> dict[str, float]:
        ordered = sorted(self.latencies) or [float("inf")]
        return {
            "rps": len(self.latencies) / seconds,
            "p50_ms": ordered[len(ordered) // 2] * 1000,
            "p99_ms": ordered[len(ordered) * 99 // 100] * 1000,
            "requests": len(self.latencies),
            "failures": self.failures,
        }


class Client(asyncio.Protocol):
    """After `until` the client sends no request, by `time.perf_counter`; at `done` its last one was answered."""

    def __init__(self, request: bytes, until: float, result: Result) -> None:
        self._request, self._until, self._result = request, until, result
        self._head = b""
        self._left = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._head = b""
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._left == 0:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            self._left = int(length) - len(body)
            self._result.failures += b" 200 " not in head[:16]
        else:
            self._left -= len(data)
        if self._left == 0:
            self._answered()

    def _answered(self) -> None:
        now = time.perf_counter()
        self._result.latencies.append(now - self._sent)
        if now < self._until:
            self._send()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self._result.failures += 1
            self.done.set_result(None)


async def run(url: str, token: str, connections: int, seconds: float) -> dict[str, float]:
    """With `seconds` 0 each connection sends one request."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    request = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    result, began = Result(), time.perf_counter()
    loop = asyncio.get_running_loop()
    opened = await asyncio.gather(
        *(
            loop.create_connection(
                lambda: Client(request, began + seconds, result), parts.hostname or "", parts.port or 80
            )
            for _ in range(connections)
        )
    )
    await asyncio.gather(*(client.done for _, client in opened))
    return result.summary(time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(run(options.url, options.token, options.connections, options.seconds))))


if __name__ == "__main__":
    main()
