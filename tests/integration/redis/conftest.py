"""Replicas between the doubles, for each test; the invariants of each are checked after it.

They run in a loop whose clock stops when the process does, so that on a busy machine no answer of Redis comes late.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from tests.doubles.directus import DirectusDouble
from tests.doubles.redis.server import RedisServer
from tests.doubles.steady_loop import SteadyLoop
from tests.doubles.stripe import StripeDouble
from tests.integration.redis.contents import Contents
from tests.integration.redis.rig import Rig


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give pytest-asyncio the loop that these tests run in."""
    return {"steady": SteadyLoop}


@pytest.fixture
async def rig(directus: DirectusDouble, stripe: StripeDouble, log_lines: list[str]) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as exits:
        opened = Rig(directus, stripe, log_lines, exits)
        yield opened
    opened.check()


@pytest.fixture
async def redis_contents(redis_server: RedisServer) -> AsyncIterator[Contents]:
    """What stands in `redis_server` whenever it is loaded."""
    async with Redis(port=redis_server.port, protocol=2) as client:
        yield Contents(client)
