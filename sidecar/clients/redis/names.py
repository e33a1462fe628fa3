"""Names and seals what is put into Redis, so that it shows nothing and cannot be made, changed or moved by others.

A name is an HMAC of what it stands for; a value is encrypted and bound to its name and to the version of its form
(AES-GCM, NIST SP 800-38D). Tokens, addresses and users stand in neither. Both keys come from SIDECAR_SECRET.
"""

import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sidecar.core.derived_keys import derived_key

PREFIX = "sidecar:"
VERSION = b"\x01"  # of all values; another version's are unreadable, which is as if they were not there
_NONCE = 12  # bytes


class Unreadable(Exception):
    """This value was sealed by another version or for another name, or it was changed."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of keys for one use of Redis. What has one `tag` is in one slot of a cluster, as a script needs it.

    `about` is whatever must be the same for replicas that share: with another Directus or key they share nothing.
    """

    key: bytes
    tag: str

    @classmethod
    def of(cls, secret: str, part: str, *about: str) -> "Names":
        key = _mac(derived_key(secret, "redis names"), part, *about)
        return cls(key, key.hex()[:16])

    def name(self, kind: str, *identity: bytes | str) -> str:
        return f"{PREFIX}{{{self.tag}}}:{_mac(self.key, kind, *identity).hex()[:40]}"


class Seal:
    def __init__(self, secret: str) -> None:
        self._cipher = AESGCM(derived_key(secret, "redis seal"))

    def close(self, name: str, content: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return VERSION + nonce + self._cipher.encrypt(nonce, content, _bound_to(name))

    def open(self, name: str, sealed: bytes) -> bytes:
        """Raises Unreadable."""
        if sealed[:1] != VERSION:
            raise Unreadable("of another version")
        nonce, encrypted = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, encrypted, _bound_to(name))
        except (InvalidTag, ValueError):
            raise Unreadable("not sealed here") from None


@dataclass(frozen=True, slots=True)
class Space:
    """Names and the seal that belong to one secret."""

    names: Names
    seal: Seal

    @classmethod
    def of(cls, secret: str, part: str, *about: str) -> "Space":
        return cls(Names.of(secret, part, *about), Seal(secret))

    def name(self, kind: str, *identity: bytes | str) -> str:
        return self.names.name(kind, *identity)

    def close(self, name: str, content: bytes) -> bytes:
        return self.seal.close(name, content)

    def open(self, name: str, sealed: bytes) -> bytes:
        """Raises Unreadable."""
        return self.seal.open(name, sealed)


def _bound_to(name: str) -> bytes:
    return VERSION + name.encode()


def _mac(key: bytes, *parts: bytes | str) -> bytes:
    """Each part is hashed to one length first, so that no two lists of parts make one name."""
    whole = b"".join(hmac.digest(key, part.encode() if isinstance(part, str) else part, "sha256") for part in parts)
    return hmac.digest(key, whole, "sha256")
