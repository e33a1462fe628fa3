"""Doubles of the two upstreams."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import chdir

import pytest
from hypothesis import HealthCheck, settings

from deploy.demo import install
from sidecar.logs import JsonFormatter
from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import KEY, PEOPLE
from tests.doubles.stripe import StripeDouble

pytest_plugins = ["tests.selection", "tests.doubles.redis.fixtures"]

# No deadline: the duration of examples depends on the load of the machine.
_steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", _steady)
settings.register_profile("quick", _steady, max_examples=20)
settings.load_profile("thorough")


@pytest.fixture(scope="session", autouse=True)
def _nowhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run in an empty folder, so that no test reads the `.env` of a checkout that somebody works with."""
    with chdir(tmp_path_factory.mktemp("nowhere")):
        yield


@pytest.fixture
async def directus() -> AsyncIterator[DirectusDouble]:
    async with DirectusDouble.running() as double:
        double.add_users(PEOPLE)
        yield double


@pytest.fixture
async def stripe() -> AsyncIterator[StripeDouble]:
    async with StripeDouble.running() as double:
        double.key = KEY
        yield double


@pytest.fixture(scope="session")
def node_tools() -> install.NodeTools:
    """Give Node and the packages locked in tests/node; the first test that asks installs them."""
    return install.node_tools()


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """Everything logged at DEBUG, as the sidecar writes it, with the same two libraries silenced."""
    handler, root = _Lines(), logging.getLogger()
    quiet = [logging.getLogger(name) for name in ("asyncio", "stripe")]
    before = {logger: logger.level for logger in (root, *quiet)}
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for logger in quiet:
        logger.setLevel(logging.WARNING)
    yield handler.lines
    root.removeHandler(handler)
    for logger, level in before.items():
        logger.setLevel(level)
