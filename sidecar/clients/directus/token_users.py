"""The user of each static token, so that a token is not forgotten when another user changes.

Directus keeps a static token in its user's row (`directus_users.token`), so a token comes to a user, and leaves it,
only with a change of that user. So a token has the same user for as long as no change of that user is heard. A change
that the feed cannot announce, made in the database, counts after one lifetime, as it does for permissions.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cachetools import TLRUCache

from sidecar.clients.directus.freshness import Freshness
from sidecar.errors import CredentialRefused, DirectusUnavailable


@dataclass(frozen=True, slots=True)
class _Told:
    """`user` is None where Directus names none. `since` is a moment of Freshness, `until` is on the timer."""

    user: str | None
    since: int
    until: float


def _until(_token: bytes, told: _Told, _now: float) -> float:
    return told.until


class TokenUsers:
    """Tokens go by a hash. `ttl` is in seconds on `timer`, which must be monotonic."""

    def __init__(self, changes: Freshness, *, ttl: float, size: int, timer: Callable[[], float]) -> None:
        self._changes = changes
        self._ttl, self._timer = ttl, timer
        self._told = TLRUCache[bytes, _Told](size, _until, timer)
        self._asking: dict[bytes, asyncio.Task[None]] = {}

    def cover(self, token: bytes, moment: int) -> bool:
        """Say whether a question of this moment was about a user who is known and has not changed since."""
        told = self._current(token)
        return told is not None and told.user is not None and told.since <= moment

    def find_out(self, token: bytes, ask: Callable[[], Awaitable[str | None]]) -> None:
        """Ask in the background unless it is known. Without an answer it stays unknown, until this is called again."""
        if token in self._asking or self._current(token) is not None:
            return
        self._asking[token] = task = asyncio.create_task(self._ask(token, ask))
        task.add_done_callback(lambda _: self._asking.pop(token))

    async def _ask(self, token: bytes, ask: Callable[[], Awaitable[str | None]]) -> None:
        asked, moment = self._timer(), self._changes.moment
        try:
            user = await ask()
        except (CredentialRefused, DirectusUnavailable):
            return
        self.learn(token, user, asked, moment)

    def learn(self, token: bytes, user: str | None, asked: float, moment: int) -> None:
        """Note the answer to a question that was asked then.

        It counts for what is asked from now on: before the last change the token may have been another user's. Where
        the user itself changed while Directus answered, the token may have left it, and nothing is known.
        """
        told = self._current(token)
        if told is not None and told.user == user:
            return
        self._told.pop(token, None)
        if user is None or self._changes.covers(user, moment):
            self._told[token] = _Told(user, self._changes.moment, asked + self._ttl)

    def _current(self, token: bytes) -> _Told | None:
        """Give what is known. For one lifetime it may be known that a token has no user; `cover` then says no."""
        told = self._told.get(token)
        if told is None or told.user is None or self._changes.covers(told.user, told.since):
            return told
        return None
