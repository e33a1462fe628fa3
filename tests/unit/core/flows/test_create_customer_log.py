"""The operator's log lines about a creation that did not end as expected."""

import logging

import pytest

from sidecar.core.flows.create_customer import NewCustomer
from sidecar.core.flows.customer_for_item import create_customer_for_item
from tests.unit.core.flows.creations import ADA, CREATOR, DOWN, Items, Stripe, write_back

Line = tuple[str, dict[str, object]]


def told(caplog: pytest.LogCaptureFixture) -> list[Line]:
    names = ("item", "customer", "holder", "code", "detail")
    return [(each.message, {name: vars(each)[name] for name in names if name in vars(each)}) for each in caplog.records]


async def create(items: Items, stripe: Stripe) -> None:
    await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))


async def test_a_customer_that_belongs_to_no_item(caplog: pytest.LogCaptureFixture) -> None:
    """If two creations met, the line names the item, its customer, and the leftover customer."""
    await create(Items({7: None}, raced="cus_other"), Stripe())

    facts = {"item": 7, "customer": "cus_1", "holder": "cus_other"}
    assert told(caplog) == [("a customer belongs to no item", facts)]


async def test_an_id_that_was_not_written(caplog: pytest.LogCaptureFixture) -> None:
    """One line says why the ID was not written, another which ID still has to be written."""
    await create(Items({7: None}, failing={"claim": DOWN}), Stripe())

    assert told(caplog) == [
        ("an ID was not written", {"item": 7, "code": "SERVICE_UNAVAILABLE", "detail": "down"}),
        ("write-back pending", {"item": 7, "customer": "cus_1"}),
    ]


async def test_a_customer_that_was_deleted(caplog: pytest.LogCaptureFixture) -> None:
    """If an item gets another customer, a warning says so and names the former one."""
    items, stripe = Items({7: None}), Stripe(deleted={"cus_1"})
    await create(items, stripe)
    items.rows[7] = None

    with caplog.at_level(logging.WARNING):
        await create(items, stripe)

    facts = {"item": 7, "customer": "cus_1"}
    assert told(caplog) == [("a customer was deleted, its item gets another", facts)]
