"""What this replica shares with the others about permissions, all together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from sidecar.clients.directus.caller_keys import CallerKeys
from sidecar.clients.redis.announcements import Announcements
from sidecar.clients.redis.answers import Answers
from sidecar.clients.redis.commands import Redis
from sidecar.clients.redis.connection import Client, read_stream
from sidecar.clients.redis.listening import Listening
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.news import Listener, NewsReader
from sidecar.clients.redis.replicas import Replicas
from sidecar.core.derived_keys import derived_key
from sidecar.metrics import Metrics


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """Who shares: replicas with one of the same `secrets` and the same `about`, which names Directus and collections.

    `expected` is how many there may be.
    """

    secrets: Sequence[str]
    about: Sequence[str]
    expected: int


class Sharing:
    """`secret` is the key by whose hashes this replica's cache must know tokens."""

    def __init__(self, redis: Redis, client: Client, replica_set: ReplicaSet, metrics: Metrics) -> None:
        self.redis = redis
        own, *_ = spaces = [Space.of(secret, "permissions", *replica_set.about) for secret in replica_set.secrets]
        self.secret = _caller_secret(replica_set.secrets[0])
        self._keys = [CallerKeys(_caller_secret(secret)) for secret in replica_set.secrets]
        self._reader = NewsReader(partial(read_stream, client), own, metrics)
        self.replicas = Replicas(redis, own, self._reader, expected=replica_set.expected, metrics=metrics)
        self._announcements = Announcements(redis, spaces, self.replicas.all_passed)
        self._listening = Listening(redis, own, self.replicas.id, self._announcements.change_everybody)
        self.answers = Answers(redis, own, trusted=lambda: self._announcements.all_told, metrics=metrics)

    @asynccontextmanager
    async def running(self, listener: Listener) -> AsyncIterator[None]:
        """Hear of the others while the block runs; `listener` forgets what their news are about."""
        self._reader.listener, self._reader.passed = listener, self.replicas.tell_passed
        self._reader.missed = self._announcements.change_everybody
        await self.replicas.sign()
        tasks = [asyncio.create_task(self.replicas.run()), asyncio.create_task(self._reader.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for part in (self._listening, self._announcements, self.answers):
                await part.close()
            await self.replicas.leave()

    def follow(self, feed: Callable[[], bool]) -> None:
        """Tell the others from now on whether this replica hears Directus's changes."""
        self.replicas.feed = feed
        self.replicas.uncounted = partial(self._listening.change, connected=True)

    def change_everybody(self, cause: str) -> None:
        """Tell what the feed tells: `cause` is "change", "settled", "connected" or "lost"."""
        if cause in ("connected", "lost"):
            self._listening.change(connected=cause == "connected")
        else:
            self._announcements.change_everybody()

    def change_user(self, user: str) -> None:
        self._announcements.change_user(user)

    async def log_out(self, token: str) -> None:
        """Tell of a logout, and wait a little until all live replicas have heard it."""
        await self._announcements.log_out([keys.token(token) for keys in self._keys])


def _caller_secret(secret: str) -> bytes:
    """Give the key by whose hashes all replicas know tokens."""
    return derived_key(secret, "caller keys")
