"""`reconcile` on items and customers that do not match: what it fills, and what it reports."""

import pytest

from tests.doubles.ledger import DAY
from tests.integration.crash.rig import Rig


async def test_a_lost_id_is_filled(rig: Rig) -> None:
    """An empty item gets the ID of the one customer that names it, and the second run has nothing to do."""
    item = await rig.new_item()
    customer = rig.customer_of(item)

    runs = [await rig.reconcile() for _ in range(2)]

    assert [(run.code, run.err) for run in runs] == [(0, ""), (0, "")]
    assert runs[0].out.splitlines() == [
        f"filled   item {item}: {customer}",
        "1 customers, 1 of this collection: 1 filled, 0 to decide",
    ]
    assert runs[1].out == "1 customers, 1 of this collection: 0 filled, 0 to decide\n"
    assert await rig.customers_by_item() == {item: customer}


async def test_a_dry_run_only_reports(rig: Rig) -> None:
    """`--dry-run` reports what it would fill and changes nothing."""
    item = await rig.new_item()
    customer = rig.customer_of(item)

    told = await rig.reconcile("--dry-run")

    assert (told.code, f"to fill  item {item}: {customer}\n" in told.out) == (0, True)
    assert await rig.customers_by_item() == {item: None}
    assert not [request for request in rig.proxy.requests if request.method == "PATCH"]


async def test_foreign_customers_are_left_alone(rig: Rig) -> None:
    """Customers of another project, of another collection, or without metadata are ignored."""
    item = await rig.new_item()
    rig.customer_of(item, project="another")
    rig.stripe.add_customer(metadata={**rig.place.signed(item), "directus_collection": "x"})
    rig.stripe.add_customer(email="ada@example.com", metadata={"directus_item": str(item)})

    told = await rig.reconcile()

    assert (told.code, told.out) == (0, "3 customers, 0 of this collection: 0 filled, 0 to decide\n")
    assert await rig.customers_by_item() == {item: None}


async def test_several_customers_of_one_item_are_reported(rig: Rig) -> None:
    """If two customers name an empty item neither is filled in, however far apart they are in Stripe's list."""
    empty, full = await rig.new_item(), await rig.new_item()
    first = rig.customer_of(empty, created=rig.stripe.now - 5 * DAY)
    for _ in range(120):
        rig.stripe.add_customer()
    second, linked, third = (rig.customer_of(item) for item in (empty, full, full))
    await rig.put(full, linked)

    told = await rig.reconcile()

    assert told.code == 1
    assert f"DECIDE   item {empty}: several customers name it ({second}, {first})\n" in told.out
    assert f"DECIDE   item {full}: several customers name it ({linked}, {third})\n" in told.out
    assert await rig.customers_by_item() == {empty: None, full: linked}


@pytest.mark.parametrize("renewed", [True, False], ids=["with another customer", "alone"])
async def test_an_item_that_names_a_deleted_customer(rig: Rig, *, renewed: bool) -> None:
    """An item with a deleted customer's ID is reported and never overwritten, even if another customer names it."""
    item = await rig.new_item()
    deleted = rig.customer_of(item)
    await rig.put(item, deleted)
    rig.stripe.delete(deleted)
    names = [deleted, *([rig.customer_of(item)] if renewed else [])]

    told = await rig.reconcile()

    assert told.code == 1
    line = f"DECIDE   item {item}: its customer was deleted at Stripe ({', '.join(names)})\n"
    assert told.out.count("DECIDE") == told.out.count(line) == 1
    assert await rig.customers_by_item() == {item: deleted}


@pytest.mark.parametrize("planted", ["cus_OfAnotherAccount", "../balance", "me"])
async def test_an_item_that_names_no_customer_of_this_account(rig: Rig, planted: str) -> None:
    """An item with an unknown customer's ID is reported; an ID that is not a customer's is not sent to Stripe."""
    item = await rig.new_item(**{rig.place.field: planted})

    told = await rig.reconcile()

    assert told.code == 1
    assert f"item {item}: its customer is not in this Stripe account ({planted})" in told.out
    paths = {request.path for request in rig.stripe.requests}
    assert paths == {"/v1/customers"} | ({f"/v1/customers/{planted}"} if planted.startswith("cus_") else set())


async def test_a_customer_of_a_missing_item(rig: Rig) -> None:
    """A customer of a missing item is reported and delays no other, even if the key could not exist."""
    item, gone = await rig.new_item(), await rig.new_item()
    lost, orphan, odd = rig.customer_of(item), rig.customer_of(gone), rig.customer_of("../\n")
    await rig.place.stack.admin.request("DELETE", f"{rig.place.items}/{gone}")

    told = await rig.reconcile()

    assert told.code == 1
    assert f"DECIDE   item {gone}: it is gone, its customer is not ({orphan})\n" in told.out
    assert f"DECIDE   item '../\\n': it is gone, its customer is not ({odd})\n" in told.out
    assert await rig.customers_by_item() == {item: lost}


async def test_since_looks_at_new_customers_only(rig: Rig) -> None:
    """`--since 7d` lists only customers created in these days, and never uses Stripe's search."""
    old_item, new_item = await rig.new_item(), await rig.new_item()
    rig.customer_of(old_item, created=rig.stripe.now - 8 * DAY)
    new = rig.customer_of(new_item)

    told = await rig.reconcile("--since", "7d")

    assert (told.code, "1 customers, 1 of this collection: 1 filled" in told.out) == (0, True)
    assert await rig.customers_by_item() == {old_item: None, new_item: new}
    asked, alive = rig.stripe.requests
    assert (asked.path, alive.path) == ("/v1/customers", f"/v1/customers/{new}")
    assert abs(int(asked.query["created[gte]"]) - (rig.stripe.now - 7 * DAY)) < 60
