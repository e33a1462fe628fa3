"""Adds to a caller's permissions what only the policies tell: who has whole access although Directus says "partial".

A decorator around the permission cache, with the same interface. The policies are remembered as long as a permission
is, by themselves, so that no answer is older than one lifetime; a purge forgets them too.
"""

import time
from collections.abc import Callable

from sidecar.clients.directus.permission_cache import PermissionCache, any_grant
from sidecar.clients.directus.singleflight import SingleFlight
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Permissions
from sidecar.core.access.whole_access import Policies
from sidecar.core.interfaces import PolicySource


class WholeAccess:
    """`source` is None without a service token. `ttl` is in seconds on `timer`, which must be monotonic."""

    def __init__(
        self,
        callers: PermissionCache,
        source: PolicySource | None,
        *,
        ttl: float,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._callers, self._source = callers, source
        self._ttl, self._timer = ttl, timer
        self._flights = SingleFlight[Policies | None]()
        self._generation = 0
        self._until = float("-inf")
        self._policies: Policies | None = None

    async def permissions(
        self, credential: Credential, granted: Callable[[Permissions], bool] = any_grant
    ) -> Permissions:
        """As the cache does; raises DirectusUnavailable also where the policies cannot be read now."""
        said = await self._callers.permissions(credential, granted)
        policies = await self._current(self._source) if self._source is not None and said.partial else None
        if policies is None or not policies.may_complete(said):
            return said
        return policies.complete(said, await self._callers.identity(credential), credential.address)

    async def identity(self, credential: Credential) -> Identity:
        return await self._callers.identity(credential)

    def purge(self, cause: str = "change") -> None:
        self._generation += 1
        self._until = float("-inf")
        self._callers.purge(cause)

    def forget_user(self, user: str) -> None:
        """Forget what depends on a user; the policies do not."""
        self._callers.forget_user(user)

    def forget(self, credential: Credential) -> None:
        """Forget a token that is about to be logged out."""
        self._callers.forget(credential)

    def forget_token(self, token: bytes) -> None:
        """As `forget`, for a token by its hash, as another replica tells it."""
        self._callers.forget_token(token)

    async def _current(self, source: PolicySource) -> Policies | None:
        if self._timer() < self._until:
            return self._policies
        return await self._flights.run(self._generation, lambda: self._read(source))

    async def _read(self, source: PolicySource) -> Policies | None:
        """Store inside the flight; an answer is as old as its question, and one from before a purge is not stored."""
        generation, asked = self._generation, self._timer()
        policies = await source.policies()
        if generation == self._generation:
            self._policies, self._until = policies, asked + self._ttl
        return policies
