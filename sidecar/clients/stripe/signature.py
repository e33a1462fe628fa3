"""Whether a body was signed by Stripe, by the rules of its library (docs.stripe.com/webhooks, "Verify … signatures").

They are for the body as it came: parsed and written again it is another one.
"""

from collections.abc import Sequence

import stripe

_TOLERANCE = 300  # seconds for which a signed body counts, so that one that was overheard cannot be sent for ever


class Signatures:
    """`secrets` all count: while one is being replaced Stripe signs with both, and we may know the new one first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secrets)

    def signed(self, body: bytes, headers: Sequence[str]) -> bool:
        """`headers` are the values of `Stripe-Signature`, of which there must be one."""
        return len(headers) == 1 and any(_signed(body, headers[0], secret) for secret in self._secrets)


def _signed(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, _TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False  # the last two: a body or a signature of no characters that it knows
    return True
