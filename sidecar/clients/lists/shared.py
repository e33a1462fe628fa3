"""One source for several readers who ask for the same thing at the same moment. Knows nothing about what is read.

Readers join a source until it has given its first item; a later reader starts a new one. A source goes at the pace of
its slowest reader, so nothing piles up. A reader that makes the others wait too long is left behind and continues
alone, after the last item it got. When the last reader leaves, the source ends.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import aclosing, suppress
from typing import Generic, TypeVar

Item = TypeVar("Item")
_AHEAD = 2  # items that a reader may be behind its source
_PATIENCE = 2.0  # seconds, summed over a whole source, that the others wait for a slow reader


class _Reader(Generic[Item]):
    def __init__(self, patience: float) -> None:
        self.items: deque[Item] = deque()
        self.news = asyncio.Event()  # an item, the end, or being left behind
        self.patience = patience
        self.left_behind = False


class _Source(Generic[Item]):
    """`error` is the exception that ended the source; None where it ended by itself."""

    def __init__(self, items: AsyncGenerator[Item]) -> None:
        self.readers: list[_Reader[Item]] = []
        self.begun = self.ended = False
        self.error: Exception | None = None
        self.taken = asyncio.Event()  # a reader took an item, or left
        self.task = asyncio.ensure_future(self._pump(items))

    async def _pump(self, items: AsyncGenerator[Item]) -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    self.begun = True
                    for reader in self.readers:
                        reader.items.append(item)
                        reader.news.set()
                    await self._keep_pace()
        except Exception as error:  # noqa: BLE001 - every reader raises it
            self.error = error
        self.begun = self.ended = True
        for reader in self.readers:
            reader.news.set()

    async def _keep_pace(self) -> None:
        """Wait until every reader has room for another item."""
        loop = asyncio.get_running_loop()
        while slow := [reader for reader in self.readers if len(reader.items) >= _AHEAD]:
            others_wait = any(not reader.items for reader in self.readers)
            began = loop.time()
            self.taken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(reader.patience for reader in slow) if others_wait else None):
                    await self.taken.wait()
            if others_wait:
                self._charge(slow, loop.time() - began)

    def _charge(self, slow: list[_Reader[Item]], seconds: float) -> None:
        for reader in slow:
            reader.patience -= seconds
            if reader.patience <= 0 and reader in self.readers:
                self.readers.remove(reader)
                reader.left_behind = True
                reader.news.set()


class SharedStreams(Generic[Item]):
    """`patience` is in seconds."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._sources: dict[Hashable, _Source[Item]] = {}

    async def join(self, key: Hashable, begin: Callable[[Item | None], AsyncGenerator[Item]]) -> AsyncGenerator[Item]:
        """Give the items of the source that `begin(None)` opens; `begin(item)` opens the rest after `item`."""
        source = self._sources.get(key)
        if source is None or source.begun:
            source = self._sources[key] = _Source(begin(None))
        reader = _Reader[Item](self._patience)
        source.readers.append(reader)
        last: Item | None = None
        try:
            while reader.items or not (source.ended or reader.left_behind):
                if reader.items:
                    last = reader.items.popleft()
                    source.taken.set()
                    yield last
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
                    yield item

    def forget(self) -> None:
        """Let nobody join a source that has begun before now; its readers still get all of it."""
        self._sources.clear()

    async def _leave(self, key: Hashable, source: _Source[Item], reader: _Reader[Item]) -> None:
        with suppress(ValueError):
            source.readers.remove(reader)
        source.taken.set()
        if source.readers:
            return
        if self._sources.get(key) is source:
            del self._sources[key]
        source.task.cancel()
        await asyncio.gather(source.task, return_exceptions=True)
