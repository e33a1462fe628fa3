"""Idempotency keys: requests with the same key have their effect once.

Stripe separates keys by account and mode itself (docs.stripe.com/api/idempotent_requests).
"""

import hashlib

from sidecar.core.access.credentials import Credential, subject


def client_key(credential: Credential, operation: str, key: str) -> str:
    """Limit a client's own key to that client and that operation."""
    return digest("key", subject(credential), operation, key)


def digest(*parts: str) -> str:
    """Hash the parts with their lengths, so that different lists of parts never make the same key."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
