"""The keys by which callers are remembered: hashes, so that no memory contains a token or an address."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial

from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity, identity_in


@dataclass(frozen=True, slots=True)
class CallerKey:
    """Hashes of the token and of the client's address."""

    token: bytes
    address: bytes
    _identity: Callable[[], Identity | None] = field(repr=False, compare=False)

    @property
    def whole(self) -> bytes:
        """The key of both; each hash has one length, so that no two pairs make one key."""
        return self.token + self.address

    @property
    def named(self) -> bool:
        """Whether the token itself says whose it is."""
        return self._identity() is not None

    @property
    def user(self) -> str | None:
        """Give the user that the token names."""
        identity = self._identity()
        return None if identity is None else identity.user


class CallerKeys:
    """`secret` must be the same in replicas that share answers; without one it is new in each process."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(32)

    def of(self, credential: Credential) -> CallerKey:
        whose = cache(partial(identity_in, credential))  # it takes some reading, and not every request needs it
        return CallerKey(self.token(credential.token), self._hash(credential.address or ""), whose)

    def token(self, token: str) -> bytes:
        """Give the token's part of the key: whose it is does not depend on the address."""
        return self._hash(token)

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")
