"""Gives events of Stripe's their turns: one at a time for each subject, and a bounded number in all.

The subject is what the work for an event is about, such as a customer or an invoice. An event waits rather than being
refused at once, since Stripe sends a refused one again only much later.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from sidecar.errors import Overloaded

_AT_ONCE = 32
_WAITING = 500
_WAITING_FOR_ONE = 20  # who changes one subject all the time does not fill the line for the others
_PATIENCE = 10.0  # seconds


@dataclass(eq=False, slots=True, weakref_slot=True)
class _Subject:
    """`begun` is the number of the last turn that began, `done` of the last one that called `complete`."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: int = 0
    done: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """`covered` says that another event's turn began after this event came, and was completed.

    Where an event is only a reason to look at its subject, the other turn has looked for this event too. It calls
    `complete` only then.
    """

    _subject: _Subject
    _number: int
    covered: bool

    def complete(self) -> None:
        self._subject.done = self._number


class EventTurns:
    """`at_once` events have a turn, `waiting` more wait for `patience` seconds, `waiting_for_one` of one subject.

    Only verified events get here. They take no place from callers, nor callers from them.
    """

    def __init__(
        self,
        at_once: int = _AT_ONCE,
        waiting: int = _WAITING,
        waiting_for_one: int = _WAITING_FOR_ONE,
        patience: float = _PATIENCE,
    ) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._waiting, self._most_waiting = 0, waiting
        self._most_for_one, self._patience = waiting_for_one, patience
        self._subjects = WeakValueDictionary[str, _Subject]()

    @asynccontextmanager
    async def turn(self, subject_id: str) -> AsyncIterator[Turn]:
        """Wait for this subject's earlier events, then for a place. Raises Overloaded."""
        subject = self._subjects.setdefault(subject_id, _Subject())
        async with AsyncExitStack() as held:
            covered = await self._wait(held, subject)
            subject.begun += 1
            yield Turn(subject, subject.begun, covered)

    async def _wait(self, held: AsyncExitStack, subject: _Subject) -> bool:
        """Say whether another turn covered this one: then it needs no place."""
        full = self._waiting >= self._most_waiting or subject.waiting >= self._most_for_one
        if full and (subject.lock.locked() or self._places.locked()):
            raise _busy("too many events wait already")
        came = subject.begun
        self._waiting += 1
        subject.waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await held.enter_async_context(subject.lock)
                covered = subject.done > came
                if not covered:
                    await held.enter_async_context(self._places)
        except TimeoutError:
            raise _busy("its turn did not come in time") from None
        finally:
            self._waiting -= 1
            subject.waiting -= 1
        return covered


def _busy(detail: str) -> Overloaded:
    return Overloaded("This service is busy with other events.", detail=detail)
