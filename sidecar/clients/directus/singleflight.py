"""One shared call per key. Knows nothing about what is called."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Requests for a key while its call is under way share that call's result, or its error.

    A request that is canceled does not cancel the call, so the others get the result. When the call has ended, the
    next request starts a new one.
    """

    def __init__(self) -> None:
        self._calls: dict[Hashable, asyncio.Task[Result]] = {}

    async def run(self, key: Hashable, call: Callable[[], Awaitable[Result]]) -> Result:
        task = self._calls.get(key)
        if task is None:
            task = self._calls[key] = asyncio.ensure_future(_await(call))
            task.add_done_callback(lambda done: self._end(key, done))
        return await asyncio.shield(task)

    def _end(self, key: Hashable, task: asyncio.Task[Result]) -> None:
        del self._calls[key]
        if not task.cancelled():
            task.exception()  # read here, since asyncio logs an exception that nobody has read


async def _await(call: Callable[[], Awaitable[Result]]) -> Result:
    return await call()
