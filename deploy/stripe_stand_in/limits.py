"""The limits of single objects, by docs.stripe.com/rate-limits: so many changes in a time, and one change at once."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.stripe_stand_in.errors import StripeError

_HOUR = 3600  # seconds


@dataclass(slots=True)
class ObjectLimits:
    """`most`: changes of one object within an hour, by kind. `locked`: the objects that another request changes now."""

    now: Callable[[], int]
    most: dict[str, int] = field(default_factory=lambda: {"payment_intent": 1000, "subscription": 200})
    locked: set[str] = field(default_factory=set)
    _changes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def count(self, kind: str, object_id: str) -> None:
        """Count a change. Raises StripeError where the object is locked or was changed too often."""
        if object_id in self.locked:
            message = "This object cannot be accessed right now because another request is accessing it."
            raise StripeError(429, message, code="lock_timeout")
        now = self.now()
        lately = [moment for moment in self._changes[object_id] if now - moment < _HOUR]
        if len(lately) >= self.most.get(kind, len(lately) + 1):
            message = "Request rate limit exceeded for this object."
            raise StripeError(429, message, code="rate_limit").because("resource-specific")
        self._changes[object_id] = [*lately, now]
