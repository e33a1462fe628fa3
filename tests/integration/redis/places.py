"""Where the scripts about changes at Stripe run: in memory and on a server, without a deadline."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, cast

from redis.asyncio import Redis as Client
from redis.exceptions import RedisError

from sidecar.clients.redis.changes import LIFE
from sidecar.clients.redis.commands import Away
from sidecar.clients.redis.scripts import Script
from tests.doubles.redis.memory import RedisMemory

NAME = "sidecar:{tag}:changes"


class Place(Protocol):
    """Its clock and the moment are in microseconds."""

    async def run(self, script: Script) -> int:
        """Raises Away where the script fails."""

    async def now(self) -> int: ...

    async def put(self, value: bytes | list[bytes]) -> None: ...

    async def moment(self) -> int: ...

    async def left(self) -> int:
        """Give the milliseconds for which the moment is kept."""

    async def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Memory:
    memory: RedisMemory

    async def run(self, script: Script) -> int:
        age = await self.memory.run(script, (NAME,), (LIFE,))
        assert isinstance(age, int)
        return age

    async def now(self) -> int:
        return round(self.memory.now() * 1_000_000)

    async def put(self, value: bytes | list[bytes]) -> None:
        self.memory.put(NAME, value)

    async def moment(self) -> int:
        stored = self.memory.keys[NAME.encode()].value
        assert isinstance(stored, bytes)
        return int(stored)

    async def left(self) -> int:
        until = self.memory.keys[NAME.encode()].until
        assert until is not None
        return round((until - self.memory.now()) * 1000)

    async def flush(self) -> None:
        self.memory.flush()


@dataclass(frozen=True, slots=True)
class Server:
    client: Client

    async def run(self, script: Script) -> int:
        try:
            age = await cast("Awaitable[int]", self.client.eval(script.text, 1, NAME, str(LIFE)))
        except RedisError as error:
            raise Away(str(error)) from error
        return age

    async def now(self) -> int:
        seconds, microseconds = await self.client.time()
        return int(seconds) * 1_000_000 + int(microseconds)

    async def put(self, value: bytes | list[bytes]) -> None:
        await self.client.delete(NAME)
        if isinstance(value, bytes):
            await self.client.set(NAME, value)
        else:
            await self.client.rpush(NAME, *value)

    async def moment(self) -> int:
        found = await self.client.get(NAME)
        assert isinstance(found, bytes)
        return int(found)

    async def left(self) -> int:
        return int(await self.client.pttl(NAME))

    async def flush(self) -> None:
        await self.client.flushall()
