"""Replicas between the doubles, for each test; the invariants of each are checked after it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.doubles.directus import DirectusDouble
from tests.doubles.stripe import StripeDouble
from tests.integration.redis.rig import Rig


@pytest.fixture
async def rig(directus: DirectusDouble, stripe: StripeDouble, log_lines: list[str]) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as exits:
        opened = Rig(directus, stripe, log_lines, exits)
        yield opened
    opened.check()
