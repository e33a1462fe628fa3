"""Adds to a caller's permissions what only the policies tell: who has whole access although Directus says "partial".

They also tell what everybody may do without a credential: Directus refuses to answer `/permissions/me` to nobody.

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
    """`source` is None without a service token. Times are in seconds on `timer`, which must be monotonic."""

    def __init__(
        self,
        callers: PermissionCache,
        source: PolicySource | None,
        *,
        ttl: float,
        denied_ttl: float,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._callers, self._source = callers, source
        self._ttl, self._denied_ttl, self._timer = ttl, denied_ttl, timer
        self._flights = SingleFlight[Policies | None]()
        self._generation = 0
        self._asked = float("-inf")
        self._policies: Policies | None = None

    async def permissions(
        self, credential: Credential, granted: Callable[[Permissions], bool] = any_grant
    ) -> Permissions:
        """As the cache does; raises DirectusUnavailable also where the policies cannot be read now."""
        said = await self._callers.permissions(credential, granted)
        policies = await self._current(self._ttl) if said.partial else None
        if policies is None or not policies.may_complete(said):
            return said
        return policies.complete(said, await self._callers.identity(credential), credential.address)

    async def public(self, address: str, granted: Callable[[Permissions], bool]) -> Permissions:
        """Give what a guest at this address may do to every item; nothing where the policies may not be read.

        It costs no question of its own, whatever number of guests there is. A no lives shorter than a yes. Raises
        DirectusUnavailable.
        """
        found = _public(await self._current(self._ttl), address)
        return found if granted(found) else _public(await self._current(self._denied_ttl), address)

    async def identity(self, credential: Credential) -> Identity:
        return await self._callers.identity(credential)

    def purge(self, cause: str = "change") -> None:
        self._generation += 1
        self._asked = float("-inf")
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

    async def _current(self, lifetime: float) -> Policies | None:
        """Give policies that were asked for within so many seconds."""
        source = self._source
        if source is None or self._timer() < self._asked + lifetime:
            return self._policies
        return await self._flights.run(self._generation, lambda: self._read(source))

    async def _read(self, source: PolicySource) -> Policies | None:
        """Store inside the flight; an answer is as old as its question, and one from before a purge is not stored."""
        generation, asked = self._generation, self._timer()
        policies = await source.policies()
        if generation == self._generation:
            self._policies, self._asked = policies, asked
        return policies


def _public(policies: Policies | None, address: str) -> Permissions:
    return Permissions({}) if policies is None else policies.public(address)
