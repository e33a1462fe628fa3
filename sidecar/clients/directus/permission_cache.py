"""Remembers permissions: a decorator around anything that answers them, with the same interface.

Two memories. One holds callers to whom something is granted. The other, smaller and shorter, holds what was
refused: a flood of made-up tokens ends there and pushes out nobody in use. "Could not ask" is an exception
that neither memory ever sees. Knows no HTTP.
"""

import hmac
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TLRUCache

from sidecar.clients.directus.singleflight import SingleFlight
from sidecar.context import note
from sidecar.core.access.credentials import Credential, expires_at
from sidecar.core.access.permissions import Permissions
from sidecar.core.access.policy import Requirement
from sidecar.core.interfaces import PermissionSource
from sidecar.errors import CredentialRefused
from sidecar.metrics import Metrics

_JITTER = 0.1  # the share by which a lifetime is shortened at random, so that entries do not expire as one
_BUCKETS = 65_536  # marks of logouts, by the first two bytes of a token's hash
_REFUSED_SHARE = 10  # the memory of refusals is this many times smaller


@dataclass(frozen=True, slots=True)
class _Answer:
    """What Directus said, and when it was asked: it may have changed its mind while answering."""

    said: Permissions | CredentialRefused
    asked: float

    def grants(self, requirement: Requirement) -> bool:
        said = self.said
        return isinstance(said, Permissions) and said.grant(requirement.collection, requirement.action).usable


@dataclass(frozen=True, slots=True)
class _Entry:
    answer: _Answer
    expires: float


def _expires(_key: bytes, entry: _Entry, _now: float) -> float:
    return entry.expires


def _bucket(key: bytes) -> int:
    return int.from_bytes(key[:2], "big")


class CachedPermissions:
    """Times in seconds. `timer` must be monotonic; `clock` is the wall's and is only held against a token's `exp`."""

    def __init__(
        self,
        source: PermissionSource,
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
        self._flights = SingleFlight[_Answer]()
        self._secret = secrets.token_bytes(32)
        self._generation = 0

    async def permissions(self, credential: Credential, requirement: Requirement) -> Permissions:
        key = self._fingerprint(credential)
        answer = self._recall(key, requirement)
        if answer is not None:
            self._count("hit")
        elif self._is_muted(key):
            self._count("asked")
            answer = await self._ask(credential, requirement)
        else:
            answer = await self._shared(key, credential, requirement)
        if isinstance(answer.said, CredentialRefused):
            raise CredentialRefused(answer.said.code)
        return answer.said

    def forget(self, credential: Credential) -> None:
        """Remember nothing of this token, from whichever address, until whatever was remembered before has ended.

        It is about to be logged out, perhaps a moment from now, so what is asked in between must not be kept either.
        The mark is on the token's bucket: that costs the few who share it a question each time, and can neither grow
        nor be pushed out by others.
        """
        self._muted[_bucket(self._fingerprint(credential))] = self._timer() + self._ttl

    def purge(self, cause: str = "change") -> None:
        """Forget everything, and let nothing that is being asked at this moment be remembered or joined."""
        self._metrics.purges.labels(cause).inc()
        self._generation += 1
        self._granted.clear()
        self._refused.clear()

    async def _shared(self, key: bytes, credential: Credential, requirement: Requirement) -> _Answer:
        """Ask together with all who ask the same at this moment."""
        generation = self._generation
        flight = (generation, key)  # none from before a purge
        self._count("shared" if self._flights.under_way(flight) else "asked")
        answer = await self._flights.run(flight, lambda: self._ask(credential, requirement))
        if generation == self._generation and not self._is_muted(key):
            self._remember(key, answer, credential, requirement)
        return answer

    def _count(self, result: str) -> None:
        self._metrics.cache.labels(result).inc()
        note("permissions", result)

    async def _ask(self, credential: Credential, requirement: Requirement) -> _Answer:
        asked = self._timer()
        try:
            return _Answer(await self._source.permissions(credential, requirement), asked)
        except CredentialRefused as refusal:
            return _Answer(refusal, asked)

    def _recall(self, key: bytes, requirement: Requirement) -> _Answer | None:
        """A yes counts for its whole lifetime; a no only while it stands in the memory of refusals."""
        if self._is_muted(key):
            return None
        entry = self._granted.get(key)
        if entry is None or not entry.answer.grants(requirement):
            entry = self._refused.get(key)
        return None if entry is None else entry.answer

    def _remember(self, key: bytes, answer: _Answer, credential: Credential, requirement: Requirement) -> None:
        if isinstance(answer.said, Permissions) and answer.said.grants:
            self._granted[key] = self._entry(answer, self._ttl, credential)
        else:
            self._granted.pop(key, None)
        if not answer.grants(requirement):
            self._refused[key] = self._entry(answer, self._denied_ttl, credential)

    def _entry(self, answer: _Answer, ttl: float, credential: Credential) -> _Entry:
        lifetime = ttl * (1 - _JITTER * random.random())  # noqa: S311 - spreads load, keeps no secret
        exp = expires_at(credential.token)
        if exp is not None:
            lifetime = min(lifetime, exp - self._clock() + (self._timer() - answer.asked))
        return _Entry(answer, answer.asked + lifetime)

    def _is_muted(self, key: bytes) -> bool:
        return self._muted[_bucket(key)] > self._timer()

    def _fingerprint(self, credential: Credential) -> bytes:
        """Key by token and address, each hashed to one length, so that no two pairs make one key."""
        return self._hash(credential.token) + self._hash(credential.address or "")

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")
