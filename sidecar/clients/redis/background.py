"""Tasks that nobody waits for where they begin; asyncio itself keeps no reference to a task."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


class Background:
    def __init__(self) -> None:
        self._tasks = set[asyncio.Task[object]]()

    def start(self, doing: Coroutine[object, object, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self) -> None:
        """Wait until all that has begun is over, whatever comes of it."""
        if self._tasks:
            await asyncio.wait(self._tasks)
