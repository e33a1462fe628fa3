"""What stands in a test's Redis, read and changed by somebody who may do everything there."""

import re
from collections.abc import Awaitable
from typing import Any, cast

from redis.asyncio import Redis

_ANSWER = re.compile(rb"([0-9a-fq-]+\|){3}")


class Contents(dict[str, bytes]):
    """All keys, each with all of its value as bytes."""

    def __init__(self, client: Redis) -> None:
        super().__init__()
        self._client = client

    async def load(self) -> None:
        self.clear()
        async for key in self._client.scan_iter():
            self[key.decode()] = await self._value(key)

    def answers(self) -> list[str]:
        """Give the names of answers that are shared."""
        return [name for name, value in self.items() if _ANSWER.match(value)]

    def marks(self, name: str) -> bytes:
        """Give the marks before an answer."""
        return b"|".join([*self[name].split(b"|", 3)[:3], b""])

    async def load_answers(self) -> list[str]:
        await self.load()
        return self.answers()

    async def answer(self) -> tuple[str, bytes, bytes]:
        """Give the name, the marks and the sealed value of the one answer that is shared."""
        (name,) = await self.load_answers()
        marks = self.marks(name)
        return name, marks, self[name].removeprefix(marks)

    async def texts(self) -> list[str]:
        """Give the names of all keys that are texts: marks and answers."""
        return [name for name in self if await self._client.type(name) == b"string"]

    async def write(self, key: str, value: bytes) -> None:
        """Replace a value, whose key keeps its life."""
        await self._client.set(key, value, keepttl=True)

    async def write_for_ever(self, key: str) -> None:
        await self._client.persist(key)

    async def replace_by_list(self, key: str) -> None:
        await self._client.delete(key)
        await self._client.rpush(key, "x")

    async def streams(self) -> list[str]:
        return [name for name in self if await self._client.type(name) == b"stream"]

    async def add(self, stream: str, identity: bytes) -> None:
        await self._client.xadd(stream, {b"news": b"x"}, id=identity)

    async def empty(self, stream: str) -> None:
        await self._client.xtrim(stream, maxlen=0, approximate=False)

    async def put(self, key: str, value: bytes, milliseconds: int) -> None:
        await self._client.set(key, value, px=milliseconds)

    async def prolong(self, key: str, milliseconds: int) -> None:
        await self._client.pexpire(key, milliseconds)

    async def announce(self, stream: str, news: bytes) -> None:
        """Add an entry after the last one, as a replica does."""
        entries = await self._client.xrevrange(stream, count=1)
        assert entries
        last = entries[0][0]
        await self._client.xadd(stream, {b"before": last or b"", b"news": news})

    async def _value(self, key: bytes) -> bytes:
        kind = await self._client.type(key)
        match kind:
            case b"string":
                value: Any = await self._client.get(key)
            case b"zset":
                value = await self._client.zrange(key, 0, -1, withscores=True)
            case b"hash":
                value = await cast("Awaitable[Any]", self._client.hgetall(key))
            case b"stream":
                value = await self._client.xrange(key)
            case _:
                raise AssertionError(f"nothing writes a {kind!r}")
        return value if isinstance(value, bytes) else _flat(value)


def _flat(value: Any) -> bytes:  # noqa: ANN401 - whatever a reply is made of
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict):
        value = [part for pair in value.items() for part in pair]
    if isinstance(value, list | tuple):
        return b" ".join(_flat(each) for each in value)
    return str(value).encode()
