"""What a price times a quantity comes to. The amount is worked out from the price at Stripe, never taken from a client.

Only prices of one fixed amount for one payment: no recurring, tiered or customer-chosen ones, none for packages of
several (`transform_quantity`), and none with fractions of a cent (docs.stripe.com/api/prices/object).
"""

from collections.abc import Mapping

from sidecar.core.interfaces import Stripe
from sidecar.core.operations.parameters import MOST_AMOUNT
from sidecar.core.operations.resources import PRICE, StripeObject
from sidecar.errors import InvalidPayload


async def with_amount(values: Mapping[str, object], stripe: Stripe) -> dict[str, object]:
    """Put amount and currency in the place of `price` and `quantity`, which stay visible in the metadata.

    Raises StripeFailure, and InvalidPayload for a price that has no such amount, or what goes with none.
    """
    rest = {name: value for name, value in values.items() if name not in {"price", "quantity"}}
    if "price" not in values:
        if "quantity" in values:
            raise InvalidPayload("quantity: is of a price; send one, or leave it out.")
        return rest
    if "currency" in values:
        raise InvalidPayload("currency: comes from the price; leave it out.")
    price = await stripe.retrieve(PRICE.path, str(values["price"]))
    quantity = values.get("quantity", 1)
    amount = _unit_amount(price) * (quantity if isinstance(quantity, int) else 1)
    if not 1 <= amount <= MOST_AMOUNT:
        raise InvalidPayload("quantity: with this price it comes to an amount that Stripe does not take.")
    bought = {"price": str(values["price"]), "quantity": str(quantity)}
    return {**rest, "amount": amount, "currency": price.get("currency"), "metadata": bought}


def _unit_amount(price: StripeObject) -> int:
    amount = price.get("unit_amount")
    single = price.get("type") == "one_time" and isinstance(price.get("currency"), str)
    fixed = price.get("billing_scheme") == "per_unit" and price.get("transform_quantity") is None
    usable = price.get("active") is True and single and fixed
    if not usable or isinstance(amount, bool) or not isinstance(amount, int):
        raise InvalidPayload("price: must be active, for one payment and of one fixed amount.")
    return amount
