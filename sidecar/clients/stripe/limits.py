"""What a 429 of Stripe's is about: the account, one endpoint, or one object (docs.stripe.com/rate-limits).

Objects have limits of their own, which one caller can reach on purpose, so only the call that met one may wait for it.
"""

from collections.abc import Mapping
from enum import Enum, auto
from http import HTTPStatus


class Limit(Enum):
    ACCOUNT = auto()
    ENDPOINT = auto()
    OBJECT = auto()


_BY_REASON = {
    "endpoint-rate": Limit.ENDPOINT,
    "endpoint-concurrency": Limit.ENDPOINT,
    "resource-specific": Limit.OBJECT,
}
_LOCKED = "lock_timeout"  # no rate limit: another request is changing the object (docs.stripe.com/error-codes)


def limit_reached(status: int, body: object, headers: Mapping[str, str]) -> Limit | None:
    """Say which limit an answer names, None where it is no 429; a reason that is not known counts for the account."""
    if status != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict) and error.get("code") == _LOCKED:
        return Limit.OBJECT
    return _BY_REASON.get(headers.get("Stripe-Rate-Limited-Reason", ""), Limit.ACCOUNT)
