"""Which replicas live, and how far each has read the news. Each tells it once a second, on Redis's clock."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

from sidecar.clients.redis.background import Background
from sidecar.clients.redis.commands import Away, Redis
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.news import NewsReader
from sidecar.clients.redis.scripts import NOW, STREAM, Script
from sidecar.metrics import Metrics

_BEAT = 1.0  # seconds
_LIFE = 3_000_000  # us after its last sign a replica counts as gone
_DAY = 86_400_000  # ms that keys of a service that ended stay
_PATIENCE = 0.05  # seconds for which a logout waits for the other replicas
_POLL = 0.003  # seconds

# KEYS: replicas, those whose feed is connected, how far each has read, the stream, everybody's mark.
# A stream begins with an entry without news, so that none was lost unnoticed before the first. Signs from the future
# go: another server, whose clock was ahead, had them.
# ARGV: the replica, whether its feed is connected, how far it has read, the life in us, a day in ms.
_SIGN = Script(
    "replicas",
    NOW
    + STREAM
    + """
local moment = now()
replace_foreign('ZCARD', KEYS[1])
replace_foreign('ZCARD', KEYS[2])
replace_foreign('HGET', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[1], string.format('%.0f', moment), ARGV[1])
local counted = redis.call('ZSCORE', KEYS[2], ARGV[1])
if ARGV[2] == '1' and counted then redis.call('ZADD', KEYS[2], string.format('%.0f', moment), ARGV[1]) end
local function remove(from, to)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], from, to)) do
    redis.call('ZREM', KEYS[1], gone)
    redis.call('ZREM', KEYS[2], gone)
    redis.call('HDEL', KEYS[3], gone)
  end
end
remove('-inf', string.format('%.0f', moment - ARGV[4]))
remove(string.format('(%.0f', moment), '+inf')
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
for each = 1, #KEYS do redis.call('PEXPIRE', KEYS[each], ARGV[5]) end
return {redis.call('ZCARD', KEYS[1]), last_entry(KEYS[4]) or add_entry(KEYS[4], 1, ''), counted and 1 or 0}
""",
)
_LEAVE = Script(
    "replicas",
    """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
return 1
""",
)
_PASSED = Script("news", "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) return 1")
# KEYS: replicas, how far each has read. ARGV: the replica that asks, an entry, the life in us.
_BEHIND = Script(
    "news",
    NOW
    + """
local function number(id)
  local first, second = string.match(id or '', '^(%d+)%-(%d+)$')
  return tonumber(first or '0'), tonumber(second or '0')
end
local wanted, within = number(ARGV[2])
local behind = 0
local moment = now()
local least, most = string.format('%.0f', moment - ARGV[3]), string.format('%.0f', moment)
for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], least, most)) do
  local at, nth = number(redis.call('HGET', KEYS[2], each) or nil)
  if each ~= ARGV[1] and (at < wanted or (at == wanted and nth < within)) then behind = behind + 1 end
end
return behind
""",
)


class Replicas:
    """`count` is how many were last seen, at first `expected`. `up`: the last sign was answered and news are read.

    `feed` says whether this one hears Directus's feed. `uncounted` is called if it does and does not count among those
    that do, where `Listening` alone adds it.
    """

    def __init__(self, redis: Redis, space: Space, reader: NewsReader, *, expected: int, metrics: Metrics) -> None:
        self._redis, self._reader, self._metrics = redis, reader, metrics
        self._keys = [space.name(kind) for kind in ("replicas", "feeds", "passed", "news", "everybody")]
        self.id = secrets.token_hex(8)
        self.count = expected
        self.feed: Callable[[], bool] = lambda: False
        self.uncounted: Callable[[], None] = lambda: None
        self._answered = False
        self._background = Background()
        metrics.shared_up.set_function(lambda: self.up)

    @property
    def up(self) -> bool:
        return self._answered and self._reader.hears

    async def run(self) -> None:
        while True:
            await self.sign()
            await asyncio.sleep(_BEAT)

    async def sign(self) -> None:
        """Give a sign of life, and hear how many replicas do and what the last news are."""
        before = self._reader.position
        arguments = (self.id, int(self.feed()), before or b"0-0", _LIFE, _DAY)
        try:
            match await self._redis.run(_SIGN, self._keys, arguments):
                case [int(count), bytes(last), int(counted)] if count > 0:
                    self.count = count
                    self._reader.compare(last, before)
                    self._metrics.replicas.set(count)
                    self._answered = True
                    if self.feed() and not counted:
                        self.uncounted()
        except (Away, ValueError):  # the latter from what is no entry's ID
            self._answered = False

    async def leave(self) -> None:
        with suppress(Away):
            await self._redis.run(_LEAVE, self._keys[:3], (self.id,))

    def tell_passed(self) -> None:
        """Tell the others in the background how far the news were read."""
        self._background.start(self._tell(self._reader.position or b"0-0"))

    async def _tell(self, position: bytes) -> None:
        with suppress(Away):
            await self._redis.run(_PASSED, (self._keys[2],), (self.id, position))

    async def all_passed(self, entry: bytes) -> None:
        """Wait until every other replica has passed this entry on, but not long."""
        with suppress(Away, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while await self._behind(entry):  # noqa: ASYNC110 - the others are other processes
                    await asyncio.sleep(_POLL)

    async def _behind(self, entry: bytes) -> bool:
        return await self._redis.run(_BEHIND, (self._keys[0], self._keys[2]), (self.id, entry, _LIFE)) != 0
