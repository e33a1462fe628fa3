"""W1: the sidecar is killed at each step between "item read" and "ID written"; then the remains are repaired.

"Killed" is SIGKILL to the process while the request of that step is paused: on its way, or answered but not yet
passed on.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.doubles.pause import Pause
from tests.doubles.server import Recorded
from tests.integration.crash.rig import Rig


@dataclass(frozen=True, slots=True)
class Point:
    """The moment of the kill, and the number of customers and written IDs after it."""

    name: str
    upstream: str
    when: Callable[[Recorded], bool]
    after: bool
    customers: int
    written: int


def post(request: Recorded) -> bool:
    return request.method == "POST"


def patch(request: Recorded) -> bool:
    return request.method == "PATCH"


def read_back(request: Recorded) -> bool:
    """Tell the service's reading of the item from the caller's; `killed_at` leaves out the one before Stripe's turn."""
    return request.method == "GET" and "X-Forwarded-For" not in {name for name, _ in request.headers}


ITEM_CREATED = Point("item created", "proxy", post, after=True, customers=0, written=0)
POINTS = (
    Point("before Stripe has the request", "stripe", post, after=False, customers=0, written=0),
    Point("Stripe has acted but not answered", "stripe", post, after=True, customers=1, written=0),
    Point("answered but not written", "proxy", patch, after=False, customers=1, written=0),
    Point("PATCH sent but not answered", "proxy", patch, after=True, customers=1, written=1),
    Point("written but not answered to the client", "proxy", read_back, after=True, customers=1, written=1),
)


async def killed_at(rig: Rig, point: Point, item: object) -> None:
    """Create until the point is reached, then kill. `item` None creates an item."""
    pause = Pause(after=point.after)

    def due(request: Recorded) -> bool:
        return point.when(request) and (point.when is not read_back or any(map(patch, rig.proxy.requests)))

    getattr(rig, point.upstream).fail(pause, when=due, times=1)
    async with rig.sidecar() as server:
        creation = asyncio.create_task(rig.create(server, item=item))
        async with asyncio.timeout(60):
            await pause.reached.wait()
        server.popen.kill()
        assert (await creation).status == 0
    pause.release()


def count(customers: dict[object, str | None]) -> tuple[int, int]:
    return len(customers), sum(customer is not None for customer in customers.values())


@pytest.mark.parametrize("given", [True, False], ids=["item given", "item created by the call"])
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
async def test_reconcile_after_a_kill(rig: Rig, point: Point, *, given: bool) -> None:
    """W1: After a kill there is one item and at most one customer; `reconcile` links them, and a retry gets them."""
    await killed_at(rig, point, await rig.new_item() if given else None)
    assert count(await rig.customers_by_item()) == (1, point.written)
    assert len(rig.stripe.alive) == point.customers

    mended = await rig.reconcile("--since", "1d")

    assert (mended.code, mended.err) == (0, "")
    await rig.assert_one_to_one()
    async with rig.sidecar() as server:
        [item] = await rig.customers_by_item()
        retried = await rig.create(server, item=item)
    assert retried.status == (200 if point.customers else 201)
    assert await rig.customers_by_item() == {item: retried.customer}
    await rig.assert_one_to_one()


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
async def test_a_retry_after_a_kill(rig: Rig, point: Point) -> None:
    """W1: The same request once more links the one customer to its item, and `reconcile` has nothing to do."""
    item = await rig.new_item()
    await killed_at(rig, point, item)

    async with rig.sidecar() as server:
        retried = await rig.create(server, item=item)

    assert retried.status == (200 if point.customers else 201)
    assert await rig.customers_by_item() == {item: retried.customer}
    mended = await rig.reconcile()
    assert (mended.code, "0 filled, 0 to decide" in mended.out) == (0, True)
    await rig.assert_one_to_one()


async def test_a_kill_after_the_item_was_created_leaves_an_item_alone(rig: Rig) -> None:
    """W1: If Directus created the item and the sidecar did not learn it, an item without a customer remains."""
    await killed_at(rig, ITEM_CREATED, None)

    assert count(await rig.customers_by_item()) == (1, 0)
    assert rig.stripe.alive == []
    assert (await rig.reconcile()).code == 0


@pytest.mark.parametrize("mender", ["retry", "reconcile"])
async def test_stripe_acts_after_the_kill(rig: Rig, mender: str) -> None:
    """W1: A request that Stripe completes after the sidecar was killed makes the item's one customer."""
    item = await rig.new_item()
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        entered.set()
        await go_on.wait()

    rig.stripe.work = work
    async with rig.sidecar() as server:
        creation = asyncio.create_task(rig.create(server, item=item))
        async with asyncio.timeout(60):
            await entered.wait()
        server.popen.kill()
        await creation
    async with rig.sidecar() as server:
        retry = asyncio.create_task(rig.create(server, item=item)) if mender == "retry" else None
        go_on.set()
        if retry is None:
            assert (await rig.reconcile()).code == 0
        else:
            assert (await retry).status == 200
    await rig.assert_one_to_one()
    assert len(rig.stripe.alive) == 1


async def test_reconcile_after_a_day(rig: Rig) -> None:
    """W1: When Stripe has forgotten the key `reconcile` uses the metadata, and a retry makes no second customer."""
    item = await rig.new_item()
    await killed_at(rig, POINTS[1], item)
    rig.stripe.now += 25 * 3600

    assert (await rig.reconcile()).code == 0

    async with rig.sidecar() as server:
        assert (await rig.create(server, item=item)).status == 200
    await rig.assert_one_to_one()


async def test_a_day_without_reconcile_is_reported(rig: Rig) -> None:
    """W1: The one way to a second customer, a retry after a day without `reconcile`, is reported."""
    item = await rig.new_item()
    await killed_at(rig, POINTS[1], item)
    rig.stripe.now += 25 * 3600
    async with rig.sidecar() as server:
        second = await rig.create(server, item=item)

    told = await rig.reconcile()

    first = str(rig.stripe.alive[-1]["id"])
    assert told.code == 1
    assert f"DECIDE   item {item}: several customers name it ({second.customer}, {first})" in told.out
    assert await rig.customers_by_item() == {item: second.customer}
