"""A read-through cache of permissions: a decorator around their source, with the same interface.

"Could not ask" is an exception and never stored; an answer that comes after everybody stopped waiting is. What is not
remembered here may be known to another replica, whose answer is used as if it had been given here. This module knows
no HTTP.
"""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from sidecar.clients.directus.caller_keys import CallerKey, CallerKeys
from sidecar.clients.directus.line import Ready
from sidecar.clients.directus.permission_flight import Entry, Flight, PatientSource, Place
from sidecar.clients.directus.permission_lifetimes import Lifetimes
from sidecar.clients.directus.permission_memory import Memory
from sidecar.clients.directus.question import Sent
from sidecar.clients.directus.shared_answers import Claim, SharedAnswer, SharedAnswers
from sidecar.clients.directus.singleflight import SingleFlight
from sidecar.clients.directus.validity import Validity
from sidecar.context import note
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Permissions
from sidecar.errors import CredentialRefused
from sidecar.metrics import Metrics


def any_grant(permissions: Permissions) -> bool:
    return len(permissions.grants) > 0


class _AnsweredElsewhere(Exception):
    """Another replica asked for this caller while its question waited for its turn here."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry


class PermissionCache:
    """Times are in seconds. `timer` must be monotonic; `clock` is wall time and only compared with a token's `exp`.

    `budget` is how long a request waits for an answer that was asked for. Callers go by hashes with `secret`, which
    must be the same in replicas that share answers.
    """

    def __init__(
        self,
        source: PatientSource,
        *,
        ttl: float,
        denied_ttl: float,
        size: int,
        budget: float = math.inf,
        shared: SharedAnswers | None = None,
        secret: bytes | None = None,
        metrics: Metrics | None = None,
        timer: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source, self._shared = source, shared
        self._lifetimes = Lifetimes(ttl, denied_ttl, timer, clock)
        self._ttl, self._budget, self._timer = ttl, budget, timer
        self._memory = Memory(size, timer)
        self._validity = Validity(ttl=ttl, size=size, timer=timer)
        self._sent = 0  # questions
        self._metrics = metrics or Metrics()
        self._flights: dict[bytes, Flight] = {}
        self._identities = SingleFlight[Identity]()
        self._keys = CallerKeys(secret)

    async def permissions(
        self, credential: Credential, granted: Callable[[Permissions], bool] = any_grant
    ) -> Permissions:
        """Give what Directus said within the lifetime of such an answer; `granted` tells a yes from a no.

        A no lives shorter. Raises CredentialRefused, and DirectusUnavailable when there is no answer.
        """
        caller, arrived = self._keys.of(credential), self._sent
        key = caller.whole
        entry, how = self._recall(caller, granted), "hit"
        if entry is None and self._shared is not None and key not in self._flights:
            await self._remember(caller, credential, self._shared.look(caller))
            entry, how = self._recall(caller, granted), "found"
        while entry is None and (overtaken := self._overtaken(key, arrived)) is not None:
            await overtaken.question.over(self._budget)
            entry = self._recall(caller, granted)
        if entry is not None:
            self._count(how)
        else:
            entry = await self._flight(caller, credential, arrived).question.answer(self._budget)
        if isinstance(entry.said, CredentialRefused):
            raise CredentialRefused(entry.said.code)
        return entry.said

    async def identity(self, credential: Credential) -> Identity:
        """Say who this is, kept as long as its permissions are. Raises DirectusUnavailable."""
        caller = self._keys.of(credential)
        entry = self._memory.granted(caller.whole)
        if entry is not None and entry.identity is not None and self._validity.holds(caller, entry):
            return entry.identity
        # None from before a change or a logout.
        flight = (self._validity.changes.moment, self._validity.epochs.current(caller.token), caller.whole)
        return await self._identities.run(flight, lambda: self._identify(caller, credential))

    async def _identify(self, caller: CallerKey, credential: Credential) -> Identity:
        key = caller.whole
        entry, asked, moment = self._memory.granted(key), self._timer(), self._validity.changes.moment
        identity = await self._source.identity(credential)
        if entry is not None and self._memory.granted(key) is entry and self._validity.holds(caller, entry):
            self._memory.replace(key, replace(entry, identity=identity))
        self._validity.users.learn(caller.token, identity.user, asked, moment)
        return identity

    def forget(self, credential: Credential) -> None:
        """Never use again what is known about this token, from any address; for one lifetime store nothing about it.

        The token is about to be logged out, perhaps a moment from now, so answers given in between must not be stored
        either. Whoever logs out a token that nobody uses changes nothing for anybody.
        """
        self.forget_token(self._keys.token(credential.token))

    def forget_token(self, token: bytes) -> None:
        """As `forget`, for a token by its hash, as another replica tells it."""
        self._validity.epochs.end(token)

    def purge(self, cause: str = "change") -> None:
        """Forget everything; answers to questions under way are neither stored nor shared with later requests.

        A question that still waits in the line is asked after this, so it stays.
        """
        self._metrics.purges.labels(cause).inc()
        self._validity.change_everybody(cause)
        self._memory.clear()

    def forget_user(self, user: str) -> None:
        """As `purge`, for the tokens of one user and those of which nobody knows whose they are."""
        self._metrics.users_forgotten.inc()
        self._validity.change_user(user)

    def _recall(self, caller: CallerKey, granted: Callable[[Permissions], bool]) -> Entry | None:
        entry = self._memory.get(caller.whole)
        if entry is None or not self._validity.holds(caller, entry) or not entry.answers(granted, self._timer()):
            return None
        return entry

    def _overtaken(self, key: bytes, arrived: int) -> Flight | None:
        """Give the question that a logout overtook: until it is over, another one would only be asked beside it."""
        found = self._flights.get(key)
        return found if found is not None and found.overtaken(self._oldest(), arrived) else None

    def _oldest(self) -> float:
        return self._timer() - self._ttl

    def _flight(self, caller: CallerKey, credential: Credential, arrived: int) -> Flight:
        """Share one question with all requests of this caller that arrive before it is answered."""
        key = caller.whole
        found = self._flights.get(key)
        if found is not None and found.may_be_joined(partial(self._validity.covers, caller), self._oldest(), arrived):
            self._count("shared")
            return found
        flight = Flight(caller.user, partial(self._ask_and_store, caller, credential))
        self._flights[key] = flight
        flight.question.when_over(partial(self._end, key, flight))
        return flight

    def _end(self, key: bytes, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _ask_and_store(self, caller: CallerKey, credential: Credential, flight: Flight, sent: Sent) -> Entry:
        """Store inside the flight: a request that arrives as the flight ends finds the answer."""
        whose = partial(self._source.user_patiently, credential)

        def find_out_whose(entry: Entry | None) -> None:
            self._validity.find_out_whose(caller, entry, whose)

        def leave(place: Place) -> None:
            self._sent += 1
            self._count("asked")
            flight.asked, flight.moment, flight.number = self._timer(), self._validity.changes.moment, self._sent
            flight.epoch, flight.place = self._validity.epochs.current(caller.token), place
            find_out_whose(self._memory.granted(caller.whole))
            sent()

        kept: Entry | None = None
        try:
            said = await self._ask(credential, leave, partial(self._claim, caller, credential, flight))
            entry = Entry(
                said, self._lifetimes.of_question(credential, flight.asked), flight.moment, flight.epoch, flight.user
            )
            find_out_whose(entry)
            if entry.grants_something:
                self._validity.epochs.accept(caller.token)
            if self._validity.may_be_kept(caller, entry):
                self._memory.store(caller.whole, entry)
                kept = entry
        except _AnsweredElsewhere as answered:
            return answered.entry
        finally:
            self._end_claim(flight, kept)
        return entry

    async def _ask(
        self, credential: Credential, leave: Callable[[Place], None], ready: Ready
    ) -> Permissions | CredentialRefused:
        try:
            return await self._source.permissions_patiently(credential, leave, ready)
        except CredentialRefused as refusal:
            return refusal

    async def _claim(self, caller: CallerKey, credential: Credential, flight: Flight) -> None:
        """Let other replicas wait for this question. Raises _AnsweredElsewhere where one of them asked meanwhile."""
        if self._shared is None:
            return
        entry, flight.claim = await self._remember(caller, credential, self._shared.claim(caller))
        if entry is not None:
            self._count("found")
            raise _AnsweredElsewhere(entry)

    async def _remember(
        self, caller: CallerKey, credential: Credential, looking: Awaitable[SharedAnswer | Claim | None]
    ) -> tuple[Entry | None, Claim | None]:
        """Give what another replica heard as an entry, unless a change or a logout came while it was looked up."""
        moment, epoch = self._validity.changes.moment, self._validity.epochs.current(caller.token)
        found = await looking
        if not isinstance(found, SharedAnswer):
            return None, found
        entry = Entry(found.said, self._lifetimes.of_shared(credential, found), moment, epoch, caller.user)
        if not self._validity.may_be_taken(caller, entry):
            return None, None
        self._memory.store(caller.whole, entry)
        return entry, None

    def _end_claim(self, flight: Flight, kept: Entry | None) -> None:
        if self._shared is None or flight.claim is None:
            return
        if kept is None:
            self._shared.release(flight.claim)
        else:
            self._shared.keep(flight.claim, kept.shared(self._timer()))

    def _count(self, result: str) -> None:
        self._metrics.found(result)
        note("permissions", result)
