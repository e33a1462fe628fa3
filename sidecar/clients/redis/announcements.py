"""Tells other replicas of changes and logouts, and ends at once what is shared about whom they concern.

What cannot be told now is owed: it is tried again until it is told. Until then this replica looks up nothing in Redis,
since other replicas do not know yet what it knows. Redis gets each change under every secret that is in use, so that
during a replacement replicas with another first secret hear it too.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress

from sidecar.clients.redis.background import Background
from sidecar.clients.redis.commands import Away, Redis
from sidecar.clients.redis.marks import ANNOUNCE
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.news import About, News

_WINDOW = 200_000  # us in which the same change, heard by several replicas, counts once
_LIFE = 7_200_000  # ms of a mark; longer than any answer is kept
_QUIET = 60_000  # ms after a logout; until Directus has heard of it, it still accepts the token
_KEPT = 10_000  # entries of the stream
_PAUSE = 0.5  # seconds between tries to tell what is owed
_MOST_OWED = 1_000
_Item = tuple[Space, News]


class Announcements:
    """`spaces`: that of the first secret first, in which this replica reads. `passed` waits for the other replicas."""

    def __init__(
        self, redis: Redis, spaces: Sequence[Space], passed: Callable[[bytes], Coroutine[object, object, None]]
    ) -> None:
        self._redis, self._spaces, self._passed = redis, spaces, passed
        self._owed: dict[_Item, object] = {}  # each with what is new for each change
        self._background = Background()
        self._payer: asyncio.Task[None] | None = None

    @property
    def all_told(self) -> bool:
        """Whether everybody can know what this replica knows, also of what it has just begun to tell."""
        return not self._owed

    def change_everybody(self) -> None:
        self._in_background([(space, News(About.EVERYBODY)) for space in self._spaces])

    def change_user(self, user: str) -> None:
        news = News(About.USER, user.lower().encode())
        self._in_background([(space, news) for space in self._spaces])

    async def log_out(self, tokens: Sequence[bytes]) -> None:
        """Tell of a logout, and wait a little until all live replicas have passed it; `tokens` has a hash per space."""
        items = [(space, News(About.TOKEN, token)) for space, token in zip(self._spaces, tokens, strict=True)]
        own, *_ = self._in_background(items)
        entry = await asyncio.shield(own)  # the request may end before
        if entry is not None:
            await self._passed(entry)

    async def close(self) -> None:
        """Give what is under way the time of its commands, and try once more to tell what is owed; the rest is lost."""
        await self._background.finish()
        if self._payer is not None:
            self._payer.cancel()
            await asyncio.wait((self._payer,))
        await self.pay()

    async def pay(self) -> None:
        """Try once to tell what is owed."""
        with suppress(Away):
            for item, change in tuple(self._owed.items()):
                await self._announce(item, change)

    def _in_background(self, items: Sequence[_Item]) -> Sequence[asyncio.Task[bytes | None]]:
        """Owe these at once, and try to tell them. Each gives its entry of the stream, if one was made now."""
        changes = {item: object() for item in items}
        self._owed |= changes
        return [self._background.start(self._tell(item, change)) for item, change in changes.items()]

    async def _tell(self, item: _Item, change: object) -> bytes | None:
        try:
            return await self._announce(item, change)
        except Away:
            self._pay_later()
            return None

    def _pay_later(self) -> None:
        if len(self._owed) > _MOST_OWED:
            self._owed = {(space, News(About.EVERYBODY)): object() for space in self._spaces}
        if self._payer is None or self._payer.done():
            self._payer = asyncio.create_task(self._pay_all())

    async def _pay_all(self) -> None:
        while self._owed:
            await asyncio.sleep(_PAUSE)
            await self.pay()

    async def _announce(self, item: _Item, change: object) -> bytes | None:
        """Raises Away. Gives None where another replica has just told the same."""
        space, news = item
        stream = space.name("news")
        logout = news.about is About.TOKEN
        entry = await self._redis.run(
            ANNOUNCE,
            (stream, *_marks(space, news)),
            (
                secrets.token_hex(8),
                _QUIET if logout else _LIFE,
                "q" if logout else "",
                0 if logout else _WINDOW,
                space.close(stream, news.written()),
                _KEPT,
            ),
        )
        if self._owed.get(item) is change:
            del self._owed[item]
        return entry if isinstance(entry, bytes) else None


def _marks(space: Space, news: News) -> tuple[str, ...]:
    match news.about:
        case About.EVERYBODY:
            return (space.name("everybody"),)
        case About.USER:
            return space.name("user", news.whose), space.name("users")
        case About.TOKEN:
            return (space.name("token", news.whose),)
