"""Cuts work off at its n-th await, so that a test can look at each of them."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class CutAt(Generic[Result]):
    """Awaiting it runs the coroutine, and cancels the task where the coroutine waits for the n-th time, from 0.

    `cut` says whether it came that far.
    """

    def __init__(self, work: Coroutine[Any, Any, Result], at: int) -> None:
        self._work, self._at = work, at
        self.cut = False

    def __await__(self) -> Generator[Any, Any, Result]:
        task = asyncio.current_task()
        assert task is not None
        waits = 0
        sent: Any = None
        failure: BaseException | None = None
        while True:
            try:
                waited_for = self._work.send(sent) if failure is None else self._work.throw(failure)
            except StopIteration as end:
                result: Result = end.value
                return result
            if waits == self._at:
                self.cut = True
                asyncio.get_running_loop().call_soon(task.cancel)
            waits += 1
            sent, failure = None, None
            try:
                sent = yield waited_for
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's own
                failure = error


async def cut_everywhere(begin: Any, afterwards: Any) -> int:  # noqa: ANN401 - two functions that make coroutines
    """Run `begin()` again and again, cut off at another await each time, then `afterwards()`; count the awaits."""
    for at in range(1000):
        work = CutAt(begin(), at)
        task = asyncio.ensure_future(_run(work))
        await asyncio.wait([task])
        await afterwards()
        if not work.cut:
            task.result()
            return at
    raise AssertionError("it has no end")


async def _run(work: CutAt[Result]) -> Result:
    return await work
