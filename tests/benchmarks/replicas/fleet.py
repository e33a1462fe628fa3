"""Replicas of the sidecar between the doubles, each a process of its own, and the shipped nginx before them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo import servers
from deploy.demo.processes import free_port
from tests.benchmarks.fair.plan import Request
from tests.benchmarks.replicas.crowd import Answered, Crowd
from tests.benchmarks.replicas.directus import FedDirectus
from tests.doubles.process import Sidecar, serving
from tests.doubles.redis.server import RedisServer
from tests.doubles.waiting import eventually

_WARMING = 30  # requests at once, fewer than a replica serves
_NO_LIMITS = "127.0.0.1 1;"
_BY_CALLER = "hash $credential consistent;"


class Replica:
    """One process, which can be started again at its port."""

    def __init__(self, output: Path, variables: Mapping[str, str]) -> None:
        self.port = free_port()
        self._output, self._variables = output, {**variables, "SIDECAR_PORT": str(self.port)}
        self._exits = AsyncExitStack()
        self._sidecar: Sidecar | None = None
        self._starts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sidecar(self) -> Sidecar:
        assert self._sidecar is not None
        return self._sidecar

    async def start(self) -> None:
        self._starts += 1
        output = self._output.with_suffix(f".{self._starts}.log")
        self._sidecar = await self._exits.enter_async_context(serving(output, **self._variables))

    async def restart(self) -> None:
        """End it as a platform does, and start it again once it has ended."""
        self.sidecar.terminate()
        await self.sidecar.exit_code()
        await self.start()

    async def close(self) -> None:
        await self._exits.aclose()


@dataclass(frozen=True, slots=True)
class Fleet:
    """`redis` is None where the replicas know nothing of each other."""

    replicas: Sequence[Replica]
    directus: FedDirectus
    redis: RedisServer | None
    state: Path
    crowd: Crowd = field(default_factory=Crowd)

    @property
    def ports(self) -> list[int]:
        return [replica.port for replica in self.replicas]

    async def meet(self, requests: Sequence[Request]) -> None:
        """Let every replica answer every request once. Raises RuntimeError where one is no success."""
        shots = [(port, request) for request in requests for port in self.ports]
        require(await self.crowd.all(shots, _WARMING))

    @asynccontextmanager
    async def nginx(self, *, in_turn: bool = False) -> AsyncIterator[int]:
        """Start the shipped nginx, which tells of logouts and does not limit us; give its port.

        It keeps a caller with one replica, or asks the replicas `in_turn`, as a Service of Kubernetes does.
        """
        state, port = self.state / "nginx", free_port()
        first, *others = [replica.url for replica in self.replicas]
        http = servers.shipped(
            port=port,
            directus=self.directus.url,
            sidecar=first,
            replicas=others,
            own_servers=_NO_LIMITS,
            logout_header=servers.logout_header(state, servers.LOGOUT_SECRET),
        )
        assert http.count(_BY_CALLER) == 1
        http = http.replace(_BY_CALLER, "") if in_turn else http
        async with servers.nginx_with(http, state, port=port, log=self.state / "nginx.log"):
            yield port


@asynccontextmanager
async def running_fleet(
    directus: FedDirectus, redis: RedisServer | None, state: Path, variables: Mapping[str, str], number: int
) -> AsyncIterator[Fleet]:
    shared = {} if redis is None else {"REDIS": redis.url, "SIDECAR_REPLICAS": str(number)}
    replicas = [Replica(state / f"replica-{one}", {**variables, **shared}) for one in range(number)]
    fleet = Fleet(replicas, directus, redis, state)
    try:
        await asyncio.gather(*(replica.start() for replica in replicas))
        if redis is not None:
            await eventually(lambda: _count_each_other(replicas))
        yield fleet
    finally:
        fleet.crowd.close()
        await asyncio.gather(*(replica.close() for replica in replicas))


async def _count_each_other(replicas: Sequence[Replica]) -> bool:
    """Say whether every replica has found all of them through Redis."""
    exposed = await asyncio.gather(*(replica.sidecar.call("/metrics") for replica in replicas))
    return all(f"\nsidecar_replicas {len(replicas)}.0\n" in one.body.decode() for one in exposed)


def require(answers: Sequence[Answered]) -> None:
    """Raise RuntimeError where an answer is no success."""
    if not all(answer.ok for answer in answers):
        raise RuntimeError(f"the callers got {sorted({answer.status for answer in answers})}")
