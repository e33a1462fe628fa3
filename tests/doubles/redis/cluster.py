"""A real Redis Cluster: three primaries, each with a third of the slots."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from deploy.demo.processes import free_port
from tests.doubles.redis.security import OPEN, Security
from tests.doubles.redis.server import RedisServer
from tests.doubles.waiting import eventually

_NODES = 3
_SLOTS = 16384
_NODE_TIMEOUT = 1000  # milliseconds until the others take a silent node for failed


@dataclass(frozen=True, slots=True)
class RedisCluster:
    """Without one of its nodes it refuses every command, which is Redis's default."""

    nodes: Sequence[RedisServer]
    security: Security

    @property
    def url(self) -> str:
        """Give the value of REDIS for a client."""
        return self.security.url([node.port for node in self.nodes], kind="+cluster")

    async def is_well(self) -> bool:
        """Tell whether all nodes know each other and every slot has its node."""
        states = [await node.cli("CLUSTER", "INFO") for node in self.nodes]
        return all("cluster_state:ok" in state and f"cluster_known_nodes:{_NODES}" in state for state in states)

    async def node_of(self, key: str) -> RedisServer:
        """Give the node that had the slot of `key` at the start."""
        slot = int(await self.nodes[0].cli("CLUSTER", "KEYSLOT", key))
        return next(node for node, last in zip(self.nodes, _bounds()[1:], strict=True) if slot < last)


@asynccontextmanager
async def redis_cluster_with(*lines: str, security: Security = OPEN) -> AsyncIterator[RedisCluster]:
    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        nodes = []
        buses = [free_port() for _ in range(_NODES)]
        for number, bus in enumerate(buses):
            common = _common(bus, encrypted=security.certificates is not None)
            nodes.append(RedisServer(Path(name) / f"node-{number}", *common, *lines, security=security))
        cluster = RedisCluster(nodes, security)
        try:
            await asyncio.gather(*(node.start() for node in nodes))
            await _join(cluster, buses)
            yield cluster
        finally:
            for node in nodes:
                node.kill()


def _common(bus: int, *, encrypted: bool) -> list[str]:
    return [
        "cluster-enabled yes",
        f"cluster-port {bus}",
        f"cluster-node-timeout {_NODE_TIMEOUT}",
        *(["tls-cluster yes"] if encrypted else []),
    ]


async def _join(cluster: RedisCluster, buses: Sequence[int]) -> None:
    first, *_ = cluster.nodes
    for number, (node, (begin, end)) in enumerate(zip(cluster.nodes, pairwise(_bounds()), strict=True)):
        await node.cli("CLUSTER", "ADDSLOTSRANGE", str(begin), str(end - 1))
        await node.cli("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
    for node in cluster.nodes[1:]:
        await node.cli("CLUSTER", "MEET", "127.0.0.1", str(first.port), str(buses[0]))
    await eventually(cluster.is_well)


def _bounds() -> list[int]:
    return [_SLOTS * n // _NODES for n in range(_NODES + 1)]
