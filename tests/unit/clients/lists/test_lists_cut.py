"""A list that is cut off at any of its awaits gives everything back."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from sidecar.clients.lists.account import AccountLists
from sidecar.clients.lists.customers import CustomerLists
from sidecar.clients.lists.held import HeldBytes
from sidecar.clients.lists.shared import SharedStreams
from sidecar.core.interfaces import Choice
from sidecar.core.operations.list_query import ListQuery, RenderedPage
from sidecar.core.views import OneView, View
from sidecar.web.answers.rendering import Rendering
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.customers_at_stripe import Stripe, Unknown, payments_of
from tests.unit.clients.lists.paged_account import Account, in_time_order, times

ALL = Rendering(OneView(View(everything=True)))
PATH = "/v1/payment_intents"
OWN = tuple(f"cus_{number}" for number in range(9))
Read = Callable[[], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True)
class Reading:
    """`under_way` says how many requests are at Stripe."""

    read: Read
    held: HeldBytes
    under_way: Callable[[], int]


def of_customers(attribute: str, limit: int | None) -> Reading:
    """Stripe answers in the next turn of the loop, since a cut counts turns."""
    customers = {name: {"id": name, "created": place} for place, name in enumerate(OWN)}
    stripe = Stripe(payments_of({name: list(range(150)) for name in OWN}), customers, latency=0)
    held = HeldBytes()
    lists = CustomerLists(stripe, Choice(attribute, OWN), Unknown(), held)

    async def read() -> None:
        if limit is not None:
            await lists.page(PATH, {}, ListQuery(limit=limit))
        else:
            await read_pages(lists.whole(PATH, {}, ListQuery(), ALL))

    return Reading(read, held, lambda: stripe.under_way)


def of_account(readers: int) -> Reading:
    """The readers of one shared list; the first is cut off, and the others leave after that."""
    account = Account(in_time_order(times("even", 1_500, 1)), latency=lambda: 0)
    held = HeldBytes()
    shared = SharedStreams[RenderedPage](
        held, size=lambda page: len(page.payload) + 1, outline=lambda page: page.outline
    )
    lists = AccountLists(account, 6, shared, account)

    async def read() -> None:
        others = [asyncio.ensure_future(one()) for _ in range(readers - 1)]
        try:
            await one()
        finally:
            for other in others:
                other.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def one() -> None:
        await read_pages(lists.whole(PATH, {}, ListQuery(), ALL))

    return Reading(read, held, lambda: account.under_way)


async def read_pages(pages: AsyncGenerator[RenderedPage]) -> None:
    async with aclosing(pages):
        async for _ in pages:
            await asyncio.sleep(0)


async def cut(reading: Reading, turns: int) -> bool:
    """Cancel a reading after so many turns of the loop; say whether it was still under way."""
    task = asyncio.ensure_future(reading.read())
    for _ in range(turns):
        await asyncio.sleep(0)
    under_way = not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return under_way


READINGS = {
    "page": lambda: of_customers("customer", 100),
    "whole": lambda: of_customers("customer", None),
    "page of identities": lambda: of_customers("id", 5),
    "whole of identities": lambda: of_customers("id", None),
    "account": lambda: of_account(1),
    "account, shared": lambda: of_account(3),
}


@pytest.mark.parametrize("opened", READINGS.values(), ids=READINGS)
@in_virtual_time
async def test_cut_at_each_await(opened: Callable[[], Reading]) -> None:
    """F5, L3: A list that is cut off at any await leaves no bytes counted, no task and no request."""
    cuts = 0
    for turns in count():
        reading = opened()
        if not await cut(reading, turns):
            break
        cuts += 1

        assert (reading.held.total, reading.under_way()) == (0, 0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    assert cuts > 5


@pytest.mark.parametrize("opened", READINGS.values(), ids=READINGS)
@in_virtual_time
async def test_end_of_a_list(opened: Callable[[], Reading]) -> None:
    """F5: A list that was read to its end leaves no bytes counted."""
    reading = opened()

    await reading.read()

    assert reading.held.total == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
