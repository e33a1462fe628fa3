"""U3, W3: answers of Stripe and Directus that are lost, and the caller's answer."""

import json

import pytest

from tests.doubles import faults
from tests.doubles.server import Recorded
from tests.integration.crash.rig import Rig


def post(request: Recorded) -> bool:
    return request.method == "POST"


def patch(request: Recorded) -> bool:
    return request.method == "PATCH"


LOSSES = [
    faults.reset_before_headers,
    faults.reset_after_work,
    faults.reset_mid_body,
    faults.short_body,
    faults.reset_after_body,
]


@pytest.mark.parametrize("given", [True, False], ids=["item given", "item created by the call"])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
async def test_a_lost_answer_of_stripe_is_asked_for_again(rig: Rig, loss: faults.Fault, *, given: bool) -> None:
    """U3: When the connection to Stripe breaks, the same request is sent again with the same key: one customer."""
    item = await rig.new_item() if given else None
    rig.stripe.fail(loss, when=post, times=1)

    async with rig.sidecar() as server:
        answer = await rig.create(server, item=item)

    asked = [request for request in rig.stripe.requests if post(request)]
    assert answer.status == 201
    assert len({(*request.values("Idempotency-Key"), request.body) for request in asked}) == 1
    await rig.assert_one_to_one()
    assert len(rig.stripe.alive) == 1


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
async def test_a_lost_answer_to_the_claim(rig: Rig, loss: faults.Fault) -> None:
    """W3: The ID is in the item and counts as created, whether or not Directus wrote it before the connection broke."""
    rig.proxy.fail(loss, when=patch, times=1)

    async with rig.sidecar() as server:
        answer = await rig.create(server)

    assert (answer.status, "write_back" in answer.body) == (201, False)
    await rig.assert_one_to_one()


@pytest.mark.parametrize("given", [True, False], ids=["item given", "item created by the call"])
@pytest.mark.parametrize("mender", ["retry", "reconcile"])
async def test_directus_goes_down_after_stripe_answered(rig: Rig, mender: str, *, given: bool) -> None:
    """W3: The caller gets the customer and learns that its ID is pending; a retry or `reconcile` completes it."""
    item = await rig.new_item() if given else None
    rig.proxy.fail(faults.reset_before_headers, when=patch)
    async with rig.sidecar(WRITE_BACK_TIMEOUT="1") as server:
        pending = await rig.create(server, item=item)
        rig.proxy.recover()
        [item] = await rig.customers_by_item()
        mended = (await rig.create(server, item=item)).status if mender == "retry" else (await rig.reconcile()).code
        logged = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]

    assert (pending.status, pending.body["write_back"], pending.headers["X-Write-Back"]) == (201, "pending", "pending")
    assert [(line["item"], line["customer"]) for line in logged if line["message"] == "write-back pending"] == [
        (item, pending.customer)
    ]
    assert mended == (200 if mender == "retry" else 0)
    assert await rig.customers_by_item() == {item: pending.customer}
    await rig.assert_one_to_one()


@pytest.mark.parametrize("given", [True, False], ids=["item given", "item created by the call"])
async def test_stripe_fails_after_the_item_was_created(rig: Rig, *, given: bool) -> None:
    """W3: The error names the item, and a retry with that item makes no second one."""
    item = await rig.new_item() if given else None
    rig.stripe.fail(faults.answer(503), when=post)
    async with rig.sidecar() as server:
        failed = await rig.create(server, item=item)
        rig.stripe.recover()
        retried = await rig.create(server, item=failed.error["item"])

    assert (failed.status, retried.status) == (502, 201)
    assert await rig.customers_by_item() == {failed.error["item"]: retried.customer}
    await rig.assert_one_to_one()


async def test_an_error_of_stripe_after_its_effect_is_reconciled(rig: Rig) -> None:
    """W1: Stripe made the customer, yet repeats its 500 for a day; `reconcile` still finds the customer."""
    item = await rig.new_item()
    rig.stripe.stumble = "after"
    async with rig.sidecar() as server:
        answers = [await rig.create(server, item=item) for _ in range(2)]
        mended = await rig.reconcile()
        found = await rig.create(server, item=item)

    assert [answer.status for answer in answers] == [502, 502]
    assert mended.code == 0
    assert found.status == 200
    await rig.assert_one_to_one()
    assert len(rig.stripe.alive) == 1


async def test_an_error_of_stripe_before_its_effect_lasts_a_day(rig: Rig) -> None:
    """W1: Such a 500 looks like the other kind, so no new key is tried; a day later the request works."""
    item = await rig.new_item()
    rig.stripe.stumble = "before"
    async with rig.sidecar() as server:
        failed = await rig.create(server, item=item)
        rig.stripe.now += 25 * 3600
        created = await rig.create(server, item=item)

    assert (failed.status, created.status) == (502, 201)
    await rig.assert_one_to_one()
