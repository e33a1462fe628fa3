"""One shared call per key. Knows nothing of what is called."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """All who ask for a key while its call is under way get that call's result, or its error.

    The call belongs to nobody: whoever goes away, the others are answered. Once it has ended the next
    one asks afresh.
    """

    def __init__(self) -> None:
        self._calls: dict[Hashable, asyncio.Task[Result]] = {}

    def under_way(self, key: Hashable) -> bool:
        return key in self._calls

    async def run(self, key: Hashable, call: Callable[[], Awaitable[Result]]) -> Result:
        task = self._calls.get(key)
        if task is None:
            task = self._calls[key] = asyncio.ensure_future(_await(call))
            task.add_done_callback(lambda done: self._end(key, done))
        return await asyncio.shield(task)

    def _end(self, key: Hashable, task: asyncio.Task[Result]) -> None:
        del self._calls[key]
        if not task.cancelled():
            task.exception()  # seen here, in case everyone who asked has gone


async def _await(call: Callable[[], Awaitable[Result]]) -> Result:
    return await call()
