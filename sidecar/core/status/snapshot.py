"""A customer at one moment, with what belongs to it: which of its subscriptions counts, and how it pays by default."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sidecar.core.operations.resource import found_at
from sidecar.core.operations.resources import StripeObject, customer_of, reference
from sidecar.core.secret_values import ALL as SECRETS
from sidecar.core.status.sources import OF_ITEM, Origin, Source

# Ranks of statuses by how much access they mean (docs.stripe.com/api/subscriptions/object, status).
_OVER = frozenset({"canceled", "incomplete_expired"})
_RANKS = {"active": 0, "trialing": 0, "past_due": 1, **dict.fromkeys(_OVER, 3)}
_REST = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was not asked for, or is not there, is None or empty; so is everything of a deleted customer."""

    customer: StripeObject
    subscription: StripeObject | None = None
    entitlements: tuple[str, ...] = ()
    payment_method: StripeObject | None = None

    @property
    def deleted(self) -> bool:
        return self.customer.get("deleted") is True

    def value(self, source: Source) -> object:
        """Give the value of a source; None where nothing has it, and where it contains a secret."""
        match source.origin:
            case Origin.ENTITLEMENTS:
                return (
                    None if self.deleted else sorted(key for key in set(self.entitlements) if not SECRETS.are_in(key))
                )
            case Origin.SUBSCRIPTION:
                found = None if self.subscription is None else _with_first_item(self.subscription)
            case Origin.PAYMENT_METHOD:
                found = self.payment_method
        return None if found is None else found_at(SECRETS.left_out(found), source.path)


class Snapshots(Protocol):
    async def read(self, customer_id: str) -> Snapshot:
        """Ask Stripe for a customer's present state. Raises StripeFailure."""


def counting(subscriptions: Iterable[StripeObject]) -> StripeObject | None:
    """Choose the subscription that gives most access, the newest among equals; None without any."""
    return min(subscriptions, key=_order, default=None)


def _order(subscription: StripeObject) -> tuple[int, int]:
    created = subscription.get("created")
    return _RANKS.get(str(subscription.get("status")), _REST), -created if isinstance(created, int) else 0


def default_method(customer: StripeObject, subscription: StripeObject | None) -> str | None:
    """Name what pays by default: the customer's choice, else that of a subscription that is not over, else a source."""
    settings = customer.get("invoice_settings")
    chosen = reference(settings, "default_payment_method") if isinstance(settings, dict) else None
    of_subscription = None
    if subscription is not None and subscription.get("status") not in _OVER:
        of_subscription = reference(subscription, "default_payment_method")
    return chosen or of_subscription or reference(customer, "default_source")


def belonging(method: StripeObject, customer_id: str) -> StripeObject | None:
    """Give the payment method only while it is attached to this customer."""
    return method if customer_of(method) == customer_id else None


def _with_first_item(subscription: StripeObject) -> StripeObject:
    match subscription.get("items"):
        case {"data": [dict() as item, *_]}:
            return {**subscription, **{name: item.get(name) for name in OF_ITEM}}
        case _:
            return subscription
