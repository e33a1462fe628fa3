"""Redis as far as the scripts of `changes` know it, in memory. Contract tests compare it with a real one."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sidecar.clients.redis.changes import AGE, TELL
from sidecar.clients.redis.commands import Argument, Away
from sidecar.clients.redis.scripts import Script

Value = str | list[str]


def at_once() -> float:
    return 0.0


@dataclass
class Moments:
    """`clock` gives microseconds. `delay` gives the seconds to Redis, and then those back; `runs` are the scripts run.

    `away`: nothing gets there. `deaf`: everything is done, and no answer comes back.
    """

    clock: Callable[[], int]
    delay: Callable[[], float] = at_once
    away: bool = False
    deaf: bool = False
    runs: list[Script] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    until: dict[str, int] = field(default_factory=dict)  # in milliseconds of the clock

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> object:
        await asyncio.sleep(self.delay())
        if self.away:
            raise Away("away")
        reply = self._done(script, *keys, *map(int, arguments))
        await asyncio.sleep(self.delay())
        if self.deaf:
            raise Away("deaf")
        return reply

    async def now(self) -> int:
        return self.clock()

    async def put(self, name: str, value: Value) -> None:
        self.values[name] = value
        self.until.pop(name, None)

    async def get(self, name: str) -> Value | None:
        self._expire(name)
        return self.values.get(name)

    async def left(self, name: str) -> int:
        """Give the milliseconds until the value is gone."""
        return self.until[name] - self.clock() // 1000

    async def flush(self) -> None:
        self.values.clear()
        self.until.clear()

    def _done(self, script: Script, name: str, life: int) -> int:
        self.runs.append(script)
        self._expire(name)
        present = moment = self.clock()
        found = self.values.get(name)
        if script is AGE:
            readable = isinstance(found, str) and re.fullmatch("[0-9]+", found)
            moment = min(int(found), present) if isinstance(found, str) and readable else present
        else:
            assert script is TELL
        self.values[name] = str(moment)
        self.until[name] = present // 1000 + life
        return present - moment if script is AGE else 0

    def _expire(self, name: str) -> None:
        if name in self.until and self.until[name] <= self.clock() // 1000:
            self.values.pop(name, None)
            del self.until[name]
