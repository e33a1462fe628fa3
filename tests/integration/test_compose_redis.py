"""Replicas on the Redis of deploy/compose.redis.yaml, started here with its command and with the files it asks for."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from deploy.demo import redis_program, redis_server, servers
from deploy.demo.admin import Rule, login, logout
from deploy.demo.processes import free_port, running
from deploy.demo.stack import Stack
from tests.doubles.waiting import eventually
from tests.integration.asking import Carried, ask, metric, verdict
from tests.integration.conftest import Newcomer
from tests.integration.logouts import GONE, LIST
from tests.integration.replicas import replicas_of

pytestmark = pytest.mark.redis
FILE = (servers.ROOT / "deploy/compose.redis.yaml").read_text()
PARTS = ("permissions", "budgets", "changes", "news", "replicas")


@dataclass(frozen=True, slots=True)
class Redis:
    """`url` is the content of the file `redis`, with the address that the server has here."""

    url: str
    port: int
    secret: str


@asynccontextmanager
async def redis_of(folder: Path) -> AsyncIterator[Redis]:
    """Write the files with the commands in the Compose file, and start Redis with its command."""
    secrets = folder / "secrets"
    secrets.mkdir()
    writing = "\n".join(line for line in re.findall(r"^#   (.+)$", FILE, re.MULTILINE) if "docker" not in line)
    process = await asyncio.create_subprocess_exec("sh", "-euc", writing, cwd=folder, env={"PATH": os.defpath})
    assert await process.wait() == 0
    files = {path.name: path.read_text() for path in secrets.iterdir()}
    assert files.keys() == yaml.safe_load(FILE)["secrets"].keys()

    port = free_port()
    url = files["redis"].replace("@redis:6379", f"@127.0.0.1:{port}")
    _, *options = yaml.safe_load(FILE)["services"]["redis"]["command"]
    options = [option.replace("/run/secrets", str(secrets)) for option in options]
    command = [redis_program.server(), *options, "--port", str(port), "--bind", "127.0.0.1"]

    async def answers(_: str) -> bool:
        return await redis_server.cli(("--no-auth-warning", "-u", url), "PING") == (0, "PONG")

    log = folder / "redis.log"
    async with running(command, port=port, log=log, cwd=folder, settings={}, scheme="redis", answers=answers):
        yield Redis(url, port, files["sidecar_secret"].strip())


async def test_it_is_enough_for_replicas(stack: Stack, newcomer: Newcomer, tmp_path: Path) -> None:
    """D2: The user in the Compose file may do all that replicas do, and they find answers and hear logouts there."""
    async with (
        redis_of(tmp_path) as redis,
        replicas_of(
            stack,
            tmp_path / "replicas",
            2,
            REDIS=redis.url,
            SIDECAR_SECRET=redis.secret,
            SIDECAR_SECRET_FILE="",
            DIRECTUS_REALTIME="",
            PERMISSIONS_CACHE_TTL="3600",
            SHUTDOWN_DELAY="0",
        ) as replicated,
    ):
        one, other = (sidecar.url for sidecar in replicated.replicas)
        await eventually(lambda: _counts(one, 2))
        session = await login(replicated.proxy.url, await newcomer(Rule("customers", "read")))
        seen = [verdict(await ask(url, LIST, session, carried=Carried.COOKIE)) for url in (one, other)]
        await logout(replicated.proxy.url, session)
        ended = [verdict(await ask(url, LIST, session, carried=Carried.COOKIE)) for url in (one, other)]

        assert (seen, ended) == ([(200, None)] * 2, [GONE] * 2)
        assert await metric(other, 'sidecar_permissions_total{result="found"}') == 1
        for url in (one, other):
            assert await metric(url, "sidecar_shared_up") == 1
            assert [await metric(url, f'sidecar_shared_errors_total{{part="{part}"}}') for part in PARTS] == [0] * 5


async def _counts(url: str, replicas: int) -> bool:
    return await metric(url, "sidecar_replicas") == replicas


@pytest.mark.parametrize(
    "command",
    ["FLUSHALL", "KEYS *", "CONFIG GET *", "ACL LIST", "MONITOR", "GET other", "PUBLISH a b", "CLIENT LIST"],
)
async def test_it_is_not_more_than_enough(tmp_path: Path, command: str) -> None:
    """D2: The user can neither read nor change what is not the sidecar's, and who does not sign in can do nothing."""
    async with redis_of(tmp_path) as redis:
        as_user = await redis_server.cli(("--no-auth-warning", "-u", redis.url), *command.split())
        as_nobody = await redis_server.cli(("-p", str(redis.port)), "PING")

    assert "NOPERM" in as_user[1]
    assert "NOAUTH" in as_nobody[1]
