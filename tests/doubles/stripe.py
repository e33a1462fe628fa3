"""Stripe for tests: the stand-in of `deploy.stripe_stand_in`, with faults on demand.

The stand-in defines the protocol. This module adds what only tests need: counted IDs and times, client secrets to
search for, headers that must not be passed on, and objects created without a request.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

from deploy.stripe_stand_in.account import Making
from deploy.stripe_stand_in.billing import items_of
from deploy.stripe_stand_in.errors import Object, Result, StripeError
from deploy.stripe_stand_in.server import StandIn
from tests.doubles.server import Double, Recorded

__all__ = ["CLIENT_SECRET", "Object", "Result", "StripeDouble", "StripeError", "is_probe"]

CLIENT_SECRET = "_secret_MARKEDclientSECRET"
_SECRETIVE = frozenset({"payment_intent", "setup_intent", "checkout.session"})  # Stripe may send one of these
_NOT_OURS = {"Set-Cookie": "stripe_cookie=1; Path=/", "Location": "https://stripe.invalid/elsewhere"}


class StripeDouble(StandIn, Double):
    """`add` stores an object in the account; the lists in `objects` are newest first."""

    def __init__(self, now: Callable[[], int] | None = None) -> None:
        numbers = count(1)
        making = Making(
            now=now or (lambda: 1_700_000_000 + next(numbers)),
            token=lambda length: f"{next(numbers):0{length}}",
            secret=lambda: CLIENT_SECRET,
            secretive=_SECRETIVE,
        )
        Double.__init__(self)
        StandIn.__init__(self, "sk_test_double", making, _NOT_OURS)
        self.objects = self.account.objects

    @property
    def customers(self) -> list[Object]:
        return self.objects["customer"]

    @property
    def payments(self) -> list[Object]:
        return self.objects["payment_intent"]

    @property
    def asked(self) -> list[Recorded]:
        """All requests except the sidecar's own probe of its key."""
        return [request for request in self.requests if not is_probe(request)]

    def add(self, kind: str, /, **attributes: Any) -> Object:  # noqa: ANN401 - the values of any attributes
        """Create an object without a request; a refund without a payment gets a payment of its own.

        A subscription has one item unless `items` is given.
        """
        if kind == "subscription" and "items" not in attributes:
            attributes.setdefault("id", self.account.new_id(kind))
            attributes["items"] = items_of(self.account, attributes["id"], [{}])
        if kind == "refund" and not {"payment_intent", "charge"} & attributes.keys():
            attributes |= self._paid()
        return self.account.add(kind, attributes)

    def _paid(self) -> Object:
        """Give the references of an object to a new payment of a customer."""
        payment = self.add("payment_intent", customer=self.add("customer")["id"], status="succeeded")
        paid = {"customer": payment["customer"], "payment_intent": payment["id"]}
        payment["latest_charge"] = self.add("charge", **paid)["id"]
        return {"payment_intent": payment["id"], "charge": payment["latest_charge"]}

    def add_customer(self, **attributes: object) -> Object:
        return self.add("customer", **attributes)

    def add_payment(self, **attributes: object) -> Object:
        return self.add("payment_intent", **attributes)

    def add_payments(self, number: int, **attributes: object) -> list[str]:
        """Give the new IDs in the order of a list, newest first."""
        return [str(self.add_payment(**attributes)["id"]) for _ in range(number)][::-1]


def is_probe(request: Recorded) -> bool:
    """Tell the sidecar's probe of its key, at the start and while the key is refused, from a caller's request."""
    return request.method == "GET" and request.target == "/v1/customers?limit=1"
