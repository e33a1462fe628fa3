"""A read-through cache of permissions: a decorator around their source, with the same interface.

It has two memories. One keeps callers to whom something is granted. The other, a tenth of its size, keeps callers to
whom nothing is: a flood of made-up tokens ends there and evicts nobody in use. "Could not ask" is an exception and
never stored. This module knows no HTTP.
"""

import hmac
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from cachetools import TLRUCache

from sidecar.clients.directus.singleflight import SingleFlight
from sidecar.context import note
from sidecar.core.access.credentials import Credential, expires_at
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Permissions
from sidecar.core.interfaces import CallerSource
from sidecar.errors import CredentialRefused
from sidecar.metrics import Metrics

_JITTER = 0.1  # the share by which a lifetime is shortened at random, so that entries do not expire together
_BUCKETS = 65_536  # logouts are marked by the first two bytes of a token's hash
_REFUSED_SHARE = 10  # the memory of refused callers is this many times smaller


@dataclass(frozen=True, slots=True)
class _Entry:
    """What Directus said. A yes in it counts until `yes_until`, a no until `no_until`, on the cache's timer.

    `identity` is None until it was asked for.
    """

    said: Permissions | CredentialRefused
    yes_until: float
    no_until: float
    identity: Identity | None = None

    @property
    def grants_something(self) -> bool:
        return isinstance(self.said, Permissions) and len(self.said.grants) > 0

    def answers(self, granted: Callable[[Permissions], bool], now: float) -> bool:
        """Say whether the entry may still be used for a question to which only `granted` counts as a yes."""
        yes = isinstance(self.said, Permissions) and granted(self.said)
        return now < (self.yes_until if yes else self.no_until)


def _expires(_key: bytes, entry: _Entry, _now: float) -> float:
    return entry.yes_until if entry.grants_something else entry.no_until


def any_grant(permissions: Permissions) -> bool:
    return len(permissions.grants) > 0


def _bucket(key: bytes) -> int:
    return int.from_bytes(key[:2], "big")


class PermissionCache:
    """Times are in seconds. `timer` must be monotonic; `clock` is wall time and only compared with a token's `exp`."""

    def __init__(
        self,
        source: CallerSource,
        *,
        ttl: float,
        denied_ttl: float,
        size: int,
        metrics: Metrics | None = None,
        timer: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._ttl, self._denied_ttl = ttl, denied_ttl
        self._timer, self._clock = timer, clock
        self._granted = TLRUCache[bytes, _Entry](size, _expires, timer)
        self._refused = TLRUCache[bytes, _Entry](max(1, size // _REFUSED_SHARE), _expires, timer)
        self._muted = [0.0] * _BUCKETS
        self._metrics = metrics or Metrics()
        self._flights = SingleFlight[_Entry]()
        self._identities = SingleFlight[Identity]()
        self._secret = secrets.token_bytes(32)
        self._generation = 0

    async def permissions(
        self, credential: Credential, granted: Callable[[Permissions], bool] = any_grant
    ) -> Permissions:
        """Give what Directus said within the lifetime of such an answer; `granted` tells a yes from a no.

        A no lives shorter. Raises CredentialRefused, and DirectusUnavailable when there is no answer.
        """
        key = self._fingerprint(credential)
        entry = self._recall(key, granted)
        if entry is not None:
            self._count("hit")
        elif self._is_muted(key):
            self._count("asked")
            entry = await self._ask(credential)
        else:
            entry = await self._ask_together(key, credential)
        if isinstance(entry.said, CredentialRefused):
            raise CredentialRefused(entry.said.code)
        return entry.said

    async def identity(self, credential: Credential) -> Identity:
        """Say who this is, kept as long as its permissions are. Raises DirectusUnavailable."""
        key = self._fingerprint(credential)
        entry = self._granted.get(key)
        if entry is not None and entry.identity is not None:
            return entry.identity
        flight = (self._generation, key)
        return await self._identities.run(flight, lambda: self._identify(key, credential))

    async def _identify(self, key: bytes, credential: Credential) -> Identity:
        entry = self._granted.get(key)
        identity = await self._source.identity(credential)
        if entry is not None and self._granted.get(key) is entry:
            self._granted[key] = replace(entry, identity=identity)
        return identity

    def forget(self, credential: Credential) -> None:
        """Store nothing about this token, from any address, until everything stored before has expired.

        The token is about to be logged out, perhaps a moment from now, so answers given in between must not be stored
        either. The mark is on the token's bucket: it costs the few tokens that share it a question per request, but it
        can neither grow nor be evicted by others.
        """
        self._muted[_bucket(self._fingerprint(credential))] = self._timer() + self._ttl

    def purge(self, cause: str = "change") -> None:
        """Forget everything; answers to questions under way are neither stored nor shared with later requests."""
        self._metrics.purges.labels(cause).inc()
        self._generation += 1
        self._granted.clear()
        self._refused.clear()

    def _recall(self, key: bytes, granted: Callable[[Permissions], bool]) -> _Entry | None:
        if self._is_muted(key):
            return None
        entry = self._granted.get(key) or self._refused.get(key)
        return entry if entry is not None and entry.answers(granted, self._timer()) else None

    async def _ask_together(self, key: bytes, credential: Credential) -> _Entry:
        """Share one question with all requests of this caller that arrive before it is answered."""
        flight = (self._generation, key)  # none from before a purge
        self._count("shared" if self._flights.under_way(flight) else "asked")
        return await self._flights.run(flight, lambda: self._ask_and_store(key, credential))

    async def _ask_and_store(self, key: bytes, credential: Credential) -> _Entry:
        """Store inside the flight: a request that arrives as the flight ends finds the answer."""
        generation = self._generation
        entry = await self._ask(credential)
        if generation == self._generation and not self._is_muted(key):
            self._store(key, entry)
        return entry

    async def _ask(self, credential: Credential) -> _Entry:
        asked = self._timer()  # Directus may change its mind while it answers, so an answer is as old as its question
        said: Permissions | CredentialRefused
        try:
            said = await self._source.permissions(credential)
        except CredentialRefused as refusal:
            said = refusal
        exp = expires_at(credential.token)
        left = float("inf") if exp is None else exp - self._clock() + (self._timer() - asked)
        return _Entry(said, asked + self._lifetime(self._ttl, left), asked + self._lifetime(self._denied_ttl, left))

    def _store(self, key: bytes, entry: _Entry) -> None:
        memory, other = self._granted, self._refused
        if not entry.grants_something:
            memory, other = other, memory
        other.pop(key, None)
        memory[key] = entry

    @staticmethod
    def _lifetime(ttl: float, left: float) -> float:
        return min(left, ttl * (1 - _JITTER * random.random()))  # noqa: S311 - spreads load, keeps no secret

    def _count(self, result: str) -> None:
        self._metrics.cache.labels(result).inc()
        note("permissions", result)

    def _is_muted(self, key: bytes) -> bool:
        return self._muted[_bucket(key)] > self._timer()

    def _fingerprint(self, credential: Credential) -> bytes:
        """Key by token and address, each hashed to one length, so that no two pairs make one key."""
        return self._hash(credential.token) + self._hash(credential.address or "")

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")
