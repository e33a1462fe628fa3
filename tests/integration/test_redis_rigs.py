"""The Redis of the tests, as redis-cli and a bare connection see it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo import redis_program
from deploy.demo.processes import is_taken
from deploy.demo.progress import Fault
from deploy.demo.redis_server import cli, redis
from tests.checks import said
from tests.doubles.redis.certificates import Certificates, certificates
from tests.doubles.redis.cluster import RedisCluster, redis_cluster_with
from tests.doubles.redis.security import PASSWORD, Security
from tests.doubles.redis.sentinel import SentinelGroup, sentinel_group
from tests.doubles.redis.server import RedisServer, Refused, redis_server_with
from tests.doubles.relay import Relay
from tests.doubles.waiting import PATIENCE, eventually

pytestmark = pytest.mark.redis
FILL = "for n = 1, 3000 do redis.call('SET', n, string.rep('x', 1000)) end"


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection without a client's own timeouts."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, command: str) -> str:
        """Give the first line of the answer; empty if the connection ends."""
        self.send(command)
        return await self.answer()

    def send(self, command: str) -> None:
        self.writer.write(f"{command}\r\n".encode())

    async def answer(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return (await self.reader.readline()).decode().strip()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


@pytest.fixture
def program() -> Path:
    return redis_program.server().resolve()


@pytest.fixture
def only_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_tools_are_enough(program: Path, only_tools: Path) -> None:
    """Debian's redis-tools, which has no service, has the server too."""
    (only_tools / "redis-check-rdb").symlink_to(program)

    assert said(str(redis_program.server()), "--version").startswith("Redis server v=")


@pytest.mark.usefixtures("only_tools")
def test_where_it_cannot_be_installed() -> None:
    """Without Redis and apt-get one line says what to install."""
    with pytest.raises(Fault, match=r"^redis-server not found; install it \(Debian: apt-get install redis-tools\)$"):
        redis_program.install()


async def test_the_demos(tmp_path: Path) -> None:
    """The demo's Redis answers at its URL, and ends with its context."""
    async with redis(tmp_path, log=tmp_path / "redis.log") as server:
        assert await cli(["-u", server.url], "PING") == (0, "PONG")

    assert server.popen.poll() == 0


async def test_nothing_is_left() -> None:
    """A server ends with its context, even when it is frozen, and so does its folder."""
    async with redis_server_with() as server:
        folder = server.log.parent
        server.freeze()

    assert (server.is_running, is_taken(server.port), folder.exists()) == (False, False, False)


async def test_freeze(redis_server: RedisServer) -> None:
    """A frozen server accepts connections, and answers once it goes on."""
    async with connected(redis_server.port) as old:
        await old.ask("SET a 1")
        redis_server.freeze()
        async with connected(redis_server.port) as new:
            old.send("INCR a")
            new.send("PING")
            redis_server.resume()

            assert (await new.answer(), await old.answer()) == ("+PONG", ":2")


async def test_kill(redis_server: RedisServer) -> None:
    """A killed server's connections end and new ones are refused; restarted on the same port it is empty."""
    async with connected(redis_server.port) as connection:
        assert await connection.ask("SET a 1") == "+OK"
        redis_server.kill()
        assert await connection.answer() == ""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", redis_server.port)

    await redis_server.restart()

    assert await redis_server.cli("DBSIZE") == "0"


async def test_commands(redis_server: RedisServer) -> None:
    """A test may run any command, those for debugging too, and a refusal is an exception."""
    await redis_server.cli("SET", "a", "1")
    await redis_server.cli("FLUSHALL")

    assert (await redis_server.cli("DEBUG", "SLEEP", "0"), await redis_server.cli("DBSIZE")) == ("OK", "0")
    with pytest.raises(Refused, match="unknown command"):
        await redis_server.cli("NOTHING")


async def test_few_rights() -> None:
    """A user of whom the URL has the quoted password may do what its rules say, also after a change."""
    async with redis_server_with(security=Security(PASSWORD, "sidecar", "~sidecar:* +get")) as server:
        assert await server.cli_as_client("GET", "sidecar:a") == ""
        with pytest.raises(Refused, match="NOPERM"):
            await server.cli_as_client("DBSIZE")
        await server.cli("ACL", "SETUSER", "sidecar", "+dbsize")

        assert await server.cli_as_client("DBSIZE") == "0"
        async with connected(server.port) as nobody:
            assert (await nobody.ask("PING")).startswith("-NOAUTH")


async def test_encrypted(redis_certificates: Certificates, tmp_path: Path) -> None:
    """With TLS a client trusts the test's authority, and no other."""
    security = Security(PASSWORD, "sidecar", certificates=redis_certificates)
    async with redis_server_with(security=security) as server:
        assert await server.cli_as_client("PING") == "PONG"

        other = certificates(tmp_path)
        code, printed = await cli(["-u", server.url, "--cacert", str(other.authority)], "PING")
        assert (code, "certificate verify failed" in printed) == (1, True)


async def test_full(redis_full: RedisServer) -> None:
    """A server that evicts nothing refuses to store more than it may hold."""
    await redis_full.cli("EVAL", FILL, "0")

    with pytest.raises(Refused, match="OOM"):
        await redis_full.cli("SET", "a", "1")


async def test_eviction() -> None:
    """With another policy a full server stores more and drops what it had."""
    async with redis_server_with("maxmemory 2mb", "maxmemory-policy allkeys-lru") as server:
        await server.cli("EVAL", FILL, "0")

        assert await server.cli("SET", "a", "1") == "OK"
        assert int(await server.info("evicted_keys")) > 0


@pytest.mark.parametrize("seconds", [0.005, 0.05, 0.5])
async def test_delay(redis_relay: Relay, seconds: float) -> None:
    """Through a relay a round trip takes at least the delay, and several commands at once take it once."""
    loop = asyncio.get_running_loop()
    async with connected(redis_relay.port) as connection:
        await connection.ask("PING")
        redis_relay.delay = seconds
        begun = loop.time()
        for _ in range(20):
            connection.send("INCR a")
        first = await connection.answer()

        assert (first, loop.time() - begun >= seconds) == (":1", True)
        redis_relay.delay = 0.0
        assert [await connection.answer() for _ in range(19)][-1] == ":20"


async def test_silence(redis_server: RedisServer, redis_relay: Relay) -> None:
    """A silent relay accepts connections and passes commands on, but no answers until it is released."""
    redis_relay.pause()
    async with connected(redis_relay.port) as connection:
        connection.send("SET a 1")
        await eventually(lambda: redis_relay.paused == 1)
        assert await redis_server.cli("GET", "a") == "1"

        redis_relay.release()

        assert await connection.answer() == "+OK"


async def test_cut(redis_relay: Relay) -> None:
    """A cut relay ends its connections and refuses new ones, until it is mended."""
    async with connected(redis_relay.port) as connection:
        await connection.ask("PING")
        redis_relay.cut()
        assert await connection.answer() == ""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", redis_relay.port)

    await redis_relay.mend()

    async with connected(redis_relay.port) as connection:
        assert await connection.ask("PING") == "+PONG"


async def test_failover(redis_sentinel: SentinelGroup) -> None:
    """When the primary is gone the Sentinels name its replica, with all that was replicated."""
    primary = await redis_sentinel.primary()
    assert primary is redis_sentinel.servers[0]
    await primary.cli("SET", "a", "1")
    await redis_sentinel.replicated()
    primary.freeze()

    other = await redis_sentinel.failed_over(primary)

    assert (other, await other.cli("GET", "a")) == (redis_sentinel.servers[1], "1")


async def test_sentinels_with_secrets(redis_certificates: Certificates) -> None:
    """Sentinels, which have a password of their own, and their servers speak TLS and ask for passwords."""
    security = Security(PASSWORD, "sidecar", certificates=redis_certificates)
    async with sentinel_group(replicas=2, security=security, sentinel_password="of the Sentinels") as group:
        primary = await group.primary()

        assert primary is not None
        assert (await primary.cli_as_client("PING"), await primary.info("connected_slaves")) == ("PONG", "2")


async def test_cluster(redis_cluster: RedisCluster) -> None:
    """Each node of a cluster has a third of the keys, and names the right node for all others."""
    holders = [await redis_cluster.node_of(key) for key in ("a", "b", "c")]
    assert {node.port for node in holders} == {node.port for node in redis_cluster.nodes}
    assert await holders[0].cli("SET", "a", "1") == "OK"

    with pytest.raises(Refused, match=f"MOVED .*:{holders[0].port}$"):
        await holders[1].cli("GET", "a")


async def test_encrypted_cluster(redis_certificates: Certificates) -> None:
    """The nodes of a cluster speak TLS with clients and with each other."""
    async with redis_cluster_with(security=Security(PASSWORD, "sidecar", certificates=redis_certificates)) as cluster:
        assert [await node.cli_as_client("PING") for node in cluster.nodes] == ["PONG"] * 3
