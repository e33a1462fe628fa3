"""Sends scripts to Redis: what waits goes as one pipeline, a batch has 50 ms, and nothing is tried again.

After three batches without an answer Redis counts as away, and further commands fail at once. In the background it is
probed each second. The probe has more time to connect, so that a slow handshake delays nobody, and then must get an
answer as fast as a batch: a Redis that is too far for that stays away.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from sidecar.clients.redis.connection import Client, close_client, disconnect, is_read_only, lacks_script, ping
from sidecar.clients.redis.scripts import Script
from sidecar.metrics import Metrics

_PATIENCE = 0.05  # seconds for a batch
_PROBE_PATIENCE = 1.0  # seconds to connect, when nobody waits
_PROBE_PAUSE = 1.0  # seconds
_FIRST_PROBE = 0.3  # seconds that the start waits
_FAILURES = 3  # batches in a row
_BATCH = 200  # commands
_SLICES = 5
Argument = str | bytes | int
Reply = object
Result = TypeVar("Result")


class Away(Exception):
    """There is no answer of Redis's, or none that can be used."""


class Redis(Protocol):
    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Reply:
        """Run a script, whose keys are all in one slot. Raises Away."""


@dataclass(slots=True, eq=False)
class _Command:
    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument]
    reply: asyncio.Future[Reply] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    whole: bool = False  # whether the script's text goes along, since the server does not know it

    def words(self) -> tuple[Argument, ...]:
        command = ("EVAL", self.script.text) if self.whole else ("EVALSHA", self.script.sha1)
        return (*command, len(self.keys), *self.keys, *self.arguments)

    def fail(self, why: str) -> None:
        if not self.reply.done():
            self.reply.set_exception(Away(why))


class Commands:
    def __init__(self, client: Client, metrics: Metrics | None = None) -> None:
        self.client = client
        self._metrics = metrics or Metrics()
        self._waiting = deque[_Command]()
        self._pump: asyncio.Task[None] | None = None
        self._probe: asyncio.Task[None] | None = None
        self._failures = 0
        self._near: str | None = None  # a key of the last batch, which in a cluster tells where it went
        self.up = False

    async def start(self) -> None:
        """Connect, and do not wait long for that: the service starts without Redis too."""
        self._begin_probe(0.0)
        assert self._probe is not None  # noqa: S101 - it begins unless Redis is up
        await asyncio.wait((self._probe,), timeout=_FIRST_PROBE)

    async def close(self) -> None:
        """Answer nobody any more, also those who still ask afterwards."""
        await _end(self._pump)
        await _end(self._probe)  # which the pump may have begun
        self.up = False
        self._fail_all("closing")
        with suppress(Exception):
            await close_client(self.client)

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Reply:
        part = script.part
        if not self.up:
            self._metrics.shared_errors.labels(part).inc()
            raise Away("not connected")
        command = _Command(script, keys, arguments)
        self._waiting.append(command)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._send_all())
        with self._metrics.shared_seconds.labels(part).time():
            try:
                return await command.reply
            except Away:
                self._metrics.shared_errors.labels(part).inc()
                raise

    async def _send_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            batch = [command for command in batch if not command.reply.done()]
            if not batch:
                continue
            try:
                replies = await within(_PATIENCE, lambda: self._exchange(batch))  # noqa: B023 - awaited in this turn
            except Exception as error:  # noqa: BLE001 - those of a cluster have no class in common
                self._count_failure()
                for command in batch:
                    command.fail(type(error).__name__)
                continue
            except BaseException:
                for command in batch:
                    command.fail("closing")
                raise
            self._failures = 0
            for command, reply in zip(batch, replies, strict=True):
                self._take(command, reply)

    async def _exchange(self, batch: Sequence[_Command]) -> list[Reply]:
        pipeline = self.client.pipeline(transaction=False)
        for command in batch:
            pipeline.execute_command(*command.words())
        self._near = batch[0].keys[0]
        replies = list(await pipeline.execute(raise_on_error=False))
        if any(map(is_read_only, replies)):
            await disconnect(self.client)
            raise ConnectionError("this server has become a replica")
        return replies

    def _take(self, command: _Command, reply: Reply) -> None:
        if lacks_script(reply) and not command.whole:
            command.whole = True
            self._waiting.appendleft(command)
        elif isinstance(reply, Exception):
            command.fail(f"{type(reply).__name__}: {reply}")
        elif not command.reply.done():
            command.reply.set_result(reply)

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures >= _FAILURES:
            self.up = False
            self._fail_all("no answer")
            self._begin_probe(_PROBE_PAUSE)

    def _fail_all(self, why: str) -> None:
        while self._waiting:
            self._waiting.popleft().fail(why)

    def _begin_probe(self, pause: float) -> None:
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._probe_until_up(pause))

    async def _probe_until_up(self, pause: float) -> None:
        await asyncio.sleep(pause)
        while not await self._answers():  # noqa: ASYNC110 - Redis is another process
            await asyncio.sleep(_PROBE_PAUSE)
        self.up, self._failures = True, 0

    async def _answers(self) -> bool:
        try:
            await within(_PROBE_PATIENCE, self._ping)
            await within(_PATIENCE, self._ping)
        except Exception:  # noqa: BLE001 - without its probe Redis would be away for ever
            return False
        return True

    async def _ping(self) -> None:
        await ping(self.client, self._near)


@asynccontextmanager
async def connected(client: Client, metrics: Metrics | None = None) -> AsyncIterator[Commands]:
    """Send to Redis while the block runs, and close the client after it."""
    commands = Commands(client, metrics)
    await commands.start()
    try:
        yield commands
    finally:
        await commands.close()


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait((task,))


async def within(seconds: float, call: Callable[[], Coroutine[object, object, Result]]) -> Result:
    """Give the result if it comes in time. Raises TimeoutError.

    The time passes in slices, each of which begins when the event loop is there: a loop that was busy for a second has
    not waited for Redis, whose answer may have come long ago.
    """
    task = asyncio.ensure_future(call())
    try:
        for _ in range(_SLICES):
            await asyncio.wait((task,), timeout=seconds / _SLICES)
            if task.done():
                return task.result()
        raise TimeoutError
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))
        if not task.cancelled():
            task.exception()  # asyncio logs an exception that nobody has read
