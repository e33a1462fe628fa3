"""Idempotency by docs.stripe.com/api/idempotent_requests: a key's first result is repeated, even a 500."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from deploy.stripe_stand_in.errors import Result, StripeError

_LONGEST = 255
_KEPT = 86_400  # seconds; Stripe keeps keys for at least this time


@dataclass(frozen=True, slots=True)
class _First:
    intent: object
    result: Result
    time: int


@dataclass(slots=True)
class Replays:
    """The first result of each key. The same key with another path or other parameters is an `idempotency_error`.

    Nothing is stored for a request that failed validation, or that came while another one with its key was under way.
    The latter is an `idempotency_key_in_use` (docs.stripe.com/error-codes), of which the type is not documented.
    """

    now: Callable[[], int]
    _results: dict[str, _First] = field(default_factory=dict)
    _under_way: set[str] = field(default_factory=set)

    def recall(self, key: str, intent: object) -> Result | None:
        """Give the result of the first request with this key, if there was one. Raises StripeError."""
        if len(key) > _LONGEST:
            raise StripeError(400, f"Idempotency keys may have {_LONGEST} characters at most.")
        if key in self._under_way:
            raise StripeError(409, "Another request with this key is in progress.", code="idempotency_key_in_use")
        first = self._results.get(key)
        if first is None or self.now() - first.time >= _KEPT:
            return None
        if first.intent != intent:
            raise StripeError(400, f"The key {key} was first used with other parameters.", type="idempotency_error")
        return first.result

    @contextmanager
    def working(self, key: str) -> Iterator[None]:
        """Refuse other requests with this key while the block runs."""
        self._under_way.add(key)
        try:
            yield
        finally:
            self._under_way.discard(key)

    def keep(self, key: str, intent: object, result: Result) -> None:
        # A copy, since the object may change later and the result must not.
        self._results[key] = _First(intent, copy.deepcopy(result), self.now())
