"""The objects of an account at Stripe: making them, finding them, and checking references to them.

Objects have the shape of Stripe's own examples (fixtures.json) without the examples' filler values: a new object has no
customer, error, discount or next action.
"""

import copy
import json
import secrets
import string
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.stripe_stand_in.cards import Bank
from deploy.stripe_stand_in.errors import Object, StripeError, missing_object
from deploy.stripe_stand_in.kinds import KINDS

SHAPES: dict[str, Object] = json.loads((Path(__file__).parent / "fixtures.json").read_text(encoding="utf-8"))
_LETTERS = string.ascii_letters + string.digits
_NEVER = "payment_method_configuration_details managed_payments"
_UNSET = {
    "customer": "discount shipping currency",
    "payment_intent": f"canceled_at last_payment_error next_action processing shipping transfer_data {_NEVER}",
    "charge": "shipping source transfer_data",
    "refund": "charge",
    "invoice": "customer parent due_date from_invoice last_finalization_error shipping_cost next_payment_attempt",
    "subscription": (
        "customer cancel_at canceled_at ended_at trial_start trial_end pause_collection pending_update transfer_data "
        "pending_invoice_item_interval next_pending_invoice_item_invoice billing_schedules managed_payments"
    ),
    "setup_intent": f"last_setup_error next_action {_NEVER}",
    "customer_session": "customer_account",
    "checkout.session": f"payment_intent customer_details shipping_cost currency_conversion {_NEVER}",
    "billing_portal.session": "customer flow",
    "dispute": "payment_intent",
    "credit_note": "shipping_cost voided_at",
    "quote": "from_quote",
    "subscription_schedule": "canceled_at completed_at released_at current_phase",
    "coupon": "currency duration_in_months redeem_by",
    "promotion_code": "expires_at",
    "product": "default_price description package_dimensions",
    "price": "custom_unit_amount transform_quantity",
}
_NEW: dict[str, Object] = {
    "charge": {"captured": True, "amount_captured": 100},
    "subscription": {"cancel_at_period_end": False},
    "billing_portal.session": {"livemode": False},
    "promotion_code": {"active": True},
    "billing.meter": {"customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"}},
}
_REFERENCES = {
    name: name for name in ("customer", "payment_intent", "charge", "subscription", "price", "product")
} | dict.fromkeys(("payment_method", "default_payment_method"), "payment_method")


def _now() -> int:
    return int(time.time())


def _token(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


@dataclass(frozen=True, slots=True)
class Making:
    """The values that an account makes up: times, random parts of IDs, and client secrets for `secretive` kinds."""

    now: Callable[[], int] = _now
    token: Callable[[int], str] = _token
    secret: Callable[[], str] = lambda: f"_secret_{_token(25)}"
    secretive: frozenset[str] = frozenset({"payment_intent", "setup_intent"})


class Account:
    """`objects` has the objects of each kind, newest first; `spent` has the payment methods that were detached.

    `banks`: what the bank of a payment method says, if not yes. `bills`: the invoice that a payment is for; `trials`:
    the subscription that a SetupIntent is for. `address`: where the pages are that this account shows to browsers.
    `portal_saved`: its settings of the customer portal were saved, so there is a default configuration. `live` has the
    IDs of live mode, which this account in test mode does not have.
    """

    def __init__(self, making: Making) -> None:
        self.objects: dict[str, list[Object]] = {name: [] for name in KINDS}
        self.spent: set[str] = set()
        self.banks: dict[str, Bank] = {}
        self.bills: dict[str, str] = {}
        self.trials: dict[str, str] = {}
        self.address = ""
        self.portal_saved = True
        self.live: set[str] = set()
        self.making = making

    def new_id(self, name: str) -> str:
        return KINDS[name].new_id(self.making.token)

    def add(self, name: str, attributes: Object) -> Object:
        """Create an object of this kind; attributes that are not given have the example's values."""
        new = self.made(name, attributes)
        self.objects[name].insert(0, new)
        return new

    def made(self, name: str, attributes: Object) -> Object:
        """Make an object without adding it to the account."""
        new = copy.deepcopy(SHAPES[name]) | dict.fromkeys(_UNSET.get(name, "").split()) | _NEW.get(name, {})
        made = {"id": attributes.get("id") or self.new_id(name), "created": self.making.now()}
        new |= {attribute: value for attribute, value in made.items() if attribute in new}
        if name in self.making.secretive:
            new["client_secret"] = new["id"] + self.making.secret()
        return new | attributes

    def find(self, name: str, object_id: object, place: str, status: int = 400) -> Object:
        """Find an object. Raises StripeError with `status`, and with `place` as the parameter's name."""
        for found in self.objects[name]:
            if found["id"] == object_id and not (status == 400 and found.get("deleted")):  # noqa: PLR2004 - the status of a reference
                return found
        raise missing_object(name, object_id, place, status, in_live_mode=object_id in self.live)

    def remove(self, name: str, object_id: str) -> None:
        self.objects[name] = [entry for entry in self.objects[name] if entry["id"] != object_id]

    def check_filters(self, filters: Object) -> None:
        """Raise StripeError for a list by a customer that the account never had; a deleted one still has its lists."""
        if "customer" in filters and all(entry["id"] != filters["customer"] for entry in self.objects["customer"]):
            self.find("customer", filters["customer"], "customer")

    def check_references(self, values: Object) -> None:
        """Raise StripeError unless all objects exist that `values` refer to."""
        for place, name, object_id in _references(values):
            self.find(name, object_id, place)

    def check_method(self, method_id: str, customer: object, place: str, *, attached: bool) -> None:
        """Raise StripeError unless this payment method may pay for `customer`, which is None for a payment without one.

        An attached method pays for its own customer only; a detached one can never be used again
        (docs.stripe.com/api/payment_methods/detach). `attached`: a method without a customer is refused too.
        """
        method = self.find("payment_method", method_id, place)
        if method_id in self.spent:
            raise StripeError(400, "This PaymentMethod was detached and may not be used again.", param=place)
        if method["customer"] != customer and (attached or method["customer"] is not None):
            message = f"The customer does not have a payment method with the ID {method_id}."
            raise StripeError(400, message, code="resource_missing", param=place)


def _references(values: Any, within: str = "") -> Iterator[tuple[str, str, object]]:  # noqa: ANN401 - values of a form
    pairs = values.items() if isinstance(values, dict) else enumerate(values)
    for name, value in pairs:
        place = f"{within}[{name}]" if within else str(name)
        if isinstance(value, dict | list) and name != "metadata":
            yield from _references(value, place)
        elif name in _REFERENCES and isinstance(value, str) and value:
            yield place, _REFERENCES[name], value
