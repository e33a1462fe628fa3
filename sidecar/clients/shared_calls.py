"""One call for all who ask for the same thing at the same moment. Knows nothing about what is called.

The call goes on while somebody waits for its result, and ends when the last one leaves. It is made in the name of all
who wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import nullcontext
from typing import Generic, TypeVar

from sidecar import context
from sidecar.party import Party

Result = TypeVar("Result")
_MOST_KEPT = 16  # results kept for the rest of their moment; a parsed page takes more than a megabyte


class _Call(Generic[Result]):
    """`shared`: more than one asked for it before it was answered."""

    def __init__(self, call: Callable[[], Awaitable[Result]]) -> None:
        self.party = Party()
        self.waiting = 0
        self.shared = False
        self.began = asyncio.get_running_loop().time()
        self.task = asyncio.get_running_loop().create_task(_result(call), context=context.shared_by(self.party))


class SharedCalls(Generic[Result]):
    """A result that several asked for at once is also given to who asks within `moment` seconds of the first question.

    So a crowd that arrives together makes one call, although its last request arrives after the answer did; somebody
    who asks again and again alone gets a new answer each time.
    """

    def __init__(self, moment: float = 0.0) -> None:
        self._moment = moment
        self._calls: dict[Hashable, _Call[Result]] = {}
        self._kept: dict[Hashable, _Call[Result]] = {}  # the answered ones, oldest first

    async def get(self, key: Hashable, call: Callable[[], Awaitable[Result]]) -> Result:
        """Give the result of `call`, or of another one for this key that is under way; all get the same error."""
        found = self._calls.get(key)
        joined = found is not None
        if found is None:
            found = self._calls[key] = _Call(call)
            found.task.add_done_callback(lambda _: self._answered(key, found))
        caller = context.caller.get()
        found.waiting += 1
        found.shared = found.shared or joined
        found.party.join(caller)
        try:
            if found.task.done():
                return found.task.result()
            async with context.resting() if joined else nullcontext():
                return await asyncio.shield(found.task)
        finally:
            found.party.leave(caller)
            found.waiting -= 1
            if found.waiting == 0 and not found.task.done():
                self._remove(key, found.began)
                found.task.cancel()

    def forget(self) -> None:
        """Let nobody join a call from before now; who waits for one still gets its result.

        A call that still waits for its turn is made after this, so it stays.
        """
        self._calls = {key: call for key, call in self._calls.items() if call.party.waits}
        self._kept.clear()

    def _answered(self, key: Hashable, call: _Call[Result]) -> None:
        loop = asyncio.get_running_loop()
        left = call.began + self._moment - loop.time()
        failed = call.task.cancelled() or call.task.exception() is not None
        if self._calls.get(key) is call and call.shared and not failed and left > 0:
            self._kept[key] = call
            loop.call_later(left, self._remove, key, call.began)
            if len(self._kept) > _MOST_KEPT:
                oldest = next(iter(self._kept))
                self._remove(oldest, self._kept[oldest].began)
        else:
            self._remove(key, call.began)

    def _remove(self, key: Hashable, began: float) -> None:
        """Remove the call for this key that began then, so that a timer keeps no result."""
        for calls in (self._calls, self._kept):
            if key in calls and calls[key].began == began:
                del calls[key]


async def _result(call: Callable[[], Awaitable[Result]]) -> Result:
    return await call()
