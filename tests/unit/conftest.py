"""The event loop of every test, and one time limit that only a hanging test reaches."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping

import pytest

from tests.doubles.steady_loop import SteadyLoop

LIMIT = 180  # seconds; every wait in a test has a smaller limit of its own


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give pytest-asyncio the loop that every test runs in."""
    return {"steady": SteadyLoop}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Make a test that waits forever fail, so that it does not block the run."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        item.obj = _limited(item.obj)
    return (yield)


def _limited(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def run(*args: object, **kwargs: object) -> None:
        async with asyncio.timeout(LIMIT):
            await test(*args, **kwargs)

    return run
