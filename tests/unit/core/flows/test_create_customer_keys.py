"""The idempotency key of a creation at Stripe: a caller with another's key would get another's customer."""

from dataclasses import replace

from sidecar.core.flows.create_customer import NewCustomer, create_customer
from sidecar.core.flows.customer_for_item import create_customer_for_item
from sidecar.core.flows.idempotency import client_key
from tests.unit.core.flows.creations import ADA, CALLER, CREATOR, LINKS, Items, Stripe, write_back


async def test_each_item_has_a_key_of_its_own() -> None:
    """Two items of one collection have two keys and two customers, and each key derives from its item."""
    items, stripe = Items({7: None, 8: None}), Stripe()

    for item in (7, 8):
        await create_customer_for_item(NewCustomer(ADA, item), CREATOR, stripe, write_back(items))

    assert items.rows == {7: "cus_1", 8: "cus_2"}
    assert list(stripe.by_key) == [LINKS.idempotency_key(7), LINKS.idempotency_key(8)]


async def test_after_a_deletion_the_key_names_the_customer_that_went() -> None:
    """The next key derives from the item and the deleted customer, so all callers arrive at the same one."""
    items, stripe = Items({7: None}), Stripe(deleted={"cus_1"})

    for _ in range(2):
        items.rows[7] = None
        await create_customer_for_item(NewCustomer(ADA, 7), CREATOR, stripe, write_back(items))

    assert list(stripe.by_key) == [LINKS.idempotency_key(7), LINKS.idempotency_key(7, after="cus_1")]


async def test_a_clients_key_belongs_to_one_operation() -> None:
    """The same key of the same client gives another key for another operation."""
    stripe = Stripe()

    await create_customer(NewCustomer(ADA), replace(CREATOR, key="my-key"), stripe)

    assert list(stripe.by_key) == [client_key(CALLER, "customers.create", "my-key")]


async def test_without_a_key_of_the_clients_chance_makes_one() -> None:
    """Each call has an unguessable key, so only Stripe's library repeats it."""
    stripe = Stripe()

    for _ in range(2):
        await create_customer(NewCustomer(ADA), CREATOR, stripe)

    assert [len(bytes.fromhex(key)) for key in stripe.by_key] == [16, 16]


def test_the_key_after_a_deletion_survives_a_release() -> None:
    """Two releases that serve at once derive the same key from the same facts, as with the first key of an item."""
    expected = "a5ca35e321c3e5a3c8eba0c53e4bab07653fd0e506778a7c66191e74c16be783"

    assert LINKS.idempotency_key(7, after="cus_1") == expected
