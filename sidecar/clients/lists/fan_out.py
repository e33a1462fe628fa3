"""Runs the many calls of one request, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Result = TypeVar("Result")
_AT_ONCE = 6  # calls of one request


async def fan_out(calls: Sequence[Callable[[], Awaitable[Result]]]) -> list[Result]:
    """Give the results in the order of the calls; the first failure cancels the rest."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def placed(call: Callable[[], Awaitable[Result]]) -> Result:
        async with places:
            return await call()

    tasks = [asyncio.ensure_future(placed(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
