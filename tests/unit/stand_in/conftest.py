"""One stand-in, in its own process, for all these tests; each test has its own customer there."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from deploy.demo import servers
from deploy.demo.processes import Server, free_port
from tests.doubles.shop import Account, Shop, open_shop


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start it once, on a loop of its own: pytest-asyncio ends its session loop after each test that chose a loop."""
    folder, exits = tmp_path_factory.mktemp("stand-in"), AsyncExitStack()
    with asyncio.Runner() as runner:
        try:
            yield runner.run(exits.enter_async_context(servers.emulator(folder, port=free_port())))
        finally:
            runner.run(exits.aclose())


@pytest.fixture
def account(process: Server) -> Account:
    return Account(process.url)


@pytest.fixture
async def shop(account: Account) -> Shop:
    return await open_shop(account)
