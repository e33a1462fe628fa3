"""One question to Directus for all who would ask the same at the same time. Knows nothing about what is asked.

Those who come while a question is under way wait for its end, and ask the next one together. So nobody gets the answer
to a question that left before it asked: what was taken away by then is taken away for it.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

from sidecar.clients.directus.question import Question, Sent

Result = TypeVar("Result")
_PATIENCE = 0.05  # seconds to wait for the question before; a Directus that is slower is asked beside it


class JoinedQuestions(Generic[Result]):
    """A key must contain who asks, since an answer is given to all who ask with it."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._under_way: dict[Hashable, asyncio.Future[None]] = {}  # the latest of each key
        self._next: dict[Hashable, Question[Result]] = {}  # those that have not left

    async def ask(self, key: Hashable, call: Callable[[], Awaitable[Result]]) -> Result:
        """Give the result of `call`, or of another one for this key that begins after now; all get the same error."""
        question = self._next.get(key)
        if question is None or question.abandoned:
            if key not in self._under_way:
                return await self._asked(key, call)
            question = self._next[key] = Question(partial(self._ask_next, key, call))
            question.when_over(partial(self._forget, key, question))
        return await question.answer(math.inf)

    # It never says that it was sent: what `call` sends goes on by itself, and what only waits ends with who wanted it.
    async def _ask_next(self, key: Hashable, call: Callable[[], Awaitable[Result]], _: Sent) -> Result:
        before = self._under_way.get(key)
        if before is not None:
            await asyncio.wait((before,), timeout=self._patience)
        del self._next[key]  # who comes from now on asks too late for this one
        return await self._asked(key, call)

    async def _asked(self, key: Hashable, call: Callable[[], Awaitable[Result]]) -> Result:
        over = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            return await call()
        finally:
            over.set_result(None)
            if self._under_way.get(key) is over:
                del self._under_way[key]

    def _forget(self, key: Hashable, question: Question[Result]) -> None:
        """Forget a question that everybody gave up before it left."""
        if self._next.get(key) is question:
            del self._next[key]
