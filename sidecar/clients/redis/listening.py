"""Whether some replica hears Directus's changes: then what is shared stays when another one's feed begins.

Where nobody heard them, changes may have been missed, and what is shared is ended once. So a replica joins those whose
feed is connected in the same step in which it sees whether there are any. A feed that is lost may have been dead for
some seconds, in which the others counted on it, so its end always ends what is shared.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from sidecar.clients.redis.commands import Away, Redis
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.scripts import NOW, Script

_FRESH = 2_500_000  # us for which a sign of life counts; each replica gives one a second
_BEAT, _BEATS = 1.0, 4  # seconds; a living replica gives its next sign within so many

# KEYS: those whose feed is connected. ARGV: the replica, whether its feed is, the age in us of signs that count,
# or a moment after which they count. Gives how many others there are, and the moment.
_OTHERS = Script(
    "replicas",
    NOW
    + """
local moment = now()
if ARGV[2] == '1' then
  redis.call('ZADD', KEYS[1], string.format('%.0f', moment), ARGV[1])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
local since = tonumber(ARGV[4])
if since == 0 then since = moment - ARGV[3] end
local others = 0
local least, most = string.format('(%.0f', since), string.format('%.0f', moment)
for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], least, most)) do
  if each ~= ARGV[1] then others = others + 1 end
end
return {others, string.format('%.0f', moment)}
""",
)


class Listening:
    """`end_all` ends what is shared about everybody."""

    def __init__(self, redis: Redis, space: Space, replica: str, end_all: Callable[[], None]) -> None:
        self._redis, self._replica, self._end_all = redis, replica, end_all
        self._feeds = space.name("feeds")
        self._task: asyncio.Task[None] | None = None
        self._joining = False

    def change(self, *, connected: bool) -> None:
        """Note in the background that this replica's feed has begun or ended; what was being noted is outdated."""
        if self._task is not None and not self._task.done():
            if connected and self._joining:
                return
            self._task.cancel()
        self._joining = connected
        self._task = asyncio.create_task(self._begin() if connected else self._lose())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _begin(self) -> None:
        """A sign of another that is fresh now may be the last one of a replica that ended, so wait for its next."""
        with suppress(Away):
            others, moment = await self._others(connected=True)
            for _ in range(_BEATS if others > 0 else 0):
                await asyncio.sleep(_BEAT)
                others, _ = await self._others(connected=True, since=moment)
                if others > 0:
                    return
        self._end_all()

    async def _lose(self) -> None:
        self._end_all()
        with suppress(Away):
            await self._others(connected=False)

    async def _others(self, *, connected: bool, since: int = 0) -> tuple[int, int]:
        match await self._redis.run(_OTHERS, (self._feeds,), (self._replica, int(connected), _FRESH, since)):
            case [int(others), bytes(moment)]:
                return others, int(moment)
            case _:
                return 0, 0
