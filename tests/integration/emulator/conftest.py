"""One emulator for all these tests; each has a customer of its own there."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo import servers
from deploy.demo.processes import free_port
from tests.integration.emulator.shop import Account, Shop, open_shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def account(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Account]:
    async with servers.emulator(tmp_path_factory.mktemp("emulator"), port=free_port()) as server:
        yield Account(server.url)


@pytest.fixture
async def shop(account: Account) -> Shop:
    return await open_shop(account)
