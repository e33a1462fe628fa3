"""The demo's part about replicas: all of them feel a logout that nginx told to one."""

from pathlib import Path

from deploy.demo import report
from deploy.demo.replicas import ask_around_logout, names
from deploy.demo.stack import Stack
from tests.doubles.redis.server import RedisServer
from tests.integration.replicas import replicas_of

LONG = {"PERMISSIONS_CACHE_TTL": "3600", "SHUTDOWN_DELAY": "0"}


async def test_felt_by_all(stack: Stack, redis_server: RedisServer, tmp_path: Path) -> None:
    """With a Redis every replica refuses a session right after its logout."""
    async with replicas_of(stack, tmp_path, 3, REDIS=redis_server.url, **LONG) as replicated:
        rows = await ask_around_logout(replicated)

    assert report.verdict(rows) == "All 6 answers as expected"


async def test_a_replica_that_does_not_hear(stack: Stack, tmp_path: Path) -> None:
    """Without a Redis the demo's table shows which replicas did not hear of the logout."""
    async with replicas_of(stack, tmp_path, 3, **LONG) as replicated:
        rows = await ask_around_logout(replicated)

    table = report.table(rows, names(replicated))
    assert report.verdict(rows) == "2 of 6 answers NOT as expected"
    assert table.count("✗ 200") == 2
    assert table.count("✓ 401 INVALID_CREDENTIALS") == 1
