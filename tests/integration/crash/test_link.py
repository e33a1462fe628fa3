"""`link` on a real Directus: what it writes, that `reconcile` agrees, and what a crash or a rival leaves behind."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.demo import children
from deploy.demo.processes import environment
from tests.doubles.pause import Pause
from tests.doubles.server import Recorded
from tests.integration.commands import ROOT, Ended
from tests.integration.crash.rig import Rig


@pytest.fixture
async def shop(rig: Rig) -> AsyncIterator[Rig]:
    """A collection whose service token may read addresses, until `provision` takes that away again."""
    await rig.place.provision("--email-field", "email")
    yield rig
    narrowed = await rig.place.provision()
    assert "permission to read" in narrowed.texts("changed")


async def linking(rig: Rig, *arguments: str) -> asyncio.subprocess.Process:
    return await children.spawn(
        [sys.executable, "-m", "sidecar", "link", *arguments],
        env=environment({"PYTHONPATH": str(ROOT), **rig.settings}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await asyncio.wait_for(process.communicate(), 120)
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def link(rig: Rig, *arguments: str) -> Ended:
    return await ended(await linking(rig, *arguments))


async def both(rig: Rig, number: int) -> dict[object, str | None]:
    """Make so many items and customers with one address each; give who belongs to whom."""
    wanted: dict[object, str | None] = {}
    for count in range(number):
        item = await rig.new_item(email=f" Ada{count}@Example.com")
        wanted[item] = str(rig.stripe.add_customer(email=f"ada{count}@example.com", metadata={"order": "7"})["id"])
    return wanted


def is_claim(request: Recorded) -> bool:
    return request.method == "PATCH"


async def test_everybody_is_linked(shop: Rig) -> None:
    """W4: Each item gets its customer, signed as a created one is, so that `reconcile` finds all in order."""
    wanted = await both(shop, 30)
    doubles = [await shop.new_item(email="twin@example.com") for _ in range(2)]
    twin = shop.stripe.add_customer(email="twin@example.com")

    dry, wet = await link(shop), await link(shop, "--yes")
    reconciled = await shop.reconcile()

    assert (dry.code, dry.out.count("to link   "), "30 to link, 1 ambiguous" in dry.out) == (1, 30, True)
    assert (wet.code, "30 linked, 1 ambiguous, 0 to decide" in wet.out) == (1, True)
    assert (reconciled.code, "0 filled, 0 to decide" in reconciled.out) == (0, True)
    assert await shop.customers_by_item() == {**wanted, **dict.fromkeys(doubles)}
    assert {one["id"]: one["metadata"] for one in shop.stripe.alive if one["id"] != twin["id"]} == {
        customer: {"order": "7", **shop.place.signed(item)} for item, customer in wanted.items()
    }


@pytest.mark.parametrize("after", [False, True], ids=["before the ID is written", "after"])
async def test_killed_in_the_middle(shop: Rig, *, after: bool) -> None:
    """W1: A run that is killed between signature and ID is finished by the next one."""
    wanted, claims, pause = await both(shop, 5), iter(range(9)), Pause(after=after)
    shop.proxy.fail(pause, when=lambda request: is_claim(request) and next(claims) == 2, times=1)
    process = await linking(shop, "--yes")
    async with asyncio.timeout(60):
        await pause.reached.wait()
    process.kill()
    await process.communicate()
    pause.release()
    signed = [customer for customer in shop.stripe.alive if "directus_item" in customer["metadata"]]

    again = await link(shop, "--yes")
    reconciled = await shop.reconcile()

    assert len(signed) == 3
    assert again.code == 0
    assert (reconciled.code, "0 filled, 0 to decide" in reconciled.out) == (0, True)
    assert await shop.customers_by_item() == wanted
    await shop.assert_one_to_one()


async def test_reconcile_finishes_it_too(shop: Rig) -> None:
    """W1: What a killed run left behind `reconcile` mends as well, as after a crash of the service."""
    wanted, pause = await both(shop, 1), Pause(after=False)
    shop.proxy.fail(pause, when=is_claim, times=1)
    process = await linking(shop, "--yes")
    async with asyncio.timeout(60):
        await pause.reached.wait()
    process.kill()
    await process.communicate()
    pause.release()
    await shop.put(next(iter(wanted)), None)

    reconciled = await shop.reconcile()

    assert (reconciled.code, await shop.customers_by_item()) == (0, wanted)


async def test_an_item_that_got_another_customer(shop: Rig) -> None:
    """W4: An ID that comes first stays, and the customer that lost is unsigned again, with its own metadata."""
    [(item, customer)] = (await both(shop, 1)).items()
    pause = Pause(after=False)
    shop.proxy.fail(pause, when=is_claim, times=1)
    process = await linking(shop, "--yes")
    async with asyncio.timeout(60):
        await pause.reached.wait()
    await shop.put(item, "cus_Another")
    pause.release()

    told = await ended(process)

    [lost] = [one for one in shop.stripe.alive if one["id"] == customer]
    assert (told.code, "it has another customer" in told.out) == (1, True)
    assert await shop.customers_by_item() == {item: "cus_Another"}
    assert lost["metadata"] == {"order": "7"}


async def test_two_at_once(shop: Rig) -> None:
    """Two runs at once link each item once, and both end well."""
    wanted = await both(shop, 10)

    runs = await asyncio.gather(*(link(shop, "--yes") for _ in range(2)))

    assert [(run.code, run.err) for run in runs] == [(0, ""), (0, "")]
    assert await shop.customers_by_item() == wanted
    await shop.assert_one_to_one()


async def test_a_file(rig: Rig, tmp_path: Path) -> None:
    """A file needs no right to read addresses; `reconcile` agrees with what it linked."""
    items = [await rig.new_item() for _ in range(3)]
    customers = [str(rig.stripe.add_customer()["id"]) for _ in items]
    path = tmp_path / "links.csv"
    path.write_text("\n".join(["id;customer", *(f"{i};{c}" for i, c in zip(items, customers, strict=True)), "x;cus_y"]))

    told = await link(rig, "--csv", str(path), "--yes")
    reconciled = await rig.reconcile()

    assert (told.code, "3 linked, 0 ambiguous, 1 to decide" in told.out) == (1, True)
    assert "item x: there is no such item (cus_y, line 5)" in told.out
    assert (reconciled.code, "0 filled, 0 to decide" in reconciled.out) == (0, True)
    assert await rig.customers_by_item() == dict(zip(items, customers, strict=True))


async def test_addresses_that_may_not_be_read(rig: Rig) -> None:
    """Without the right to read addresses it says what gives it, and asks Stripe nothing."""
    told = await link(rig)

    assert (told.code, rig.stripe.requests) == (1, [])
    assert "run `provision --email-field email`" in told.err
