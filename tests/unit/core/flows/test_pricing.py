"""The amount of a price times a quantity."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.core.flows.pricing import with_amount
from sidecar.core.operations.parameters import MOST_AMOUNT, MOST_QUANTITY
from sidecar.core.operations.resources import PRICE
from sidecar.errors import InvalidPayload, StripeRejected
from tests.unit.core.flows.calls import Stripe, thing

FIXED: dict[str, object] = {
    "active": True,
    "unit_amount": 250,
    "currency": "eur",
    "type": "one_time",
    "billing_scheme": "per_unit",
    "transform_quantity": None,
}


def offering(**changes: object) -> Stripe:
    return Stripe.of({**thing(PRICE, "1"), **FIXED, **changes})


@given(st.integers(-1, 2 * MOST_AMOUNT), st.integers(1, MOST_QUANTITY))
@example(1, 1)
@example(0, 1)
@example(MOST_AMOUNT, 1)
@example(MOST_AMOUNT + 1, 1)
async def test_the_amount_is_the_price_times_the_quantity(unit: int, quantity: int) -> None:
    """The amount is exact; an amount of zero, or of more than Stripe's eight digits, is refused."""
    values: dict[str, object] = {"price": "price_1", "quantity": quantity, "description": "x"}
    stripe = offering(unit_amount=unit)

    if 1 <= unit * quantity <= MOST_AMOUNT:
        assert {
            "amount": unit * quantity,
            "currency": "eur",
            "description": "x",
            "metadata": {"price": "price_1", "quantity": str(quantity)},
        } == await with_amount(values, stripe)
    else:
        with pytest.raises(InvalidPayload, match="quantity"):
            await with_amount(values, stripe)


async def test_one_is_meant_where_no_quantity_is_said() -> None:
    """Without a quantity a price is bought once."""
    expected = {"amount": 250, "currency": "eur", "metadata": {"price": "price_1", "quantity": "1"}}

    assert expected == await with_amount({"price": "price_1"}, offering())


@pytest.mark.parametrize(
    "changes",
    [
        {"active": False},
        {"active": None},
        {"active": "true"},
        {"unit_amount": None},
        {"unit_amount": True},
        {"unit_amount": 2.5},
        {"unit_amount": "250"},
        {"type": "recurring"},
        {"type": None},
        {"billing_scheme": "tiered"},
        {"billing_scheme": None},
        {"transform_quantity": {"divide_by": 100, "round": "up"}},
        {"currency": None},
    ],
    ids=str,
)
async def test_other_prices_are_refused(changes: dict[str, object]) -> None:
    """A price that is inactive, recurs, or costs anything but amount times quantity is refused by name."""
    with pytest.raises(InvalidPayload, match="price"):
        await with_amount({"price": "price_1"}, offering(**changes))


@pytest.mark.parametrize("missing", ["active", "unit_amount", "type", "billing_scheme", "currency"])
async def test_a_price_that_does_not_say_is_refused(missing: str) -> None:
    """Deny is the default: a property that is missing in a price does not count in its favor."""
    price = {name: value for name, value in offering().objects["price_1"].items() if name != missing}

    with pytest.raises(InvalidPayload, match="price"):
        await with_amount({"price": "price_1"}, Stripe.of(price))


async def test_an_amount_of_the_clients_passes_as_it_is() -> None:
    """If the operator lets clients choose the amount, Stripe is asked for no price."""
    values: dict[str, object] = {"amount": 1099, "currency": "usd", "customer": "cus_1"}
    stripe = offering()

    assert values == await with_amount(values, stripe)
    assert stripe.retrieved == []


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"price": "price_1", "currency": "usd"}, "currency"),
        ({"amount": 100, "currency": "usd", "quantity": 5}, "quantity"),
        ({"price": "price_1", "quantity": "2"}, "quantity"),
    ],
)
async def test_contradictions_are_refused(values: dict[str, object], named: str) -> None:
    """No parameter is ignored silently: a currency with a price, or a quantity with an amount, is a fault."""
    stripe = offering()

    with pytest.raises(InvalidPayload, match=f"^{named}: "):
        await with_amount(values, stripe)

    assert stripe.retrieved == []


async def test_an_unknown_price_is_stripes_to_say() -> None:
    """Stripe rejects a price that it does not have."""
    with pytest.raises(StripeRejected):
        await with_amount({"price": "price_2"}, offering())
