"""The pump that sends commands to Redis, its deadline and its breaker, with a client that does what a test says."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from redis.exceptions import NoScriptError, ReadOnlyError, RedisClusterException, ResponseError

from sidecar.clients.redis.commands import Away, Commands, Redis, within
from sidecar.clients.redis.connection import Client
from sidecar.clients.redis.scripts import Script
from sidecar.metrics import Metrics
from tests.doubles.virtual_time import in_virtual_time

SCRIPT = Script("permissions", "return ARGV[1]")
Words = tuple[Any, ...]
DEADLINE, PROBE_PAUSE, HOUR = 0.05, 1.0, 3600.0


async def echo(words: Words) -> object:
    return words[-1]


async def silence(_words: Words) -> object:
    await asyncio.sleep(HOUR)
    raise AssertionError("unreachable")


def failing(error: Exception) -> Callable[[Words], Awaitable[object]]:
    async def fail(_words: Words) -> object:
        raise error

    return fail


def refusing(error: Exception) -> Callable[[Words], Awaitable[object]]:
    async def refuse(_words: Words) -> object:
        return error

    return refuse


@dataclass
class FakeClient:
    """`answer` answers each command; what it returns stands among the replies, what it raises ends the batch.

    `ping` is how long a PING takes. `known` are the scripts that the server knows, None all of them.
    """

    answer: Callable[[Words], Awaitable[object]] = echo
    ping: float = 0.0
    known: set[str] | None = None
    batches: list[list[Words]] = field(default_factory=list)
    pings: int = 0
    disconnected: int = 0
    closed: bool = False

    def pipeline(self, *, transaction: bool) -> "FakePipeline":
        assert not transaction
        return FakePipeline(self)

    async def execute_command(self, name: str) -> None:
        assert name == "PING"
        self.pings += 1
        await asyncio.sleep(self.ping)

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class FakePipeline:
    client: FakeClient
    words: list[Words] = field(default_factory=list)

    def execute_command(self, *words: Any) -> None:  # noqa: ANN401 - as the library's
        self.words.append(words)

    async def execute(self, *, raise_on_error: bool) -> Sequence[object]:
        assert not raise_on_error
        self.client.batches.append(self.words)
        return [await self._one(words) for words in self.words]

    async def _one(self, words: Words) -> object:
        known = self.client.known
        if known is not None and words[0] == "EVALSHA" and words[1] not in known:
            return NoScriptError("No matching script")
        if known is not None and words[0] == "EVAL":
            known.add(SCRIPT.sha1)
        return await self.client.answer(words)


async def started(client: FakeClient, metrics: Metrics | None = None) -> Commands:
    commands = Commands(cast("Client", client), metrics)
    await commands.start()
    return commands


async def run(redis: Redis, argument: str = "a") -> object:
    return await redis.run(SCRIPT, ["key"], [argument])


async def strike(commands: Commands, times: int = 3) -> None:
    """Let so many batches fail one after the other."""
    for _ in range(times):
        with pytest.raises(Away):
            await run(commands)


def errors(metrics: Metrics) -> float:
    text = metrics.exposition().decode()
    (line,) = [line for line in text.splitlines() if line.startswith('sidecar_shared_errors_total{part="permissions"}')]
    return float(line.split()[-1])


@in_virtual_time
async def test_what_waits_goes_as_one() -> None:
    """Commands that are there at once go in one batch, and each gets its own answer."""
    client = FakeClient()
    commands = await started(client)

    assert await asyncio.gather(*(run(commands, name) for name in "abc")) == ["a", "b", "c"]

    assert [[words[:4] for words in batch] for batch in client.batches] == [[("EVALSHA", SCRIPT.sha1, 1, "key")] * 3]


@in_virtual_time
async def test_a_batch_is_bounded() -> None:
    """More commands than a batch may have go in several, and all are answered in their order."""
    client = FakeClient()
    commands = await started(client)
    names = [str(number) for number in range(450)]

    assert await asyncio.gather(*(run(commands, name) for name in names)) == names

    assert [len(batch) for batch in client.batches] == [200, 200, 50]


@in_virtual_time
async def test_unknown_script() -> None:
    """A script that the server does not know goes once more with its text, and then by its name again."""
    client = FakeClient(known=set())
    commands = await started(client)

    assert [await run(commands), await run(commands)] == ["a", "a"]

    assert [[words[0] for words in batch] for batch in client.batches] == [["EVALSHA"], ["EVAL"], ["EVALSHA"]]
    assert client.batches[1][0][1] == SCRIPT.text


@in_virtual_time
async def test_one_fails_among_others() -> None:
    """A command that Redis refuses fails alone, is counted, and is no sign that Redis is away."""

    async def answer(words: Words) -> object:
        return ResponseError("OOM") if words[-1] == "bad" else words[-1]

    metrics, client = Metrics(), FakeClient(answer)
    commands = await started(client, metrics)
    for number in range(1, 5):
        found = await asyncio.gather(*(run(commands, name) for name in ("a", "bad", "b")), return_exceptions=True)

        assert [type(found[1]), found[0], found[2]] == [Away, "a", "b"]
        assert errors(metrics) == number


@in_virtual_time
async def test_deadline() -> None:
    """Nobody waits longer for a batch than its deadline."""
    loop = asyncio.get_running_loop()
    commands = await started(FakeClient(silence))
    begun = loop.time()

    found = await asyncio.gather(*(run(commands) for _ in range(100)), return_exceptions=True)

    assert {type(each) for each in found} == {Away}
    assert loop.time() - begun == pytest.approx(DEADLINE)
    await commands.close()


FAULTS = [
    silence,
    failing(ConnectionError("reset")),
    failing(RedisClusterException("no such class of error")),
    failing(ValueError("not even one of the library")),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_breaker(fault: Callable[[Words], Awaitable[object]]) -> None:
    """After three batches without an answer the next ones are not sent; a probe in the background ends that."""

    @in_virtual_time
    async def happens() -> None:
        loop, metrics, client = asyncio.get_running_loop(), Metrics(), FakeClient(fault)
        commands = await started(client, metrics)
        await strike(commands, 3)
        begun = loop.time()

        await strike(commands, 10)

        assert (len(client.batches), loop.time() - begun, errors(metrics)) == (3, 0.0, 13)
        client.answer = echo
        await asyncio.sleep(PROBE_PAUSE + DEADLINE)
        assert await run(commands) == "a"
        await commands.close()

    happens()


@in_virtual_time
async def test_failures_in_a_row() -> None:
    """Two failures before each success do not count as away."""
    client = FakeClient()
    commands = await started(client)
    for _ in range(3):
        client.answer = silence
        await strike(commands, 2)
        client.answer = echo

        assert await run(commands) == "a"


@in_virtual_time
async def test_off_for_a_while() -> None:
    """Without answers a batch is tried at most once in a second: three, and then as many after each probe."""
    client = FakeClient(silence)
    commands = await started(client)
    for _ in range(100):
        with pytest.raises(Away):
            await run(commands)
        await asyncio.sleep(0.1)

    assert len(client.batches) <= 3 * 10
    await commands.close()


@in_virtual_time
async def test_a_far_server_stays_away() -> None:
    """A server whose answers take longer than a batch may does not count as back, however often it is probed."""
    client = FakeClient(silence)
    commands = await started(client)
    await strike(commands)
    client.ping, pings = 1.5 * DEADLINE, client.pings

    await asyncio.sleep(10)

    assert (commands.up, client.pings > pings + 10) == (False, True)
    client.ping, client.answer = 0.5 * DEADLINE, echo
    await asyncio.sleep(2)
    assert await run(commands) == "a"


@in_virtual_time
async def test_a_slow_handshake_delays_nobody() -> None:
    """The start goes on without a server that takes long to connect, and callers do not wait for that."""
    loop, client = asyncio.get_running_loop(), FakeClient(ping=HOUR)
    commands = await started(client)
    begun = loop.time()
    await strike(commands)

    assert begun == pytest.approx(0.3)
    assert loop.time() == begun
    client.ping = 0.0
    await asyncio.sleep(3)
    assert await run(commands) == "a"


@in_virtual_time
async def test_demoted() -> None:
    """A server that has become a replica answers nothing of use, which counts as no answer."""
    client = FakeClient(refusing(ReadOnlyError("You can't write against a read only replica")))
    commands = await started(client)
    await strike(commands)

    assert commands.up is False
    await commands.close()


@in_virtual_time
async def test_one_who_leaves() -> None:
    """Who is canceled while it waits disturbs neither the others nor those that come later."""
    client = FakeClient()
    commands = await started(client)
    tasks = [asyncio.create_task(run(commands, name)) for name in "abc"]
    await asyncio.sleep(0)
    tasks[1].cancel()

    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert [found[0], type(found[1]), found[2]] == ["a", asyncio.CancelledError, "c"]
    assert await run(commands, "d") == "d"


@in_virtual_time
async def test_close() -> None:
    """When it closes, all who wait hear that there is no answer, and the client is closed."""
    client = FakeClient(silence)
    commands = await started(client)
    waiting = [asyncio.create_task(run(commands)) for _ in range(250)]
    await asyncio.sleep(0.01)

    await commands.close()

    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert ({type(each) for each in found}, client.closed) == ({Away}, True)


@in_virtual_time
async def test_who_asks_after_the_end() -> None:
    """Who asks when it is closed hears that there is no answer, and no connection is made again."""
    client = FakeClient()
    commands = await started(client)

    await commands.close()

    with pytest.raises(Away):
        await run(commands)
    assert client.batches == []


@in_virtual_time
async def test_close_while_the_last_batch_fails() -> None:
    """No probe begins or goes on after the end, also if Redis goes away in that moment."""
    client = FakeClient(silence)
    commands = await started(client)
    await strike(commands, 2)
    waiting = asyncio.create_task(run(commands))
    await asyncio.sleep(DEADLINE - 0.001)

    await commands.close()

    assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], Away)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_late_event_loop_is_no_timeout() -> None:
    """An answer that came while the event loop was busy counts, however long that was."""
    arrived = asyncio.get_running_loop().create_future()

    async def call() -> str:
        return str(await arrived)

    def be_busy() -> None:
        time.sleep(3 * DEADLINE)
        arrived.set_result("in time")

    asyncio.get_running_loop().call_soon(be_busy)

    assert await within(DEADLINE, call) == "in time"


async def test_nobody_reads_what_came_too_late(log_lines: list[str]) -> None:
    """A call that fails as it is given up leaves no line in the log."""

    async def fail_at_the_end() -> None:
        try:
            await asyncio.sleep(HOUR)
        finally:
            raise ConnectionError("closed by server")

    with pytest.raises(TimeoutError):
        await within(0.01, fail_at_the_end)

    assert log_lines == []
