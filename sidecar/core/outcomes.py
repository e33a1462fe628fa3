"""Tells of every error whose fault it is. A class that is not named here has the outcome of the one it comes from."""

from collections.abc import Mapping

from sidecar.errors import (
    DirectusUnavailable,
    EventFailed,
    Overloaded,
    Refused,
    RequestError,
    SidecarError,
    StripeFailure,
    StripeKeyRejected,
    StripeRateLimited,
    StripeRejected,
    TooManyRequests,
)
from sidecar.outcome import Outcome

_OUTCOMES: Mapping[type[SidecarError], Outcome] = {
    SidecarError: Outcome.FAULT,
    RequestError: Outcome.INVALID,
    Refused: Outcome.REFUSED,
    TooManyRequests: Outcome.CALLER,
    Overloaded: Outcome.CAPACITY,
    DirectusUnavailable: Outcome.DIRECTUS,
    EventFailed: Outcome.EVENT,
    StripeFailure: Outcome.STRIPE,
    StripeRejected: Outcome.STRIPE_INPUT,
    StripeKeyRejected: Outcome.STRIPE_KEY,
    StripeRateLimited: Outcome.STRIPE_RATE,
}


def outcome_of(kind: type[SidecarError]) -> Outcome:
    return next(_OUTCOMES[each] for each in kind.__mro__ if each in _OUTCOMES)
