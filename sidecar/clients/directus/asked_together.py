"""Equal questions of one moment are one. Knows nothing about what is asked.

Nobody gets an answer to what was asked before it came: while a question is under way, all that come for it wait and ask
the next one together. So what was changed before somebody came is in its answer, as if it had asked alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")
_PATIENCE = 0.05  # seconds; Directus usually takes a tenth of that, and a slow one keeps nobody longer


@dataclass(slots=True, eq=False)
class _Question(Generic[Result]):
    """`waiting`: how many wait for its answer; it ends with the last."""

    task: asyncio.Task[Result]
    waiting: int = 0


class AskedTogether(Generic[Result]):
    """All who share an answer get the same object, or the same error."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, _Question[Result]] = {}
        self._next: dict[Hashable, _Question[Result]] = {}  # not asked yet

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[Result]]) -> Result:
        """Give the answer to `ask`, or to another one for this key that is asked from now on."""
        question = self._next.get(key) or self._begin(key, ask)
        question.waiting += 1
        try:
            return await asyncio.shield(question.task)
        finally:
            question.waiting -= 1
            if question.waiting == 0 and not question.task.done():
                self._remove(key, question)
                question.task.cancel()

    def _begin(self, key: Hashable, ask: Callable[[], Awaitable[Result]]) -> _Question[Result]:
        earlier = self._asked.get(key)
        question = _Question(asyncio.get_running_loop().create_task(self._ask(key, ask, earlier)))
        (self._asked if earlier is None else self._next)[key] = question
        question.task.add_done_callback(lambda task: self._end(key, question, task))
        return question

    async def _ask(
        self, key: Hashable, ask: Callable[[], Awaitable[Result]], earlier: _Question[Result] | None
    ) -> Result:
        if earlier is not None:
            await asyncio.wait((earlier.task,), timeout=_PATIENCE)
            self._asked[key] = self._next.pop(key)
        return await ask()

    def _end(self, key: Hashable, question: _Question[Result], task: asyncio.Task[Result]) -> None:
        self._remove(key, question)
        if not task.cancelled():
            task.exception()  # asyncio logs an exception that nobody has read

    def _remove(self, key: Hashable, question: _Question[Result]) -> None:
        for questions in (self._asked, self._next):
            if questions.get(key) is question:
                del questions[key]
