"""The keys by which callers are remembered: hashes, so that nothing kept of a caller contains its token or address.

The hashes of the last addresses are kept apart from the callers.
"""

import hmac
import secrets

from cachetools import LRUCache

from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity, identity_in

_ADDRESSES = 1_024


class CallerKey:
    """Hashes of the token and of the client's address."""

    __slots__ = ("_credential", "_identity", "address", "token", "whole")

    def __init__(self, token: bytes, address: bytes, credential: Credential) -> None:
        self.token, self.address = token, address
        self.whole = token + address  # each hash has one length, so that no two pairs make one key
        self._credential: Credential | None = credential
        self._identity: Identity | None = None

    @property
    def named(self) -> bool:
        """Whether the token itself says whose it is."""
        return self._whose() is not None

    @property
    def user(self) -> str | None:
        """Give the user that the token names."""
        identity = self._whose()
        return None if identity is None else identity.user

    def _whose(self) -> Identity | None:
        """Read the token once; it takes some time, and not every request needs it."""
        if self._credential is not None:
            self._identity, self._credential = identity_in(self._credential), None
        return self._identity


class CallerKeys:
    """`secret` must be the same in replicas that share answers; without one it is new in each process."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._addresses: LRUCache[str, bytes] = LRUCache(_ADDRESSES)

    def of(self, credential: Credential) -> CallerKey:
        return CallerKey(self.token(credential.token), self._address(credential.address or ""), credential)

    def token(self, token: str) -> bytes:
        """Give the token's part of the key: whose it is does not depend on the address."""
        return self._hash(token)

    def _address(self, address: str) -> bytes:
        found = self._addresses.get(address)
        if found is None:
            found = self._addresses[address] = self._hash(address)
        return found

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")
