"""Stripe's error bodies: docs.stripe.com/api/errors, docs.stripe.com/error-codes."""

from typing import Any, Self

Object = dict[str, Any]
Result = tuple[int, Object]


class StripeError(Exception):
    """An answer of status 400 and above; `headers` are sent beside it."""

    def __init__(self, status: int, message: str, **facts: Any) -> None:  # noqa: ANN401 - texts, and objects where Stripe adds one
        super().__init__(message)
        self.result: Result = (status, {"error": {"type": "invalid_request_error", "message": message, **facts}})
        self.headers: dict[str, str] = {}

    def because(self, reason: str) -> Self:
        """Name the limit that a 429 is about: docs.stripe.com/rate-limits."""
        self.headers["Stripe-Rate-Limited-Reason"] = reason
        return self


_IN_LIVE_MODE = "; a similar object exists in live mode, but a test mode key was used to make this request."


def missing_object(
    kind: str, object_id: object, place: str, status: int = 400, *, in_live_mode: bool = False
) -> StripeError:
    """Make the error for an object that does not exist: 404 if the path names it, 400 if a parameter does."""
    other = _IN_LIVE_MODE if in_live_mode else ""
    return StripeError(status, f"No such {kind}: '{object_id}'{other}", code="resource_missing", param=place)


def missing_parameter(place: str) -> StripeError:
    return StripeError(400, f"Missing required param: {place}.", code="parameter_missing", param=place)


def require(values: Object, *names: str) -> None:
    """Raise StripeError for the first of these parameters that is absent or empty."""
    for name in names:
        if not values.get(name):
            raise missing_parameter(name)
