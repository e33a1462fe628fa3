"""The double of Redis in memory, at a distance: a script takes time to get there, and so does its answer."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sidecar.clients.redis.commands import Argument, Away, Reply
from sidecar.clients.redis.scripts import Script
from tests.doubles.redis.memory import RedisMemory


@dataclass
class DistantRedis:
    """`delay` gives the seconds of each way. `deaf`: what is asked is done, and no answer comes. `runs` was done."""

    memory: RedisMemory
    delay: Callable[[], float]
    deaf: bool = False
    runs: list[Script] = field(default_factory=list)

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Reply:
        await asyncio.sleep(self.delay())
        reply = await self.memory.run(script, keys, arguments)
        self.runs.append(script)
        await asyncio.sleep(self.delay())
        if self.deaf:
            raise Away("no answer")
        return reply
