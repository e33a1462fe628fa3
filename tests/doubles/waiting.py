"""Waiting for something to become true, instead of for time to pass."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE = 60  # seconds, far above any stall: only what fails uses them up


async def eventually(condition: Callable[[], bool | Awaitable[bool]], *, within: float = PATIENCE) -> None:
    """Return as soon as `condition`, plain or asynchronous, holds; fail after `within` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not await _holds(condition):
        assert loop.time() < deadline, "it did not come true in time"
        await asyncio.sleep(0.005)


async def _holds(condition: Callable[[], bool | Awaitable[bool]]) -> bool:
    result = condition()
    return await result if inspect.isawaitable(result) else result
