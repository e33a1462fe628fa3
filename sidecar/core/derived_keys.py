"""Derives a key for each use of a secret, so that what one use shows says nothing about another."""

import hmac


def derived_key(secret: str, use: str) -> bytes:
    """Derive one key of 32 bytes for each use of a secret, by HKDF with SHA-256 and no salt (RFC 5869)."""
    extracted = hmac.digest(bytes(32), secret.encode(), "sha256")
    return hmac.digest(extracted, f"directus-stripe-sidecar {use}".encode() + b"\x01", "sha256")
