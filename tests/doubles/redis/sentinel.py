"""A real primary with replicas, and three Sentinels that choose another primary when it is away for half a second."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tests.doubles.redis.security import OPEN, Security, quoted
from tests.doubles.redis.server import RedisServer, Refused
from tests.doubles.waiting import eventually

NAME = "payments"
_QUORUM = 2
_SENTINELS = 3
_DOWN_AFTER = 500  # milliseconds
_QUICK_HELLO = ("SENTINEL", "DEBUG", "publish-period", "100")  # how often Sentinels tell each other that they exist
_USUAL_HELLO = (*_QUICK_HELLO[:-1], "2000")


@dataclass(frozen=True, slots=True)
class SentinelGroup:
    """`servers` are the primary, as it was at the start, and its replicas."""

    servers: Sequence[RedisServer]
    sentinels: Sequence[RedisServer]
    security: Security

    @property
    def url(self) -> str:
        """Give the value of REDIS for a client."""
        return self.security.url([one.port for one in self.sentinels], kind="+sentinel", path=f"/{NAME}/0")

    async def primary(self) -> RedisServer | None:
        """Give the server that at least two Sentinels name, which may be away; None while they name different ones."""
        named = await asyncio.gather(*map(_named_by, self.sentinels))
        return next((one for one in self.servers if named.count(one.port) >= _QUORUM), None)

    async def replicated(self) -> None:
        """Wait until the replicas have what the first primary has now. A failover loses what came after that."""
        primary, *replicas = self.servers
        written = int(await primary.info("master_repl_offset"))
        for replica in replicas:
            await eventually(partial(_has, replica, written))

    async def failed_over(self, gone: RedisServer) -> RedisServer:
        """Wait until another than `gone` is the primary, and give it."""
        found: list[RedisServer] = []

        async def is_another() -> bool:
            named = await self.primary()
            if named is None or named is gone or await named.info("role") != "master":
                return False
            found.append(named)
            return True

        await eventually(is_another)
        return found[0]


@asynccontextmanager
async def sentinel_group(
    *lines: str, replicas: int = 1, security: Security = OPEN, sentinel_password: str = ""
) -> AsyncIterator[SentinelGroup]:
    """Start them all; `lines` are added to the configuration of the primary and of each replica.

    Clients give `sentinel_password` to the Sentinels, and what `security` asks for to the servers.
    """
    with tempfile.TemporaryDirectory(prefix="sentinel-") as name:
        folder = Path(name)
        common = ("repl-diskless-sync no", *lines)  # a replica that is sent no file gets writes a second later
        primary = RedisServer(folder / "primary", *common, security=security)
        follow = f"replicaof 127.0.0.1 {primary.port}"
        others = [RedisServer(folder / f"replica-{n}", *common, follow, security=security) for n in range(replicas)]
        own = replace(security, password=sentinel_password, user="")
        monitoring = _monitoring(primary, sentinel_password)
        sentinels = [
            RedisServer(folder / f"sentinel-{n}", *monitoring, security=own, sentinel=True) for n in range(_SENTINELS)
        ]
        group = SentinelGroup([primary, *others], sentinels, security)
        try:
            await _start(group)
            yield group
        finally:
            for server in (*group.servers, *group.sentinels):
                server.kill()


def _monitoring(primary: RedisServer, sentinel_password: str) -> list[str]:
    """Give the lines by which a Sentinel knows the primary; it finds the replicas and the other Sentinels itself."""
    passwords = [
        (f"sentinel auth-pass {NAME}", primary.security.password),
        ("sentinel sentinel-pass", sentinel_password),
    ]
    return [
        f"sentinel monitor {NAME} 127.0.0.1 {primary.port} {_QUORUM}",
        f"sentinel down-after-milliseconds {NAME} {_DOWN_AFTER}",
        f"sentinel failover-timeout {NAME} 3000",
        *(f"{option} {quoted(password)}" for option, password in passwords if password),
    ]


async def _start(group: SentinelGroup) -> None:
    await asyncio.gather(*(server.start() for server in group.servers))
    primary, *replicas = group.servers
    await eventually(partial(_has_replicas, primary, len(replicas)))
    await primary.cli("PUBLISH", "start", "")  # a write that leaves no key
    await group.replicated()
    await asyncio.gather(*(sentinel.start() for sentinel in group.sentinels))
    for sentinel in group.sentinels:
        await sentinel.cli(*_QUICK_HELLO)
    for sentinel in group.sentinels:
        await eventually(partial(_knows, sentinel, len(replicas)))
        await sentinel.cli(*_USUAL_HELLO)


async def _has_replicas(primary: RedisServer, number: int) -> bool:
    return await primary.info("connected_slaves") == str(number)


async def _has(replica: RedisServer, written: int) -> bool:
    return await replica.info("master_link_status") == "up" and int(await replica.info("slave_repl_offset")) >= written


async def _knows(sentinel: RedisServer, replicas: int) -> bool:
    """Tell whether a Sentinel could order a failover: it knows the replicas and the others, and all are well."""
    lines = (await sentinel.cli("SENTINEL", "MASTER", NAME)).splitlines()
    seen = dict(zip(lines[::2], lines[1::2], strict=False))
    expected = {"flags": "master", "num-slaves": str(replicas), "num-other-sentinels": str(_SENTINELS - 1)}
    return expected.items() <= seen.items()


async def _named_by(sentinel: RedisServer) -> int | None:
    try:
        lines = (await sentinel.cli("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)).splitlines()
    except Refused:
        return None
    return int(lines[1])
