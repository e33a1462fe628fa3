"""Runs of `reconcile`: two at once, killed, with an upstream down, and without the needed rights."""

import asyncio
from typing import Any

import pytest

from deploy.demo.admin import Person, Rule
from tests.doubles import faults
from tests.doubles.pause import Pause
from tests.integration.conftest import Newcomer
from tests.integration.crash.rig import Rig


async def test_two_at_once(rig: Rig) -> None:
    """Two concurrent runs fill each item once, and both succeed."""
    wanted: dict[Any, str | None] = {}
    for _ in range(20):
        item = await rig.new_item()
        wanted[item] = rig.customer_of(item)

    runs = await asyncio.gather(*(rig.reconcile() for _ in range(2)))

    assert [(run.code, run.err) for run in runs] == [(0, ""), (0, "")]
    assert await rig.customers_by_item() == wanted


@pytest.mark.parametrize("after", [False, True], ids=["before it is written", "after"])
async def test_killed_in_the_middle(rig: Rig, *, after: bool) -> None:
    """A run that is killed in the middle leaves complete items; the next run does the rest."""
    wanted: dict[Any, str | None] = {}
    for _ in range(5):
        item = await rig.new_item()
        wanted[item] = rig.customer_of(item)
    claims, pause = iter(range(5)), Pause(after=after)
    rig.proxy.fail(pause, when=lambda request: request.method == "PATCH" and next(claims) == 2, times=1)
    process = await rig.reconciling()
    async with asyncio.timeout(60):
        await pause.reached.wait()
    process.kill()
    await process.communicate()
    pause.release()
    assert sum(customer is not None for customer in (await rig.customers_by_item()).values()) in {2, 3}

    assert (await rig.reconcile()).code == 0

    assert await rig.customers_by_item() == wanted


async def test_a_customer_that_is_deleted_meanwhile(rig: Rig) -> None:
    """A customer that is deleted between Stripe's list and the item's turn is filled in nowhere."""
    item = await rig.new_item()
    customer, pause = rig.customer_of(item), Pause(after=True)
    rig.proxy.fail(pause, when=lambda request: request.path == rig.place.items, times=1)
    process = await rig.reconciling()
    async with asyncio.timeout(60):
        await pause.reached.wait()

    rig.stripe.delete(customer)
    pause.release()
    out, _ = await process.communicate()

    assert (process.returncode, b"0 filled, 0 to decide" in out) == (0, True)
    assert await rig.customers_by_item() == {item: None}


@pytest.mark.parametrize("at_the_end", [False, True])
async def test_nothing_is_filled_from_a_list_that_broke_off(rig: Rig, *, at_the_end: bool) -> None:
    """If a later page of Stripe's list fails, nothing is filled: the rest might contain a second customer."""
    item = await rig.new_item()
    for _ in range(120):
        rig.stripe.add_customer()
    rig.customer_of(item)
    pages = iter(range(100))
    rig.stripe.fail(faults.answer(500), when=lambda _: next(pages) >= int(at_the_end))

    told = await rig.reconcile()

    assert (told.code, told.err.startswith("Stopped: ")) == (1, True)
    assert await rig.customers_by_item() == {item: None}


async def test_directus_stays_away(rig: Rig) -> None:
    """When Directus goes down during a run, the run ends with 1 and says so; the next one completes the work."""
    item = await rig.new_item()
    customer = rig.customer_of(item)
    rig.proxy.fail(faults.reset_before_headers, when=lambda request: request.method == "PATCH")

    told = await rig.reconcile(WRITE_BACK_TIMEOUT="1")

    assert (told.code, "Stopped: " in told.err) == (1, True)
    rig.proxy.recover()
    assert (await rig.reconcile()).code == 0
    assert await rig.customers_by_item() == {item: customer}


async def test_rights_that_are_missing_are_named(rig: Rig, newcomer: Newcomer) -> None:
    """A token that cannot see all items reports none of the others as missing: nothing is read, rights are named."""
    own = {"id": {"_eq": 1}}
    collection, field = rig.place.collection, rig.place.field
    partial: Person = await newcomer(Rule(collection, "read", item=own), Rule(collection, "update", ("email",)))
    rig.customer_of(await rig.new_item())

    told = await rig.reconcile(DIRECTUS_SERVICE_TOKEN=partial.token)

    assert told.code == 1
    assert f"read all items of {collection}, update {collection}.{field}: run `provision`" in told.err
    assert rig.stripe.requests == []


@pytest.mark.parametrize(
    ("settings", "arguments", "said"),
    [
        ({"DIRECTUS_SERVICE_TOKEN": ""}, [], "DIRECTUS_SERVICE_TOKEN: is not set"),
        ({"STRIPE_LIVE_SECRET_KEY": ""}, [], "STRIPE_LIVE_SECRET_KEY: is not set"),
        ({}, ["--since", "soon"], "--since: must be a number and m, h, d or w"),
    ],
)
async def test_unusable_settings(rig: Rig, settings: dict[str, str], arguments: list[str], said: str) -> None:
    """Unusable settings end the run with 2 before any request, and are named."""
    told = await rig.reconcile(*arguments, **settings)

    assert (told.code, said in told.err) == (2, True)
    assert rig.proxy.requests == []


async def test_a_token_that_directus_refuses(rig: Rig) -> None:
    """A service token that Directus refuses ends the run with 1, and is not printed."""
    told = await rig.reconcile(DIRECTUS_SERVICE_TOKEN="MARKED-token")

    assert (told.code, "MARKED" in told.err + told.out) == (1, False)
