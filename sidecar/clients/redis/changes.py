"""When a replica last told of a change at Stripe, in Redis and on its clock.

Only ages are compared, so no replica's clock counts. A moment that is missing, unreadable or ahead becomes now: then
nothing that began before may be joined. A server that cannot write, a copy for instance, fails both scripts.
"""

import asyncio
from collections.abc import Sequence

from sidecar.clients.redis.commands import Away, Redis
from sidecar.clients.redis.scripts import NOW, Script

LIFE = 86_400_000  # milliseconds for which Redis keeps the moment after it was last asked for
_PAUSE = 0.5  # seconds before a change that Redis did not hear of is told again
_SURE = 0.9  # of an age, since a clock that is being set may run faster than ours (chrony: by 8.3 %)
_NEVER = float("inf")
_MICROSECONDS = 1_000_000

_KEEP = """
local function keep(moment)
  redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', ARGV[1])
end
"""
TELL = Script("changes", f"{NOW}{_KEEP}keep(now())\nreturn 0\n")
AGE = Script(
    "changes",
    f"""{NOW}{_KEEP}
local present, found = now(), redis.pcall('GET', KEYS[1])
local moment = present
if type(found) == 'string' and string.find(found, '^%d+$') and tonumber(found) <= present then
  moment = tonumber(found)
end
keep(moment)
return present - moment
""",
)


class SharedChanges:
    """The moment under the first of these names; a change is told under all of them, one for each secret.

    Close it before what runs its scripts.
    """

    def __init__(self, redis: Redis, names: Sequence[str]) -> None:
        self._redis = redis
        self._names = names
        self._made = self._told = self._owed = 0  # numbers of changes: the last one, and until which Redis heard of all
        self._telling: asyncio.Task[None] | None = None
        self._look: asyncio.Task[float] | None = None
        self._next: asyncio.Task[float] | None = None

    async def tell(self) -> None:
        """Where Redis is away, tell it as soon as it is back."""
        self._made += 1
        number = self._made
        try:
            await self._try_to_tell()
        finally:  # also if the request is canceled
            if self._told < number:
                self._owed = number
                self._tell_later()

    async def none_since(self, began: float) -> bool:
        """Look after this was asked, together with all who ask until that look begins."""
        if self._next is None:
            self._next = asyncio.create_task(self._look_after(self._look))
        return began > await asyncio.shield(self._next)

    async def close(self) -> None:
        for task in (self._telling, self._look, self._next):
            if task is not None:
                task.cancel()
                await asyncio.wait((task,))

    async def _try_to_tell(self) -> None:
        number = self._made
        try:
            await asyncio.gather(*(self._redis.run(TELL, (name,), (LIFE,)) for name in self._names))
        except Away:
            return
        self._told = max(self._told, number)

    def _tell_later(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_until_told())

    async def _tell_until_told(self) -> None:
        while self._told < self._owed:
            await asyncio.sleep(_PAUSE)
            if self._told < self._owed:
                await self._try_to_tell()

    async def _look_after(self, other: asyncio.Task[float] | None) -> float:
        """Give the moment since which there was no change for sure, in the event loop's time."""
        if other is not None:
            await asyncio.wait((other,))
        self._look, self._next = self._next, None
        try:
            age = await self._redis.run(AGE, self._names[:1], (LIFE,))
        except Away:
            return _NEVER
        if not isinstance(age, int):
            return _NEVER
        return asyncio.get_running_loop().time() - _SURE * max(0, age) / _MICROSECONDS
