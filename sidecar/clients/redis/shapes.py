"""The shapes of whole lists for all replicas: the first list of one uses what another has read.

Each list has one of a fixed number of places, so shapes take some megabytes of Redis at most, and of two lists with one
place the last that was read counts. A shape is sealed, since its numbers tell how business goes, and bound to its list.
"""

import asyncio
from contextlib import suppress

from sidecar.clients.lists.shapes import LIFE, MOST_BYTES, ListName, LocalShapes, Shape, read_shape
from sidecar.clients.redis.background import Background
from sidecar.clients.redis.commands import Away, Redis, Reply
from sidecar.clients.redis.names import Space, Unreadable
from sidecar.clients.redis.scripts import STORED, Script

_PLACES = 1_024
_PATIENCE = 0.05  # seconds that a list waits
_SEALED = MOST_BYTES + 64  # bytes

# KEYS: the place. ARGV: how long what stands there may be.
LOOK = Script(
    "shapes",
    STORED
    + """
local found = stored(KEYS[1])
return type(found) == 'string' and #found <= tonumber(ARGV[1]) and found
""",
)
# KEYS: the place. ARGV: the sealed shape, its life in ms.
KEEP = Script("shapes", "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1")


class SharedShapes:
    """What this process has read itself it does not ask for. Close it before what runs its scripts."""

    def __init__(self, redis: Redis, space: Space) -> None:
        self._redis, self._space = redis, space
        self._local = LocalShapes()
        self._background = Background()

    def known(self, name: ListName) -> Shape | None:
        return self._local.known(name)

    async def find(self, name: ListName) -> Shape | None:
        own, place = self._names(name)
        reply: Reply = None
        with suppress(Away, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                reply = await self._redis.run(LOOK, (place,), (_SEALED,))
        if not isinstance(reply, bytes):
            return None
        try:
            return read_shape(self._space.open(own, reply))
        except Unreadable:  # also what is another list's
            return None

    def keep(self, name: ListName, shape: Shape) -> None:
        self._local.keep(name, shape)
        self._background.start(self._share(name, shape.write()))

    async def aclose(self) -> None:
        await self._background.finish()

    async def _share(self, name: ListName, content: bytes) -> None:
        own, place = self._names(name)
        with suppress(Away):
            await self._redis.run(KEEP, (place,), (self._space.close(own, content), 1000 * LIFE))

    def _names(self, name: ListName) -> tuple[str, str]:
        """Give the list's own name, to which its shape is bound, and its place."""
        own = self._space.name("shape", *name)
        number = int(own.rpartition(":")[2], 16) % _PLACES
        return own, self._space.name("place", str(number))
