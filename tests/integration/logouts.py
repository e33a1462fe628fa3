"""A sidecar behind its own nginx, for tests of logouts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo import servers
from deploy.demo.processes import Server, free_port
from deploy.demo.stack import Stack
from tests.integration.asking import metric

GONE = (401, "INVALID_CREDENTIALS")
HEADER = "X-Sidecar-Logout"
LIST = "/stripe/payments?limit=1"


@dataclass(frozen=True, slots=True)
class Door:
    nginx: Server
    sidecar: Server

    @property
    def ports(self) -> dict[str, int]:
        return {
            name: int(each.url.rpartition(":")[2]) for name, each in (("nginx", self.nginx), ("sidecar", self.sidecar))
        }

    async def counted(self, result: str) -> float:
        return await metric(self.sidecar.url, f'sidecar_permissions_total{{result="{result}"}}')


@asynccontextmanager
async def door_of(stack: Stack, state: Path) -> AsyncIterator[Door]:
    """Start a sidecar that remembers for an hour, and nginx with its files in `state`."""
    async with (
        stack.sidecar(PERMISSIONS_CACHE_TTL="3600", SHUTDOWN_DELAY="0") as sidecar,
        servers.nginx(state, port=free_port(), directus=stack.directus.url, sidecar=sidecar.url) as nginx,
    ):
        yield Door(nginx, sidecar)
