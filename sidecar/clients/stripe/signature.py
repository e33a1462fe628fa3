"""Whether Stripe signed a body, by the rules of its library (docs.stripe.com/webhooks, "Verify … signatures").

The signature covers the body's bytes as they came: a body that was parsed and written again does not match it.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import stripe

TOLERANCE = 300  # seconds by which a signature's time may differ, against the replay of an overheard event
_SCHEME = stripe.WebhookSignature.EXPECTED_SCHEME
_TIME = re.compile(r"[0-9]{1,12}")


class Reason(StrEnum):
    """HEADER: it is no readable `Stripe-Signature`. SIGNATURE: no secret matches. TIME: it is too old or too new."""

    HEADER = "header"
    TIME = "time"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Why a body does not count as Stripe's; for the log alone."""

    reason: Reason
    detail: str


class Signatures:
    """Each of `secrets` counts: while one is replaced, Stripe signs with both, and we may know the new one first.

    `clock` gives Unix time.
    """

    def __init__(self, secrets: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._secrets = tuple(secrets)
        self._clock = clock

    def signed(self, body: bytes, headers: Sequence[str]) -> int | Unsigned:
        """Give the Unix time at which Stripe signed; `headers` are the values of `Stripe-Signature`."""
        if len(headers) != 1:
            return Unsigned(Reason.HEADER, f"there are {len(headers)} headers Stripe-Signature")
        moment = _time_in(headers[0])
        if isinstance(moment, Unsigned):
            return moment
        if not any(_matches(body, headers[0], secret) for secret in self._secrets):
            return Unsigned(Reason.SIGNATURE, "no secret in STRIPE_WEBHOOK_SECRET matches")
        age = int(self._clock()) - moment
        if abs(age) > TOLERANCE:
            when = f"{age} s ago" if age > 0 else f"{-age} s ahead of this clock"
            return Unsigned(Reason.TIME, f"it was signed {when}, and {TOLERANCE} s are allowed")
        return moment


def _time_in(header: str) -> int | Unsigned:
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        return Unsigned(Reason.HEADER, "it has no readable time t")
    if not any(name == _SCHEME for name, _, _ in parts):
        return Unsigned(Reason.HEADER, f"it has no signature of scheme {_SCHEME}")
    return int(times[0])


def _matches(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False  # the last two: the library cannot read the body as UTF-8, or the signature as ASCII
    return True
