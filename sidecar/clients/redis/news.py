"""What replicas tell each other about permissions: changes of everybody's or one user's, and logouts.

They are entries of one stream. Each names the one before it, so a replica sees when it missed some (trimmed, or
another server after a failover), and then forgets everything once. What cannot be read counts as a change of everybody:
another version may say there what this one does not know.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from sidecar.clients.redis.commands import within
from sidecar.clients.redis.names import Space, Unreadable
from sidecar.metrics import Metrics

_log = logging.getLogger(__name__)
_PATIENCE = 1.25  # seconds for one reading
_PAUSE = 0.2  # seconds before the next try
Entry = tuple[bytes, Mapping[bytes, bytes]]
Read = Callable[[str, bytes], Awaitable[Sequence[Entry]]]


class About(Enum):
    EVERYBODY = b"e"
    USER = b"u"
    TOKEN = b"t"  # logged out


@dataclass(frozen=True, slots=True)
class News:
    """`whose` is the user's ID, or the hash of a token as the replicas' caches have it."""

    about: About
    whose: bytes = b""

    def written(self) -> bytes:
        return self.about.value + self.whose

    @classmethod
    def read(cls, content: bytes) -> "News":
        """Raises Unreadable."""
        try:
            return cls(About(content[:1]), content[1:])
        except ValueError:
            raise Unreadable("of an unknown kind") from None


class Listener(Protocol):
    """What a replica does with news."""

    def purge(self, cause: str) -> None:
        """`cause` is "told", or "gap" where news were missed."""

    def forget_user(self, user: str) -> None: ...

    def forget_token(self, token: bytes) -> None: ...


class Nobody:
    """Who has nothing to forget yet."""

    def purge(self, cause: str) -> None: ...

    def forget_user(self, user: str) -> None: ...

    def forget_token(self, token: bytes) -> None: ...


class NewsReader:
    """`position` is the last entry that was passed to the `listener`, and `passed` is called after each batch.

    `missed` is called where some are gone: the server may have lost with them what ended answers.
    `read` gives the entries of a stream after one, and waits for some at most a second; `hears` says whether it could.
    """

    def __init__(self, read: Read, space: Space, metrics: Metrics | None = None) -> None:
        self._read, self._space = read, space
        self._errors = (metrics or Metrics()).shared_errors.labels("news")
        self._stream = space.name("news")
        self.listener: Listener = Nobody()
        self.passed: Callable[[], None] = lambda: None
        self.missed: Callable[[], None] = lambda: None
        self.position: bytes | None = None
        self.hears = True

    async def run(self) -> None:
        """Read until canceled. While Redis does not answer, the place is kept."""
        while True:
            try:
                self.hear(await within(_PATIENCE, self._next))
            except Exception:  # noqa: BLE001 - without a retry, what others tell would be heard no more
                self.hears = False
                self._errors.inc()
                await asyncio.sleep(_PAUSE)
            else:
                self.hears = True

    def compare(self, last: bytes, before: bytes | None) -> None:
        """Hear from a sign of life what the stream's last entry is; `before` is the position when the sign was sent.

        The first time that is where to begin, and who had no Redis until now may have missed news. Later the stream
        cannot end before what was read from it, unless it is another one.
        """
        if self.position is None or (before is not None and order(last) < order(before)):
            self._miss(last)

    async def _next(self) -> Sequence[Entry]:
        if self.position is None:
            await asyncio.sleep(_PAUSE)
            return ()
        return await self._read(self._stream, self.position)

    def hear(self, entries: Sequence[Entry]) -> None:
        """Take entries of the stream, in its order, that come after the position."""
        for identity, fields in entries:
            if fields.get(b"before") != self.position:
                self._miss(identity)
            else:
                self._pass(fields.get(b"news", b""))
            self.position = identity
        if entries:
            self.passed()

    def _pass(self, sealed: bytes) -> None:
        if not sealed:
            return
        try:
            news = News.read(self._space.open(self._stream, sealed))
        except Unreadable:
            news = News(About.EVERYBODY)
        match news.about:
            case About.EVERYBODY:
                self.listener.purge("told")
            case About.USER:
                self.listener.forget_user(news.whose.decode())
            case About.TOKEN:
                self.listener.forget_token(news.whose)

    def _miss(self, position: bytes) -> None:
        if self.position is not None:
            _log.warning("news of other replicas were missed, so all remembered permissions are forgotten")
            self.missed()
        self.position = position
        self.listener.purge("gap")


def order(identity: bytes) -> tuple[int, int]:
    """Give an entry's ID in the order of the stream."""
    milliseconds, _, number = identity.partition(b"-")
    return int(milliseconds), int(number or 0)
