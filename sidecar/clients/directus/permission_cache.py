"""A read-through cache of permissions: a decorator around their source, with the same interface.

It has two memories. One keeps callers to whom something is granted. The other, a tenth of its size, keeps callers to
whom nothing is: a flood of made-up tokens ends there and evicts nobody in use. "Could not ask" is an exception and
never stored; an answer that comes after everybody stopped waiting is. This module knows no HTTP.
"""

import hmac
import math
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from cachetools import TLRUCache

from sidecar.clients.directus.epochs import Epochs
from sidecar.clients.directus.freshness import Freshness
from sidecar.clients.directus.permission_flight import Entry, Flight, PatientSource, Place
from sidecar.clients.directus.question import Sent
from sidecar.clients.directus.singleflight import SingleFlight
from sidecar.clients.directus.token_users import TokenUsers
from sidecar.context import note
from sidecar.core.access.credentials import Credential, expires_at
from sidecar.core.access.identity import Identity, identity_in
from sidecar.core.access.permissions import Permissions
from sidecar.errors import CredentialRefused
from sidecar.metrics import Metrics

_JITTER = 0.1  # the share by which a lifetime is shortened at random, so that entries do not expire together
_REFUSED_SHARE = 10  # the memory of refused callers is this many times smaller


def _expires(_key: bytes, entry: Entry, _now: float) -> float:
    return entry.yes_until if entry.grants_something else entry.no_until


def any_grant(permissions: Permissions) -> bool:
    return len(permissions.grants) > 0


def _token(key: bytes) -> bytes:
    """Give the token's part of a key: whose it is does not depend on the address."""
    return key[: len(key) // 2]


class PermissionCache:
    """Times are in seconds. `timer` must be monotonic; `clock` is wall time and only compared with a token's `exp`.

    `budget` is how long a request waits for an answer that was asked for.
    """

    def __init__(
        self,
        source: PatientSource,
        *,
        ttl: float,
        denied_ttl: float,
        size: int,
        budget: float = math.inf,
        metrics: Metrics | None = None,
        timer: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._ttl, self._denied_ttl, self._budget = ttl, denied_ttl, budget
        self._timer, self._clock = timer, clock
        self._granted = TLRUCache[bytes, Entry](size, _expires, timer)
        self._refused = TLRUCache[bytes, Entry](max(1, size // _REFUSED_SHARE), _expires, timer)
        self._epochs = Epochs(quiet=ttl, timer=timer)
        self._sent = 0  # questions
        self._metrics = metrics or Metrics()
        self._flights: dict[bytes, Flight] = {}
        self._identities = SingleFlight[Identity]()
        self._secret = secrets.token_bytes(32)
        self._changes = Freshness()
        self._users = TokenUsers(self._changes, ttl=ttl, size=size, timer=timer)

    async def permissions(
        self, credential: Credential, granted: Callable[[Permissions], bool] = any_grant
    ) -> Permissions:
        """Give what Directus said within the lifetime of such an answer; `granted` tells a yes from a no.

        A no lives shorter. Raises CredentialRefused, and DirectusUnavailable when there is no answer.
        """
        key, arrived = self._fingerprint(credential), self._sent
        entry = self._recall(key, granted)
        while entry is None and (overtaken := self._overtaken(key, arrived)) is not None:
            await overtaken.question.over(self._budget)
            entry = self._recall(key, granted)
        if entry is not None:
            self._count("hit")
        else:
            entry = await self._flight(key, credential, arrived).question.answer(self._budget)
        if isinstance(entry.said, CredentialRefused):
            raise CredentialRefused(entry.said.code)
        return entry.said

    async def identity(self, credential: Credential) -> Identity:
        """Say who this is, kept as long as its permissions are. Raises DirectusUnavailable."""
        key = self._fingerprint(credential)
        entry = self._granted.get(key)
        if entry is not None and entry.identity is not None and self._holds(key, entry):
            return entry.identity
        flight = (self._changes.moment, self._epochs.current(_token(key)), key)  # none from before a change or a logout
        return await self._identities.run(flight, lambda: self._identify(key, credential))

    async def _identify(self, key: bytes, credential: Credential) -> Identity:
        entry, asked, moment = self._granted.get(key), self._timer(), self._changes.moment
        identity = await self._source.identity(credential)
        if entry is not None and self._granted.get(key) is entry and self._holds(key, entry):
            self._granted[key] = replace(entry, identity=identity)
        self._users.learn(_token(key), identity.user, asked, moment)
        return identity

    def forget(self, credential: Credential) -> None:
        """Never use again what is known about this token, from any address; for one lifetime store nothing about it.

        The token is about to be logged out, perhaps a moment from now, so answers given in between must not be stored
        either. Whoever logs out a token that nobody uses changes nothing for anybody.
        """
        self._epochs.end(_token(self._fingerprint(credential)))

    def purge(self, cause: str = "change") -> None:
        """Forget everything; answers to questions under way are neither stored nor shared with later requests.

        A question that still waits in the line is asked after this, so it stays.
        """
        self._metrics.purges.labels(cause).inc()
        self._changes.change_everybody()
        self._granted.clear()
        self._refused.clear()

    def forget_user(self, user: str) -> None:
        """As `purge`, for the tokens of one user and those of which nobody knows whose they are."""
        self._metrics.users_forgotten.inc()
        self._changes.change_user(user)

    def _recall(self, key: bytes, granted: Callable[[Permissions], bool]) -> Entry | None:
        entry = self._known(key)
        if entry is None or not self._holds(key, entry) or not entry.answers(granted, self._timer()):
            return None
        return entry

    def _holds(self, key: bytes, entry: Entry) -> bool:
        return not entry.epoch.ended and self._covers(key, entry.user, entry.moment)

    def _covers(self, key: bytes, user: str | None, moment: int) -> bool:
        return self._changes.covers(user, moment) or (user is None and self._users.cover(_token(key), moment))

    def _overtaken(self, key: bytes, arrived: int) -> Flight | None:
        """Give the question that a logout overtook: until it is over, another one would only be asked beside it."""
        found = self._flights.get(key)
        return found if found is not None and found.overtaken(self._oldest(), arrived) else None

    def _oldest(self) -> float:
        return self._timer() - self._ttl

    def _flight(self, key: bytes, credential: Credential, arrived: int) -> Flight:
        """Share one question with all requests of this caller that arrive before it is answered."""
        found = self._flights.get(key)
        if found is not None and found.may_be_joined(partial(self._covers, key), self._oldest(), arrived):
            self._count("shared")
            return found
        self._count("asked")
        named = identity_in(credential)
        flight = Flight(None if named is None else named.user, partial(self._ask_and_store, key, credential))
        self._flights[key] = flight
        flight.question.when_over(partial(self._end, key, flight))
        return flight

    def _end(self, key: bytes, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _ask_and_store(self, key: bytes, credential: Credential, flight: Flight, sent: Sent) -> Entry:
        """Store inside the flight: a request that arrives as the flight ends finds the answer."""

        def leave(place: Place) -> None:
            self._sent += 1
            flight.asked, flight.moment, flight.number = self._timer(), self._changes.moment, self._sent
            flight.epoch, flight.place = self._epochs.current(_token(key)), place
            self._find_out_whose(key, credential, self._granted.get(key))
            sent()

        said: Permissions | CredentialRefused
        try:
            said = await self._source.permissions_patiently(credential, leave)
        except CredentialRefused as refusal:
            said = refusal
        entry = self._entry(credential, said, flight)
        self._find_out_whose(key, credential, entry)
        if entry.grants_something:
            self._epochs.accept(_token(key))
        if entry.epoch.keeps(entry.asked) and self._holds(key, entry):
            self._store(key, entry)
        return entry

    def _find_out_whose(self, key: bytes, credential: Credential, entry: Entry | None) -> None:
        """Where a user's change cost a static token this entry, ask for its user, so that no other's costs the next."""
        if entry is None or not entry.grants_something or identity_in(credential) is not None:
            return
        if self._changes.only_users_changed(entry.moment) and not self._covers(key, entry.user, entry.moment):
            self._users.find_out(_token(key), partial(self._source.user_patiently, credential))

    def _entry(self, credential: Credential, said: Permissions | CredentialRefused, flight: Flight) -> Entry:
        """Directus may change its mind while it answers, so an answer is as old as its question."""
        asked, exp = flight.asked, expires_at(credential.token)
        left = math.inf if exp is None else exp - self._clock() + (self._timer() - asked)
        yes, no = asked + self._lifetime(self._ttl, left), asked + self._lifetime(self._denied_ttl, left)
        return Entry(said, asked, yes, no, flight.moment, flight.epoch, flight.user)

    def _store(self, key: bytes, entry: Entry) -> None:
        """Store it unless the answer to a later question is there: one that everybody gave up may come last."""
        known = self._known(key)
        if known is not None and known.asked > entry.asked:
            return
        memory, other = self._granted, self._refused
        if not entry.grants_something:
            memory, other = other, memory
        other.pop(key, None)
        memory[key] = entry

    def _known(self, key: bytes) -> Entry | None:
        return self._granted.get(key) or self._refused.get(key)

    @staticmethod
    def _lifetime(ttl: float, left: float) -> float:
        return min(left, ttl * (1 - _JITTER * random.random()))  # noqa: S311 - spreads load, keeps no secret

    def _count(self, result: str) -> None:
        self._metrics.cache.labels(result).inc()
        note("permissions", result)

    def _fingerprint(self, credential: Credential) -> bytes:
        """Key by token and address, each hashed to one length, so that no two pairs make one key."""
        return self._hash(credential.token) + self._hash(credential.address or "")

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")
