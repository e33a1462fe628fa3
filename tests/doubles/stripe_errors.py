"""How Stripe refuses a request (docs.stripe.com/api/errors, docs.stripe.com/error-codes), and its idempotency."""

from dataclasses import dataclass, field

Object = dict[str, object]
Result = tuple[int, Object]


class StripeError(Exception):
    def __init__(self, status: int, message: str, **facts: str) -> None:
        super().__init__(message)
        self.result: Result = (status, {"error": {"type": "invalid_request_error", "message": message, **facts}})


def missing_object(kind: str, object_id: object, place: str, status: int = 400) -> StripeError:
    """Make the error for an object that there is not: 404 where the path names it, 400 where a parameter does."""
    return StripeError(status, f"No such {kind}: '{object_id}'", code="resource_missing", param=place)


def missing_parameter(place: str) -> StripeError:
    return StripeError(400, f"Missing required param: {place}.", code="parameter_missing", param=place)


@dataclass(slots=True)
class Replays:
    """Idempotency as docs.stripe.com/api/idempotent_requests has it: a key's first result, a 500 too, is given again.

    Keys have up to 255 characters. The same key with another endpoint or other parameters is an
    `idempotency_error`. Nothing is kept where a request failed validation or came while the first one with
    its key was under way. That is `idempotency_key_in_use` (docs.stripe.com/error-codes); its type is not documented.
    """

    results: dict[str, tuple[object, Result]] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)

    def recall(self, key: str, intent: object) -> Result | None:
        if len(key) > 255:
            raise StripeError(400, "Idempotency keys may have 255 characters at most.")
        if key in self.under_way:
            raise StripeError(409, "Another request with this key is in progress.", code="idempotency_key_in_use")
        if key not in self.results:
            return None
        first, result = self.results[key]
        if first != intent:
            raise StripeError(400, f"The key {key} was first used with other parameters.", type="idempotency_error")
        return result
