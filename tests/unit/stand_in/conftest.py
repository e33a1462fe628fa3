"""One stand-in, in its own process, for all these tests; each test has its own customer there."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo import servers
from deploy.demo.processes import Server, free_port
from tests.doubles.shop import Account, Shop, open_shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with servers.emulator(tmp_path_factory.mktemp("stand-in"), port=free_port()) as server:
        yield server


@pytest.fixture
def account(process: Server) -> Account:
    return Account(process.url)


@pytest.fixture
async def shop(account: Account) -> Shop:
    return await open_shop(account)
