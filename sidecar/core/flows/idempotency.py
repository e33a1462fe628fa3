"""Names for intents: what is asked for twice under one name has its effect once.

Stripe keeps names apart by account and mode itself (docs.stripe.com/api/idempotent_requests).
"""

import hashlib

from sidecar.core.access.credentials import Credential, subject


def client_key(credential: Credential, operation: str, key: str) -> str:
    """Scope a client's own key to that client and to what it asks for."""
    return digest("key", subject(credential), operation, key)


def digest(*parts: str) -> str:
    """Hash with the lengths of the parts, so that no two lists of parts make one key."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
