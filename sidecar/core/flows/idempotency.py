"""Idempotency keys that clients choose: requests with the same key have their effect once.

Stripe separates keys by account and mode itself (docs.stripe.com/api/idempotent_requests). The keys of customers that
are created for items are made in `item_links`.
"""

import hashlib

from sidecar.core.access.credentials import Credential, subject


def client_key(credential: Credential, operation: str, key: str) -> str:
    """Limit a client's own key to that client and that operation."""
    return hashlib.sha256(joined("key", subject(credential), operation, key)).hexdigest()


def joined(*parts: str) -> bytes:
    """Join the parts with their lengths, so that different lists of parts never give the same bytes."""
    return "".join(f"{len(part)}:{part}" for part in parts).encode()
