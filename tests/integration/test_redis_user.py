"""The Redis user of deploy/README.md, on real servers of each kind."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest

from sidecar.clients.redis import commands
from sidecar.clients.redis.connection import open_client, read_stream
from sidecar.clients.redis.marks import ANNOUNCE
from sidecar.clients.redis.names import Space
from sidecar.settings.redis_address import redis_address
from tests.documents.pages import DEPLOY, block_after, text_of
from tests.doubles.redis.cluster import RedisCluster, redis_cluster_with
from tests.doubles.redis.security import PASSWORD, Security
from tests.doubles.redis.sentinel import SentinelGroup, sentinel_group
from tests.doubles.redis.server import RedisServer, redis_server_with

pytestmark = pytest.mark.redis
TEXT = text_of(DEPLOY)
SPACE = Space.of("a secret that only replicas know", "permissions", "somewhere")
Several = RedisServer | RedisCluster | SentinelGroup


@dataclass(frozen=True, slots=True)
class Kind:
    """`needs` is how the README names the further rules; `database` is a part of the address."""

    start: Callable[..., AbstractAsyncContextManager[Several]]
    needs: str = ""
    database: str = ""

    def rules(self) -> str:
        [usual] = re.findall(
            r"^ACL SETUSER \S+ on \S+ (resetkeys .+)$", block_after(DEPLOY, "redis-user"), re.MULTILINE
        )
        [further] = re.findall(rf"{self.needs}\s`([^`]+)`", TEXT) if self.needs else [""]
        return f"{usual} {further}"


KINDS = {
    "server": Kind(redis_server_with),
    "database": Kind(redis_server_with, "a database other than 0 needs", "3"),
    "sentinel": Kind(sentinel_group),
    "cluster": Kind(redis_cluster_with, "a cluster"),
}


@asynccontextmanager
async def connected(kind: Kind) -> AsyncIterator[commands.Commands]:
    """Start servers of this kind and connect as the user."""
    async with kind.start(security=Security(PASSWORD, "sidecar", kind.rules())) as started:
        url = f"{started.url.removesuffix('/0')}/{kind.database}" if kind.database else started.url
        async with commands.connected(open_client(redis_address(url))) as opened:
            yield opened


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_the_user_does_for_each_kind(kind: Kind) -> None:
    """D2: With what the README gives the user, scripts run and news are read, on every kind of Redis."""
    async with connected(kind) as commands:
        stream = SPACE.name("news")
        told = await commands.run(ANNOUNCE, (stream, SPACE.name("everybody")), ("new", 1000, "", 0, b"sealed", 10))
        heard = await read_stream(commands.client, stream, b"0-0")

    assert [entry for entry, _ in heard] == [told]
