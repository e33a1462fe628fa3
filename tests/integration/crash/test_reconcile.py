"""`reconcile` on books that were put out of order on purpose: what it fills, and what it tells."""

import pytest

from tests.doubles.ledger import DAY
from tests.integration.crash.rig import Rig


async def test_what_was_lost_is_filled(rig: Rig) -> None:
    """An item without an ID gets that of the one customer which names it, and the second run has nothing to do."""
    item = await rig.new_item()
    customer = rig.customer_of(item)

    runs = [await rig.reconcile() for _ in range(2)]

    assert [(run.code, run.err) for run in runs] == [(0, ""), (0, "")]
    assert runs[0].out.splitlines() == [
        f"filled   item {item}: {customer}",
        "1 customers, 1 of this collection: 1 filled, 0 to decide",
    ]
    assert runs[1].out == "1 customers, 1 of this collection: 0 filled, 0 to decide\n"
    assert await rig.books() == {item: customer}


async def test_a_dry_run_only_tells(rig: Rig) -> None:
    """`--dry-run` says what it would fill and changes nothing."""
    item = await rig.new_item()
    customer = rig.customer_of(item)

    told = await rig.reconcile("--dry-run")

    assert (told.code, f"to fill  item {item}: {customer}\n" in told.out) == (0, True)
    assert await rig.books() == {item: None}
    assert not [request for request in rig.proxy.requests if request.method == "PATCH"]


async def test_foreign_customers_are_left_alone(rig: Rig) -> None:
    """Customers of another project, of another collection, or of none are none of ours."""
    item = await rig.new_item()
    rig.customer_of(item, project="another")
    rig.stripe.add_customer(metadata={"directus_project": "directus", "directus_collection": "x", "directus_item": "1"})
    rig.stripe.add_customer(email="ada@example.com", metadata={"directus_item": str(item)})

    told = await rig.reconcile()

    assert (told.code, told.out) == (0, "3 customers, 0 of this collection: 0 filled, 0 to decide\n")
    assert await rig.books() == {item: None}


async def test_several_customers_of_one_item_are_for_a_person(rig: Rig) -> None:
    """Neither is filled in where two name an empty item, however far apart they stand in Stripe's list."""
    empty, full = await rig.new_item(), await rig.new_item()
    first = rig.customer_of(empty, created=rig.stripe.now - 5 * DAY)
    for _ in range(120):
        rig.stripe.add_customer()
    second, holder, third = (rig.customer_of(item) for item in (empty, full, full))
    await rig.put(full, holder)

    told = await rig.reconcile()

    assert told.code == 1
    assert f"DECIDE   item {empty}: several customers name it ({second}, {first})\n" in told.out
    assert f"DECIDE   item {full}: several customers name it ({holder}, {third})\n" in told.out
    assert await rig.books() == {empty: None, full: holder}


@pytest.mark.parametrize("renewed", [True, False], ids=["with another customer", "alone"])
async def test_an_item_that_names_a_deleted_customer(rig: Rig, *, renewed: bool) -> None:
    """It is told, whether or not a living customer names the item, and never overwritten."""
    item = await rig.new_item()
    deleted = rig.customer_of(item)
    await rig.put(item, deleted)
    rig.stripe.delete(deleted)
    names = [deleted, *([rig.customer_of(item)] if renewed else [])]

    told = await rig.reconcile()

    assert told.code == 1
    line = f"DECIDE   item {item}: it holds a customer that was deleted at Stripe ({', '.join(names)})\n"
    assert told.out.count("DECIDE") == told.out.count(line) == 1
    assert await rig.books() == {item: deleted}


@pytest.mark.parametrize("held", ["cus_OfAnotherAccount", "../balance", "me"])
async def test_an_item_that_names_no_customer_of_this_account(rig: Rig, held: str) -> None:
    """It is told; what is no customer ID is not sent to Stripe."""
    item = await rig.new_item(**{rig.place.field: held})

    told = await rig.reconcile()

    assert told.code == 1
    assert f"item {item}: it holds a customer that this Stripe account does not have ({held})" in told.out
    paths = {request.path for request in rig.stripe.requests}
    assert paths == {"/v1/customers"} | ({f"/v1/customers/{held}"} if held.startswith("cus_") else set())


async def test_a_customer_whose_item_is_gone(rig: Rig) -> None:
    """It is told, and keeps no other customer from its item: not even a key that no item could ever have."""
    item, gone = await rig.new_item(), await rig.new_item()
    lost, orphan, odd = rig.customer_of(item), rig.customer_of(gone), rig.customer_of("../\n")
    await rig.place.stack.admin.request("DELETE", f"{rig.place.items}/{gone}")

    told = await rig.reconcile()

    assert told.code == 1
    assert f"DECIDE   item {gone}: it is gone, its customer is not ({orphan})\n" in told.out
    assert f"DECIDE   item '../\\n': it is gone, its customer is not ({odd})\n" in told.out
    assert await rig.books() == {item: lost}


async def test_since_looks_at_new_customers_only(rig: Rig) -> None:
    """`--since 7d` asks Stripe for what was created in these days, and search is never asked."""
    old_item, new_item = await rig.new_item(), await rig.new_item()
    rig.customer_of(old_item, created=rig.stripe.now - 8 * DAY)
    new = rig.customer_of(new_item)

    told = await rig.reconcile("--since", "7d")

    assert (told.code, "1 customers, 1 of this collection: 1 filled" in told.out) == (0, True)
    assert await rig.books() == {old_item: None, new_item: new}
    [asked] = rig.stripe.requests
    assert asked.path == "/v1/customers"
    assert abs(int(asked.query["created[gte]"]) - (rig.stripe.now - 7 * DAY)) < 60
