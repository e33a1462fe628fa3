"""One question to Directus that outlives those who wait for it. Knows nothing about what is asked."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

from sidecar.errors import DirectusUnavailable

Result = TypeVar("Result")
Sent = Callable[[], None]


class Question(Generic[Result]):
    """Starts `ask`, which calls what it is given at the moment in which the question is sent.

    Before that moment the question ends with the last who waits for it. From then on it costs Directus its work in any
    case, so it goes on until it ends.
    """

    def __init__(self, ask: Callable[[Sent], Coroutine[object, object, Result]]) -> None:
        self._sent = asyncio.get_running_loop().create_future()
        self._waiting = 0
        self.abandoned = False
        self._task = asyncio.create_task(ask(self._send))
        self._task.add_done_callback(_read)

    def when_over(self, call: Callable[[], None]) -> None:
        self._task.add_done_callback(lambda _: call())

    async def answer(self, budget: float) -> Result:
        """Wait at most `budget` seconds from the sending, or from now where it is sent.

        Raises what the question does, and DirectusUnavailable when the budget is over.
        """
        self._waiting += 1
        try:
            if not self._sent.done():
                await asyncio.wait((self._task, self._sent), return_when=asyncio.FIRST_COMPLETED)
            if not self._task.done():
                await asyncio.wait((self._task,), timeout=budget)
        finally:
            self._leave()
        self._expect_end(budget)
        return self._task.result()

    async def over(self, budget: float) -> None:
        """Wait until it has ended, whatever comes of it. Raises DirectusUnavailable when the budget is over."""
        await asyncio.wait((self._task,), timeout=budget)
        self._expect_end(budget)

    def _expect_end(self, budget: float) -> None:
        if not self._task.done():
            raise DirectusUnavailable(f"no answer within {budget:g} s")

    def _leave(self) -> None:
        self._waiting -= 1
        if self._waiting == 0 and not self._sent.done() and not self._task.done():
            self.abandoned = True
            self._task.cancel()

    def _send(self) -> None:
        if not self._sent.done():
            self._sent.set_result(None)


def _read(task: asyncio.Task[Result]) -> None:
    if not task.cancelled():
        task.exception()  # asyncio logs an exception that nobody has read
