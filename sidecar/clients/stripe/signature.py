"""Whether Stripe signed a body, by the rules of its library (docs.stripe.com/webhooks, "Verify … signatures").

The signature covers the body's bytes as they came: a body that was parsed and written again does not match it.
"""

from collections.abc import Sequence

import stripe

_TOLERANCE = 300  # seconds for which a signature is valid, against the replay of an overheard event


class Signatures:
    """Each of `secrets` counts: while one is replaced, Stripe signs with both, and we may know the new one first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secrets)

    def signed(self, body: bytes, headers: Sequence[str]) -> bool:
        """`headers` are the values of `Stripe-Signature`, of which there must be one."""
        return len(headers) == 1 and any(_signed(body, headers[0], secret) for secret in self._secrets)


def _signed(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, _TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False  # the last two: the library cannot read the body as UTF-8, or the signature as ASCII
    return True
