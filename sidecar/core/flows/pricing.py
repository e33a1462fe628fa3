"""The amount of a price times a quantity. It is computed from the price at Stripe, never taken from a client.

Only prices with one fixed amount for one payment are accepted: none that are recurring, tiered or chosen by the
customer, none for packages (`transform_quantity`), and none with fractions of a cent
(docs.stripe.com/api/prices/object).
"""

from collections.abc import Mapping

from sidecar.core.interfaces import StripeObjects
from sidecar.core.operations.metadata import BOUGHT_PRICE, BOUGHT_QUANTITY, METADATA
from sidecar.core.operations.operator_values import completed
from sidecar.core.operations.parameters import MOST_AMOUNT
from sidecar.core.operations.resources import PRICE, StripeObject
from sidecar.errors import InvalidPayload


async def with_amount(values: Mapping[str, object], stripe: StripeObjects) -> dict[str, object]:
    """Replace `price` and `quantity` by amount and currency; the metadata still shows both.

    Raises StripeFailure, and InvalidPayload for a price without such an amount, or for values that contradict it.
    """
    rest = {name: value for name, value in values.items() if name not in {"price", "quantity"}}
    if "price" not in values:
        if "quantity" in values:
            raise InvalidPayload("quantity: belongs to a price; send one, or leave it out.")
        return rest
    if "currency" in values:
        raise InvalidPayload("currency: comes from the price; leave it out.")
    quantity = values.get("quantity", 1)
    if not isinstance(quantity, int):
        raise InvalidPayload("quantity: must be a whole number.")
    price = await stripe.retrieve(PRICE.path, str(values["price"]))
    amount = _unit_amount(price) * quantity
    if not 1 <= amount <= MOST_AMOUNT:
        raise InvalidPayload("quantity: with this price it gives an amount that Stripe does not accept.")
    bought = {BOUGHT_PRICE: str(values["price"]), BOUGHT_QUANTITY: str(quantity)}
    return {**completed(rest, {METADATA: bought}), "amount": amount, "currency": price.get("currency")}


def _unit_amount(price: StripeObject) -> int:
    amount = price.get("unit_amount")
    single = price.get("type") == "one_time" and isinstance(price.get("currency"), str)
    fixed = price.get("billing_scheme") == "per_unit" and price.get("transform_quantity") is None
    usable = price.get("active") is True and single and fixed
    if not usable or isinstance(amount, bool) or not isinstance(amount, int):
        raise InvalidPayload("price: must be active, for one payment and of one fixed amount.")
    return amount
