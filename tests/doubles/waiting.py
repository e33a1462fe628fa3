"""Waits for a condition instead of a duration."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE = 60  # seconds, far above any stall: only a failing test waits this long


async def eventually(condition: Callable[[], bool | Awaitable[bool]], *, within: float = PATIENCE) -> None:
    """Return as soon as `condition`, plain or asynchronous, is true; fail after `within` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not await _is_true(condition):
        assert loop.time() < deadline, "the condition was not true in time"
        await asyncio.sleep(0.005)


async def _is_true(condition: Callable[[], bool | Awaitable[bool]]) -> bool:
    result = condition()
    return await result if inspect.isawaitable(result) else result
