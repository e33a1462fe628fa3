"""The types of Stripe's own library, by which the operator's values are judged."""

import pytest

from sidecar.core.operations.row import Operation
from sidecar.core.operations.table import OPERATIONS
from sidecar.settings.stripe_parameters import class_of, faults
from tests.unit.core.operations.test_stripe_description import library

ROWS = {row.name: row for row in OPERATIONS}


def found(name: str, **values: object) -> list[str]:
    return [str(fault) for fault in faults(ROWS[name], values)]


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_every_row_has_its_class(row: Operation) -> None:
    """Each row's parameters are found in the library, under the name that Stripe's call has there."""
    assert library(row).endswith(class_of(row).__name__)


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_what_excludes_each_other_is_stripes(row: Operation) -> None:
    """The parameters that exclude each other, or a customer, have Stripe's names."""
    named = {*row.at_most_one, *row.without_customer, *row.with_customer}

    assert named <= class_of(row).__annotations__.keys()


PRICE_DATA = {"currency": "eur", "unit_amount_decimal": "1,5"}


@pytest.mark.parametrize(
    ("values", "place", "what"),
    [
        ({"mode": "subscripton"}, "mode", "must be one of payment, setup, subscription; did you mean subscription?"),
        ({"mode": True}, "mode", "must be one of payment, setup, subscription"),
        ({"mod": "payment"}, "mod", "Stripe has no such parameter; did you mean mode?"),
        ({"allow_promotion_codes": "true"}, "allow_promotion_codes", "must be true or false"),
        ({"allow_promotion_codes": 1}, "allow_promotion_codes", "must be true or false"),
        ({"expires_at": True}, "expires_at", "must be a whole number"),
        ({"expires_at": 1.0}, "expires_at", "must be a whole number"),
        ({"client_reference_id": 7}, "client_reference_id", "must be a text"),
        ({"discounts": {"coupon": "A"}}, "discounts", "must be a list"),
        ({"automatic_tax": True}, "automatic_tax", "must be a table"),
        ({"automatic_tax": {"on": True}}, "automatic_tax.on", "Stripe has no such parameter"),
        ({"discounts": [{"coupon": "A"}, {"coupon": 3}]}, "discounts[1].coupon", "must be a text"),
        ({"subscription_data": {"trial_end": "14"}}, "subscription_data.trial_end", "must be a whole number"),
        ({"adaptive_pricing": {"enabled": float("nan")}}, "adaptive_pricing.enabled", "must be true or false"),
        (
            {"line_items": [{"price_data": PRICE_DATA}]},
            "line_items[0].price_data.unit_amount_decimal",
            "must be a number",
        ),
        ({"metadata": {"a": 1}}, "metadata.a", "must be a text"),
        ({"expand": ["customer"]}, "expand", "Stripe has no such parameter"),
        ({"idempotency_key": "x"}, "idempotency_key", "Stripe has no such parameter"),
    ],
)
def test_a_value_of_another_type_is_named(values: dict[str, object], place: str, what: str) -> None:
    """An unknown name and a value of another type are named with their place, at any depth."""
    assert f"{place}: {what}" in found("checkout_sessions.create", **values)


def test_what_stripe_takes_has_no_fault() -> None:
    """Enumerations, numbers in decimals, lists, tables, free keys and empty texts that unset pass."""
    assert (
        found(
            "checkout_sessions.create",
            mode="subscription",
            automatic_tax={"enabled": True},
            custom_text={"submit": ""},
            discounts=[{"coupon": "SUMMER"}],
            line_items=[{"price_data": {"currency": "eur", "product": "prod_1", "unit_amount_decimal": "1.5"}}],
            locale="auto",
            metadata={"a": "b"},
            allowed_payment_method_types=["card"],
            subscription_data={"application_fee_percent": 2.5, "trial_end": 1_900_000_000},
        )
        == []
    )
    assert found("subscriptions.update", trial_end="now", pause_collection="") == []


def test_what_is_missing_is_marked() -> None:
    """Where Stripe requires a member of a table and it is not there, the fault says that it is missing."""
    missing = list(faults(ROWS["checkout_sessions.create"], {"automatic_tax": {"liability": {"type": "self"}}}))

    assert [(str(each), each.missing) for each in missing] == [
        ("automatic_tax.enabled: is not set, and Stripe needs it", True)
    ]
