"""One call for all who ask for the same thing at the same moment. Knows nothing about what is called.

The call goes on while somebody waits for its result, and ends when the last one leaves. It is made in the name of all
who wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from itertools import count
from typing import Generic, TypeVar

from sidecar import context
from sidecar.clients.changes import Alone, Changes, joinable
from sidecar.party import Party

Result = TypeVar("Result")
_MOST_KEPT = 16  # results kept for the rest of their moment; a parsed page takes more than a megabyte


class _Call(Generic[Result]):
    """`asked`: how many asked for it before it was answered. Those who share what asked for it are its party."""

    def __init__(self, number: int, call: Callable[[], Awaitable[Result]]) -> None:
        self.number = number
        self.party = context.party.get() or Party()
        self.waiting = self.asked = 0
        self.made = asyncio.get_running_loop().time()
        self.task = asyncio.get_running_loop().create_task(_result(call), context=context.shared_by(self.party))

    @property
    def is_a_crowds(self) -> bool:
        return self.asked > 1 or self.party.size > 1

    async def outcome(self, *, joined: bool) -> Result:
        """Give the result, and lend the request's place meanwhile if it waits for what another one began."""
        if self.task.done():
            return self.task.result()
        if not joined:
            return await asyncio.shield(self.task)
        async with context.resting():
            return await asyncio.shield(self.task)


class _Waiting(Generic[Result]):
    """One who waits for a call; `forget` is called where nobody does any more and the call ends without a result."""

    __slots__ = ("_call", "_caller", "_forget", "_joins")

    def __init__(self, call: _Call[Result], forget: Callable[[], None]) -> None:
        self._call, self._caller, self._forget = call, context.caller.get(), forget
        self._joins = call.party is not context.party.get()  # otherwise it is of the party already

    def __enter__(self) -> None:
        self._call.waiting += 1
        self._call.asked += 1
        if self._joins:
            self._call.party.join(self._caller)

    def __exit__(self, *_ended: object) -> None:
        call = self._call
        if self._joins:
            call.party.leave(self._caller)
        call.waiting -= 1
        if call.waiting == 0 and not call.task.done():
            self._forget()
            call.task.cancel()


class SharedCalls(Generic[Result]):
    """A result that several asked for at once is also given to who asks within `moment` seconds of the first question.

    So a crowd that arrives together makes one call, although its last request arrives after the answer did, and also
    where something that it shares makes the call; somebody who asks again and again alone gets a new answer each time.
    Nobody gets what was called for before one of the `changes` that were told before it asked.
    """

    def __init__(self, moment: float = 0.0, changes: Changes | None = None) -> None:
        self._moment = moment
        self._changes = changes or Alone()
        self._numbers = count()
        self._calls: dict[Hashable, _Call[Result]] = {}
        self._kept: dict[Hashable, _Call[Result]] = {}  # the answered ones, oldest first

    async def get(self, key: Hashable, call: Callable[[], Awaitable[Result]]) -> Result:
        """Give the result of `call`, or of another one for this key that is under way; all get the same error."""
        earlier = self._calls.get(key)
        if earlier is not None:
            with self._waiting_for(key, earlier):  # so that it stays while that is looked up
                if await joinable(earlier, self._changes):
                    return await earlier.outcome(joined=True)
        found = self._calls.get(key)  # another one than the earlier began after this was asked
        joined = found is not None and found is not earlier
        del earlier  # with its result
        if found is None or not joined:
            found = self._begin(key, call)
        with self._waiting_for(key, found):
            return await found.outcome(joined=joined)

    def forget(self) -> None:
        """Let nobody join a call from before now; who waits for one still gets its result.

        A call that still waits for its turn is made after this, so it stays.
        """
        self._calls = {key: call for key, call in self._calls.items() if call.party.waits}
        self._kept.clear()

    def _begin(self, key: Hashable, call: Callable[[], Awaitable[Result]]) -> _Call[Result]:
        begun = self._calls[key] = _Call(next(self._numbers), call)
        self._kept.pop(key, None)
        begun.task.add_done_callback(lambda _: self._answered(key, begun))
        return begun

    def _waiting_for(self, key: Hashable, call: _Call[Result]) -> "_Waiting[Result]":
        """Let the call go on, in the caller's name too, while the block runs."""
        return _Waiting(call, partial(self._remove, key, call.number))

    def _answered(self, key: Hashable, call: _Call[Result]) -> None:
        loop = asyncio.get_running_loop()
        left = call.made + self._moment - loop.time()
        failed = call.task.cancelled() or call.task.exception() is not None
        if self._calls.get(key) is call and call.is_a_crowds and not failed and left > 0:
            self._kept[key] = call
            loop.call_later(left, self._remove, key, call.number)
            if len(self._kept) > _MOST_KEPT:
                oldest = next(iter(self._kept))
                self._remove(oldest, self._kept[oldest].number)
        else:
            self._remove(key, call.number)

    def _remove(self, key: Hashable, number: int) -> None:
        """Remove the call for this key with this number; a timer that knows only that keeps no result."""
        for calls in (self._calls, self._kept):
            if key in calls and calls[key].number == number:
                del calls[key]


async def _result(call: Callable[[], Awaitable[Result]]) -> Result:
    return await call()
