"""Visitors of the sidecar in a process of their own, so that one who is measured is not slowed down by others.

    python -m tests.benchmarks.fair.visitors PLAN

PLAN is a file of JSON (see `plan`). All connect before the first request is sent; then this prints "ready". It ends
when all have done what they do, when the plan's time is over, or at SIGTERM, and prints the tallies as JSON.
"""

import asyncio
import json
import resource
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.fair.connection import Connection, Gone
from tests.benchmarks.fair.plan import Group, Tally, groups_of

_CONNECTING = 10.0  # seconds
_AT_ONCE = 100  # new connections, fewer than aiohttp's backlog
_ACCEPTING = 0.001  # seconds for each new connection, so that the service has accepted it before the first request
_SMALL = 4096  # bytes of a slow reader's receive buffer: the kernel must not read in its place
_AGAIN = 0.05  # seconds before a visitor whose connection broke comes back


class Visitor:
    def __init__(self, port: int, group: Group, number: int, tally: Tally) -> None:
        self._port, self._group, self._tally = port, group, tally
        self._next = number
        self._connection: Connection | None = None

    @property
    def in_background(self) -> bool:
        return self._group.background

    async def connect(self) -> Connection:
        if self._connection is None or self._connection.closed:
            with socket.socket() as made:
                if self._group.reads_slowly:
                    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
                made.setblocking(False)  # noqa: FBT003 - the library's signature
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(_CONNECTING):
                    await loop.sock_connect(made, ("127.0.0.1", self._port))
                _, self._connection = await loop.create_connection(lambda: Connection(self._group), sock=made.dup())
        return self._connection

    async def visit(self) -> None:
        left = self._group.times
        while left is None or left > 0:
            status = await self._ask()
            self._tally.count(status)
            left = None if left is None else left - 1
            if status == "broken":
                await asyncio.sleep(_AGAIN)

    async def _ask(self) -> str:
        """Send the next request; what is cut off by the end of the time counts as waiting."""
        request = self._group.requests[self._next % len(self._group.requests)].written()
        self._next += 1
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            status = await (await self.connect()).ask(request)
        except Gone:
            return "left" if self._group.leaves_after is not None else "broken"
        except (OSError, TimeoutError):
            return "broken"
        except asyncio.CancelledError:
            self._tally.waiting.append(loop.time() - began)
            raise
        self._tally.seconds.append(loop.time() - began)
        return status


async def main(port: int, seconds: float, groups: list[Group]) -> dict[str, Tally]:
    tallies = {group.name: Tally() for group in groups}
    visitors = [
        Visitor(port, group, number, tallies[group.name]) for group in groups for number in range(group.connections)
    ]
    places = asyncio.Semaphore(_AT_ONCE)

    async def connect(visitor: Visitor) -> None:
        async with places:
            with suppress(OSError, TimeoutError):  # then its first request fails
                await visitor.connect()

    await asyncio.gather(*map(connect, visitors))
    await asyncio.sleep(len(visitors) * _ACCEPTING)
    print("ready", flush=True)
    visits = [asyncio.ensure_future(visitor.visit()) for visitor in visitors]
    awaited = [visit for visit, visitor in zip(visits, visitors, strict=True) if not visitor.in_background]
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _first_of(asyncio.gather(*(awaited or visits)), asyncio.ensure_future(_asked_to_stop()))
    for visit in visits:
        visit.cancel()
    for outcome in await asyncio.gather(*visits, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    return tallies


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    """Wait until one of them has ended, then cancel the others."""
    try:
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in futures:
            future.cancel()
        await asyncio.gather(*futures, return_exceptions=True)


async def _asked_to_stop() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    written = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = asyncio.run(main(written["port"], written["seconds"], groups_of(written)))
    print(json.dumps({name: asdict(tally) for name, tally in found.items()}))
