"""The objects of an account at Stripe, and what the calls that change something do to them.

Objects have the shape of Stripe's own examples (fixtures.json), belonging to nobody unless it is said to whom.
Effects: docs.stripe.com/api, "Create a …", "Update a …", "Cancel a …" and the like of each resource.
"""

import copy
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from tests.doubles.stripe_errors import Object, StripeError, missing_object, missing_parameter
from tests.doubles.stripe_kinds import KINDS, Kind

CLIENT_SECRET = "_secret_MARKEDclientSECRET"
SHAPES: dict[str, Object] = json.loads((Path(__file__).parent / "fixtures.json").read_text())
_NOBODYS: dict[str, Object] = {
    "billing_portal.session": {"customer": None},
    "checkout.session": {"payment_intent": None},
    "invoice": {"customer": None, "parent": None},
    "refund": {"charge": None},
    "subscription": {
        **dict.fromkeys(("customer", "cancel_at", "canceled_at", "ended_at", "trial_start", "trial_end")),
        "cancel_at_period_end": False,
    },
}
_SECRETS = {"payment_intent", "setup_intent", "checkout.session"}
_REFERENCES = {
    name: name for name in ("customer", "payment_intent", "charge", "subscription", "price", "payment_method")
} | {"default_payment_method": "payment_method"}


class Account:
    """`objects` holds those of each kind, newest first."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Object]] = {name: [] for name in KINDS}
        self.numbers = count(1)

    def add(self, name: str, attributes: Object) -> Object:
        """Create an object of the kind of this name; what `attributes` leave out is as in the example."""
        new = self.made(KINDS[name], attributes)
        self.objects[name].insert(0, new)
        return new

    def made(self, kind: Kind, attributes: Object) -> Object:
        """Make an object that is in no list."""
        new: Object = {**copy.deepcopy(SHAPES[kind.name]), **copy.deepcopy(_NOBODYS.get(kind.name, {}))}
        new |= {"id": kind.new_id(next(self.numbers)), "created": 1_700_000_000 + next(self.numbers)}
        if kind.name in _SECRETS:
            new["client_secret"] = f"{new['id']}{CLIENT_SECRET}"
        if kind.name.endswith(".session"):
            new["url"] = f"https://{kind.name.split('.')[0].replace('_portal', '')}.stripe.com/{new['id']}"
        if kind.name == "subscription" and "items" not in attributes:
            new["items"] = self.items(str(new["id"]), [{}])
        if kind.name == "refund" and not {"payment_intent", "charge"} & attributes.keys():
            new |= self._paid()
        return new | attributes

    def find(self, name: str, object_id: object, place: str, status: int = 400) -> Object:
        """Find an object. Raises StripeError with this status and the parameter's `place`."""
        for found in self.objects[name]:
            if found["id"] == object_id and not (status == 400 and found.get("deleted")):
                return found
        raise missing_object(name, object_id, place, status)

    def _paid(self) -> Object:
        """Give what refers to a payment: a customer's, made for this."""
        payment = self.add("payment_intent", {"customer": self.add("customer", {})["id"], "status": "succeeded"})
        paid = {"customer": payment["customer"], "payment_intent": payment["id"]}
        charge = payment["latest_charge"] = self.add("charge", paid)["id"]
        return {"payment_intent": payment["id"], "charge": charge}

    def items(self, subscription: str, wanted: list[Any]) -> Object:
        """Make a subscription's items, each by `price`, an ID, and `quantity`."""
        data = [self._item(subscription, values) for values in wanted]
        url = f"/v1/subscription_items?subscription={subscription}"
        return {"object": "list", "data": data, "has_more": False, "url": url}

    def _item(self, subscription: str, values: Any) -> Object:  # noqa: ANN401 - read from a form
        attributes: Object = {"subscription": subscription, "quantity": values.get("quantity", 1)}
        if "price" in values:
            attributes["price"] = self.find("price", values["price"], "items[0][price]")
        return self.add("subscription_item", attributes)

    def change_items(self, subscription: Object, wanted: list[Any]) -> None:
        """Change, add or remove items, as docs.stripe.com/api/subscriptions/update has it."""
        items: Any = subscription["items"]
        for index, values in enumerate(wanted):
            if "id" not in values:
                items["data"].append(self._item(str(subscription["id"]), values))
                continue
            [item] = [entry for entry in items["data"] if entry["id"] == values["id"]] or [None]
            if item is None:
                raise missing_object("subscription_item", values["id"], f"items[{index}][id]")
            if values.get("deleted"):
                items["data"].remove(item)
            if "price" in values:
                item["price"] = self.find("price", values["price"], f"items[{index}][price]")
            item["quantity"] = values.get("quantity", item["quantity"])

    def check_references(self, values: Object) -> None:
        """Raise StripeError unless all that is referred to is there."""
        for place, name, object_id in _references(values):
            self.find(name, object_id, place)

    def owner(self, values: Object) -> object:
        """Find whose invoice it is. Raises StripeError where subscription and customer do not belong together."""
        named = values.get("customer")
        if "subscription" not in values:
            if named is None:
                raise missing_parameter("customer")
            return named
        owner = self.find("subscription", values["subscription"], "subscription")["customer"]
        if named not in {None, owner}:
            raise StripeError(400, "The subscription is not the customer's.", param="subscription")
        return owner


def _references(values: Any, within: str = "") -> Iterator[tuple[str, str, object]]:  # noqa: ANN401 - read from a form
    pairs = values.items() if isinstance(values, dict) else enumerate(values)
    for name, value in pairs:
        place = f"{within}[{name}]" if within else str(name)
        if isinstance(value, dict | list) and name != "metadata":
            yield from _references(value, place)
        elif name in _REFERENCES and isinstance(value, str):
            yield place, _REFERENCES[name], value
