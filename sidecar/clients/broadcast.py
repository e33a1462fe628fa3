"""One source for several readers who ask for the same thing at the same moment. Knows nothing of what is read."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

from sidecar.errors import StripeUnavailable

Item = TypeVar("Item")
_AHEAD = 2  # items a reader may be behind the source
_PATIENCE = 5.0  # seconds that others wait for a slow reader before it is left behind


class _Reader(Generic[Item]):
    """The end of the source, or its error, comes as the last entry of the queue."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Item | BaseException | None] = asyncio.Queue(_AHEAD)
        self.left_behind = False


class _Source(Generic[Item]):
    def __init__(self, items: AsyncIterator[Item]) -> None:
        self.readers: list[_Reader[Item]] = []
        self.begun = False
        self._items = items
        self.task = asyncio.ensure_future(self._pump())

    async def _pump(self) -> None:
        last: BaseException | None = None
        try:
            async for item in self._items:
                self.begun = True
                await self._give(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the readers' to see
            last = error
        self.begun = True
        await self._give(last)

    async def _give(self, item: Item | BaseException | None) -> None:
        for reader in tuple(self.readers):
            patience = _PATIENCE if len(self.readers) > 1 else None
            try:
                async with asyncio.timeout(patience):
                    await reader.queue.put(item)
            except TimeoutError:
                reader.left_behind = True
                self.readers.remove(reader)


class Broadcast(Generic[Item]):
    """Readers join a source until it has given its first item; who comes later begins one anew.

    The source goes at the pace of its slowest reader, so nothing piles up; one that holds up others for long is
    left behind with an error. When the last reader goes away, the source is ended.
    """

    def __init__(self) -> None:
        self._sources: dict[Hashable, _Source[Item]] = {}

    async def join(self, key: Hashable, begin: Callable[[], AsyncIterator[Item]]) -> AsyncGenerator[Item]:
        source = self._sources.get(key)
        if source is None or source.begun:
            source = self._sources[key] = _Source(begin())
        reader = _Reader[Item]()
        source.readers.append(reader)
        try:
            while not (reader.left_behind and reader.queue.empty()):
                item = await reader.queue.get()
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
            raise StripeUnavailable("This list was read too slowly. Ask for the rest.", detail="slow reader")
        finally:
            await self._leave(key, source, reader)

    async def _leave(self, key: Hashable, source: _Source[Item], reader: _Reader[Item]) -> None:
        with suppress(ValueError):
            source.readers.remove(reader)
        if source.readers:
            return
        if self._sources.get(key) is source:
            del self._sources[key]
        source.task.cancel()
        await asyncio.gather(source.task, return_exceptions=True)
