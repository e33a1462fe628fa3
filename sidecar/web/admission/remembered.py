"""What the gate need not work out again for each request: a caller's name, and a client's address.

Both follow from the text that was sent and from nothing else, so no change of a permission or setting, and no logout,
makes them wrong. Neither lets anybody in. The number of either is bounded, and no token is kept, only its hash.
"""

import secrets
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from cachetools import LRUCache

from sidecar.core.access.claims import user_of
from sidecar.core.access.credentials import Credential
from sidecar.web.admission.caller import name_of

_CALLERS = 4_096
_ADDRESSES = 1_024
_LONGEST = 200  # characters of what proxies say of an address, with one for the end of each header


class Known(NamedTuple):
    """A caller's name; `user` is the ID in Directus that the token names, None for a static token."""

    name: str
    user: str | None


class CallerNames:
    """The names of the callers whose tokens are a user's by what they say of themselves."""

    def __init__(self, most: int = _CALLERS) -> None:
        self._secret = secrets.token_bytes(32)
        self._names: LRUCache[bytes, Known] = LRUCache(most)

    def of(self, credential: Credential) -> Known | None:
        """Give the name if it is remembered."""
        return self._names.get(self._key(credential))

    def remember(self, credential: Credential) -> Known:
        """Remember the name of a user whose token Directus accepted; made-up ones would take the room of others."""
        known = self._names[self._key(credential)] = Known(name_of(credential), user_of(credential.token))
        return known

    def _key(self, credential: Credential) -> bytes:
        return blake2b(credential.token.encode(), key=self._secret, digest_size=32).digest()


class Addresses:
    """`read` finds the client's address from the other end of the connection and what proxies say."""

    def __init__(self, read: Callable[[str, Sequence[str]], str], most: int = _ADDRESSES) -> None:
        self._read = read
        self._found: LRUCache[tuple[str, ...], str] = LRUCache(most)

    def of(self, peer: str, forwarded: Sequence[str]) -> str:
        """Raises as `read` does."""
        said = (peer, *forwarded)
        found = self._found.get(said)
        if found is None:
            found = self._read(peer, forwarded)
            if sum(map(len, said)) + len(said) <= _LONGEST:
                self._found[said] = found
        return found
