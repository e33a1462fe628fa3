"""W4, W7: items with an ID already, and items that another writer fills meanwhile."""

import asyncio

import pytest

from tests.doubles.pause import Pause
from tests.doubles.server import Recorded
from tests.doubles.waiting import eventually
from tests.integration.crash.rig import Rig


def patch(request: Recorded) -> bool:
    return request.method == "PATCH"


def creations(rig: Rig) -> int:
    return sum(request.method == "POST" for request in rig.stripe.requests)


async def test_an_item_with_a_customer_keeps_it(rig: Rig) -> None:
    """W4: The item's present customer is answered with 200, and Stripe creates no other."""
    old = rig.stripe.add_customer(email="other@example.com")
    item = await rig.new_item(**{rig.place.field: old["id"]})

    async with rig.sidecar() as server:
        answer = await rig.create(server, item=item)

    assert (answer.status, answer.customer, creations(rig)) == (200, old["id"], 0)
    assert await rig.customers_by_item() == {item: old["id"]}


async def test_a_deleted_customer_is_not_replaced(rig: Rig) -> None:
    """W4: An item with a deleted customer gets no second one automatically; a person decides."""
    old = rig.stripe.add_customer()
    rig.stripe.delete(str(old["id"]))
    item = await rig.new_item(**{rig.place.field: old["id"]})

    async with rig.sidecar() as server:
        answer = await rig.create(server, item=item)

    assert (answer.status, answer.error["code"], creations(rig)) == (409, "CONFLICT", 0)
    assert await rig.customers_by_item() == {item: old["id"]}


@pytest.mark.parametrize("planted", ["../balance", "cus_1/sources", "cus_1?expand[]=default_source", " "])
async def test_a_malformed_id_is_not_sent_to_stripe(rig: Rig, planted: str) -> None:
    """P1, W4: A user who may write the field cannot choose a path of Stripe's API with it; nothing is created."""
    item = await rig.new_item(**{rig.place.field: planted})
    async with rig.sidecar() as server:
        before = len(rig.stripe.asked)
        answer = await rig.create(server, item=item)

    assert (answer.status, answer.error["code"], answer.error["item"]) == (409, "CONFLICT", item)
    assert len(rig.stripe.asked) == before
    assert await rig.customers_by_item() == {item: planted}


@pytest.mark.parametrize("alias", ["0{}", "{}.0", "{}e0", "0x{:x}"])
async def test_an_item_has_one_name(rig: Rig, alias: str) -> None:
    """W2: Directus accepts several spellings of an item's key; a customer is made only under the item's own."""
    item = await rig.new_item()

    async with rig.sidecar() as server:
        answer = await rig.create(server, item=alias.format(item))

    assert (answer.status, answer.error["code"], creations(rig)) == (400, "INVALID_PAYLOAD", 0)


async def test_number_and_text_are_one_name(rig: Rig) -> None:
    """W2: A number as text is the same key as the number."""
    item = await rig.new_item()
    async with rig.sidecar() as server:
        answers = [await rig.create(server, item=name) for name in (item, str(item))]

    assert [answer.status for answer in answers] == [201, 200]
    await rig.assert_one_to_one()


async def test_the_winner_of_a_race_is_answered(rig: Rig) -> None:
    """W4: If another writer fills the field between Stripe's answer and the claim, the answer is its customer, 200."""
    item, other = await rig.new_item(), rig.stripe.add_customer(email="other@example.com")
    pause = Pause(after=False)
    rig.proxy.fail(pause, when=patch, times=1)
    async with rig.sidecar() as server:
        creation = asyncio.create_task(rig.create(server, item=item))
        async with asyncio.timeout(60):
            await pause.reached.wait()
        await rig.put(item, str(other["id"]))
        pause.release()
        answer = await creation

    assert (answer.status, answer.customer) == (200, other["id"])
    assert await rig.customers_by_item() == {item: other["id"]}
    told = await rig.reconcile()
    assert (told.code, told.out.count("several customers name it")) == (1, 1)


async def test_an_id_that_was_overwritten_at_once_is_seen(rig: Rig) -> None:
    """W4: Directus finds and writes in two steps, so another write can follow ours: the field's final value counts."""
    item, other = await rig.new_item(), rig.stripe.add_customer(email="other@example.com")
    pause = Pause(after=True)
    rig.proxy.fail(pause, when=patch, times=1)
    async with rig.sidecar() as server:
        creation = asyncio.create_task(rig.create(server, item=item))
        async with asyncio.timeout(60):
            await pause.reached.wait()
        await rig.put(item, str(other["id"]))
        pause.release()
        answer = await creation

    assert (answer.status, answer.customer) == (200, other["id"])


async def test_a_customer_of_another_item_is_a_conflict(rig: Rig) -> None:
    """W4: If the ID was moved to another item the answer is a conflict that no retry resolves; no second customer."""
    item, other = await rig.new_item(), await rig.new_item()
    async with rig.sidecar() as server:
        customer = (await rig.create(server, item=item)).customer
        await rig.put(item, None)
        await rig.put(other, customer)
        answer = await rig.create(server, item=item)

    assert (answer.status, answer.error["code"]) == (409, "CONFLICT")
    assert await rig.customers_by_item() == {item: None, other: customer}
    told = await rig.reconcile()
    assert (told.code, f"item {item}: another item has its customer ({customer})" in told.out) == (1, True)


async def test_nobody_is_matched_by_address(rig: Rig) -> None:
    """W7: A customer with the same address is not the item's: anyone can type an address."""
    old = rig.stripe.add_customer(email="ada@example.com")
    item = await rig.new_item(email="ada@example.com")

    async with rig.sidecar() as server:
        answer = await rig.create(server, item=item, email="ada@example.com")

    assert answer.status == 201
    assert answer.customer != old["id"]
    assert (await rig.reconcile()).code == 0
    assert await rig.customers_by_item() == {item: answer.customer}


async def test_an_item_keeps_its_first_address_within_a_day(rig: Rig) -> None:
    """W6: After a crash the same item with another address is a clear conflict, and no second customer."""
    item = await rig.new_item()
    rig.proxy.fail(Pause(after=False), when=patch)
    async with rig.sidecar() as server:
        creation = asyncio.create_task(rig.create(server, item=item))
        await eventually(lambda: bool(rig.stripe.alive))
        server.popen.kill()
        await creation
    rig.proxy.recover()
    async with rig.sidecar() as server:
        answer = await rig.create(server, item=item, email="grace@example.com")

    assert (answer.status, answer.error["item"], answer.error["stripe"]["type"]) == (409, item, "idempotency_error")
    assert len(rig.stripe.alive) == 1
