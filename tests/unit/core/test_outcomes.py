"""Whose fault each error is."""

import pytest

from sidecar import errors
from sidecar.core.outcomes import outcome_of
from sidecar.outcome import Outcome

OUTCOMES = {
    errors.SidecarError: Outcome.FAULT,
    errors.InvalidQuery: Outcome.INVALID,
    errors.HeadTooLarge: Outcome.INVALID,
    errors.CredentialRefused: Outcome.REFUSED,
    errors.ItemRefused: Outcome.REFUSED,
    errors.TooManyRequests: Outcome.CALLER,
    errors.Overloaded: Outcome.CAPACITY,
    errors.DirectusUnavailable: Outcome.DIRECTUS,
    errors.EventFailed: Outcome.EVENT,
    errors.StripeUnavailable: Outcome.STRIPE,
    errors.StripeTimeout: Outcome.STRIPE,
    errors.StripeRejected: Outcome.STRIPE_INPUT,
    errors.StripeKeyRejected: Outcome.STRIPE_KEY,
    errors.StripeRateLimited: Outcome.STRIPE_RATE,
}


@pytest.mark.parametrize(("kind", "outcome"), OUTCOMES.items(), ids=lambda each: getattr(each, "__name__", None))
def test_outcome_of(kind: type[errors.SidecarError], outcome: Outcome) -> None:
    """Each error has its own outcome, or that of the class it comes from."""
    assert outcome_of(kind) is outcome


def test_every_error_of_a_503_has_an_outcome_of_its_own() -> None:
    """Errors that share the status and code of a 503 differ in their outcome, which the answer names."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SidecarError)]
    unavailable = [kind for kind in kinds if kind.status == 503]

    assert len(unavailable) == 4
    assert len({outcome_of(kind) for kind in unavailable}) == 4
