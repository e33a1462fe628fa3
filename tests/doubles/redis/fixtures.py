"""Redis for a test: real servers of its own, ended after it. tests/selection.py knows these fixtures by `redis_`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.redis.certificates import Certificates, certificates
from tests.doubles.redis.cluster import RedisCluster, redis_cluster_with
from tests.doubles.redis.sentinel import SentinelGroup, sentinel_group
from tests.doubles.redis.server import RedisServer, redis_server_with
from tests.doubles.relay import Relay, relay_to


@pytest.fixture
async def redis_server() -> AsyncIterator[RedisServer]:
    async with redis_server_with() as server:
        yield server


@pytest.fixture
async def redis_relay(redis_server: RedisServer) -> AsyncIterator[Relay]:
    """A relay before `redis_server`; its `url` is a value of REDIS."""
    async with relay_to(redis_server.url) as relay:
        yield relay


@pytest.fixture
async def redis_full() -> AsyncIterator[RedisServer]:
    """One that may hold 2 MB, of which it needs one itself, and evicts nothing."""
    async with redis_server_with("maxmemory 2mb", "maxmemory-policy noeviction") as server:
        yield server


@pytest.fixture
def redis_certificates(tmp_path: Path) -> Certificates:
    """Of an authority of the test's own."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    return certificates(folder)


@pytest.fixture
async def redis_sentinel() -> AsyncIterator[SentinelGroup]:
    async with sentinel_group() as group:
        yield group


@pytest.fixture
async def redis_cluster() -> AsyncIterator[RedisCluster]:
    async with redis_cluster_with() as cluster:
        yield cluster
