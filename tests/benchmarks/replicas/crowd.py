"""Callers on kept connections, who ask when they are due, whether or not their last request was answered."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.benchmarks.fair.connection import Connection, Gone
from tests.benchmarks.fair.plan import Group, Request

_PLAIN = Group("crowd", ())
_LONGEST = 60.0  # seconds until an answer is given up


@dataclass(frozen=True, slots=True)
class Shot:
    """A request to a port, `at` so many seconds after the volley's begin."""

    at: float
    port: int
    request: Request


@dataclass(frozen=True, slots=True)
class Answered:
    """`status` may also be "broken", for a connection that ended, and "none" where no answer came in time."""

    status: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.status in {"200", "201"}


class Crowd:
    """Keeps the connections that are not in use, by port."""

    def __init__(self) -> None:
        self._idle: dict[int, list[Connection]] = {}

    async def ask(self, port: int, request: Request) -> Answered:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(_LONGEST):
                connection = await self._connection(port)
                status = await connection.ask(request.written())
        except (Gone, OSError):
            return Answered("broken", loop.time() - began)
        except TimeoutError:
            return Answered("none", loop.time() - began)
        self._idle.setdefault(port, []).append(connection)
        return Answered(status, loop.time() - began)

    async def volley(self, shots: Iterable[Shot]) -> list[Answered]:
        """Ask each request when it is due; the answers come in the order of their times."""
        loop = asyncio.get_running_loop()
        began, asked = loop.time(), list[asyncio.Task[Answered]]()
        for shot in sorted(shots, key=lambda shot: shot.at):
            await asyncio.sleep(began + shot.at - loop.time())
            asked.append(asyncio.create_task(self.ask(shot.port, shot.request)))
        return await asyncio.gather(*asked)

    async def all(self, shots: Sequence[tuple[int, Request]], at_once: int) -> list[Answered]:
        """Ask everything, so many at once, in no hurry."""
        places = asyncio.Semaphore(at_once)

        async def one(port: int, request: Request) -> Answered:
            async with places:
                return await self.ask(port, request)

        return await asyncio.gather(*(one(port, request) for port, request in shots))

    async def _connection(self, port: int) -> Connection:
        idle = self._idle.get(port, [])
        while idle:
            if not (found := idle.pop()).closed:
                return found
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(lambda: Connection(_PLAIN), "127.0.0.1", port)
        return made

    def close(self) -> None:
        for connection in (connection for idle in self._idle.values() for connection in idle):
            connection.close()
        self._idle.clear()


def failures(answers: Iterable[Answered]) -> str:
    """Name the answers that were no success, such as `3 of 503`; empty where there are none."""
    found = Counter(answer.status for answer in answers if not answer.ok)
    return ", ".join(f"{number} of {status}" for status, number in sorted(found.items()))


def slowest(answers: Iterable[Answered]) -> float:
    return max((answer.seconds for answer in answers), default=0.0)
