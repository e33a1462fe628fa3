"""One source for several readers who ask for the same thing at the same moment. Knows nothing about what is read.

Readers join a source until it has given its first item, unless something has changed since it began; a later reader
starts a new one. A source goes at the pace of its slowest reader, so nothing piles up. All readers of a source have the
same patience with those who make them wait: when it is used up, a slow reader is left behind and continues alone, after
the last item it got. When the last reader leaves, the source ends.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from sidecar import context
from sidecar.clients.changes import Alone, Changes, joinable
from sidecar.clients.lists.held import HeldBytes
from sidecar.party import Party

Item = TypeVar("Item")
_AHEAD = 2  # items that may wait for a reader behind the one that it has
_PATIENCE = 2.0  # seconds that the readers of a source wait for its slow readers, all taken together
_JITTER = 0.1  # seconds that each reader may be late in all before that counts
_NOTHING = 1e-3  # seconds that are not worth a timer


@dataclass(slots=True)
class _Entry(Generic[Item]):
    """An item that `readers` have not finished with. It is in memory once, so it is counted once."""

    item: Item
    size: int
    readers: int


class _Reader(Generic[Item]):
    """`entries` begins with the one that the reader has in hand, and is empty when it waits."""

    def __init__(self) -> None:
        self.caller = context.caller.get()
        self.entries: deque[_Entry[Item]] = deque()
        self.news = asyncio.Event()  # an item, the end, or being left behind
        self.allowance = _JITTER
        self.left_behind = False


class _Source(Generic[Item]):
    """`error` is the exception that ended the source; None where it ended by itself."""

    def __init__(
        self, items: AsyncGenerator[Item], size: Callable[[Item], int], held: HeldBytes, patience: float
    ) -> None:
        self.readers: list[_Reader[Item]] = []
        self.begun = self.ended = False
        self.error: Exception | None = None
        self.taken = asyncio.Event()  # a reader finished with an item, or left
        self._size = size
        self._account = held.account()
        self._patience = patience
        self.made = asyncio.get_running_loop().time()
        self.party = Party()  # what it fetches is fetched in the name of all its readers
        own = context.shared_by(self.party)
        self.task = asyncio.get_running_loop().create_task(self._pump(items), context=own)

    async def _pump(self, items: AsyncGenerator[Item]) -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    size = self._give(item)
                    del item  # it may be gone before the next one comes
                    await self._keep_pace(size)
        except Exception as error:  # noqa: BLE001 - every reader raises it
            self.error = error
        self.begun = self.ended = True
        for reader in self.readers:
            reader.news.set()

    def _give(self, item: Item) -> int:
        """Give the item to every reader, and give its size."""
        self.begun = True
        entry = _Entry(item, self._size(item), len(self.readers))
        self._account.add(entry.size)
        for reader in self.readers:
            reader.entries.append(entry)
            reader.news.set()
        return entry.size

    def enter(self) -> _Reader[Item]:
        reader = _Reader[Item]()
        self.readers.append(reader)
        self.party.join(reader.caller)
        return reader

    def finish(self, reader: _Reader[Item]) -> None:
        """Take from the reader the item that it had in hand."""
        entry = reader.entries.popleft()
        entry.readers -= 1
        if entry.readers == 0:
            self._account.remove(entry.size)
        self.taken.set()

    async def _keep_pace(self, size: int) -> None:
        """Wait until every reader has room for another item, of about that size; without room until all wait for it."""
        loop = asyncio.get_running_loop()
        while slow := self._slow(size):
            others_wait = any(not reader.entries for reader in self.readers)
            began = loop.time()
            self.taken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience_with(slow) if others_wait else None):
                    await self.taken.wait()
            if others_wait:
                self._charge(slow, loop.time() - began)

    def _slow(self, size: int) -> list[_Reader[Item]]:
        most = 1 + _AHEAD if self._account.has_room_for(size) else 1
        return [reader for reader in self.readers if len(reader.entries) >= most]

    def _patience_with(self, slow: list[_Reader[Item]]) -> float:
        return self._patience + min(reader.allowance for reader in slow)

    def _charge(self, slow: list[_Reader[Item]], seconds: float) -> None:
        """Charge each reader's own allowance first, and what is beyond it once, however many were slow."""
        beyond = max(0.0, *(seconds - reader.allowance for reader in slow))
        self._patience = max(0.0, self._patience - beyond)
        for reader in slow:
            reader.allowance = max(0.0, reader.allowance - seconds)
            if self._patience + reader.allowance < _NOTHING and reader in self.readers:
                self.readers.remove(reader)
                reader.left_behind = True
                reader.news.set()


class SharedStreams(Generic[Item]):
    """`patience` is in seconds. An item is counted in `held` by its `size`, until all readers have finished with it.

    `outline` reduces an item to what `begin` needs, for a reader that has finished with the item.
    """

    def __init__(
        self,
        held: HeldBytes | None = None,
        *,
        size: Callable[[Item], int] = lambda _: 0,
        outline: Callable[[Item], Item] = lambda item: item,
        patience: float = _PATIENCE,
        changes: Changes | None = None,
    ) -> None:
        self.held = held or HeldBytes()
        self._size = size
        self._outline = outline
        self._patience = patience
        self._changes = changes or Alone()
        self._sources: dict[Hashable, _Source[Item]] = {}

    async def join(self, key: Hashable, begin: Callable[[Item | None], AsyncGenerator[Item]]) -> AsyncGenerator[Item]:
        """Give the items of the source that `begin(None)` opens; `begin(item)` opens the rest after `item`.

        A reader has finished with an item when it asks for the next one.
        """
        source, reader = await self._enter(key, begin)
        last: Item | None = None
        try:
            while reader.entries or not (source.ended or reader.left_behind):
                if reader.entries:
                    last = self._outline(reader.entries[0].item)
                    yield reader.entries[0].item
                    source.finish(reader)
                else:
                    reader.news.clear()
                    await reader.news.wait()
            if source.error is not None and not reader.left_behind:
                raise source.error
        finally:
            await self._leave(key, source, reader)
        if reader.left_behind:
            async with aclosing(begin(last)) as rest:
                async for item in rest:
                    with self.held.holding(self._size(item)):
                        yield item
                    del item

    def forget(self) -> None:
        """Let nobody join a source that has begun before now; its readers still get all of it.

        A source that still waits for its first turn fetches all of it after this, so it stays.
        """
        self._sources = {key: source for key, source in self._sources.items() if source.party.waits}

    async def _enter(
        self, key: Hashable, begin: Callable[[Item | None], AsyncGenerator[Item]]
    ) -> tuple[_Source[Item], _Reader[Item]]:
        """Be a reader of the source that is there, also while it is not known whether that may be, or of a new one."""
        earlier = self._sources.get(key)
        if earlier is not None and not earlier.begun:
            reader, joins = earlier.enter(), False
            try:
                joins = await joinable(earlier, self._changes)
            finally:
                if not joins:
                    await self._leave(key, earlier, reader)
            if joins:
                return earlier, reader
        source = self._sources.get(key)  # another one than the earlier began after this was asked
        if source is None or source is earlier or source.begun:
            source = self._sources[key] = _Source(begin(None), self._size, self.held, self._patience)
        return source, source.enter()

    async def _leave(self, key: Hashable, source: _Source[Item], reader: _Reader[Item]) -> None:
        source.party.leave(reader.caller)
        with suppress(ValueError):
            source.readers.remove(reader)
        while reader.entries:
            source.finish(reader)
        source.taken.set()
        if source.readers:
            return
        if self._sources.get(key) is source:
            del self._sources[key]
        source.task.cancel()
        await asyncio.gather(source.task, return_exceptions=True)
