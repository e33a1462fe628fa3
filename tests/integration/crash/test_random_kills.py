"""W1: sidecars are killed at random moments; then `reconcile` runs; then everything is counted.

CRASH_RUNS sets their number: 50 in the ordinary run, 200 for the whole check. CRASH_SEED repeats the moments and the
callers, though not the way the machine divides its time between the processes.
"""

import asyncio
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from deploy.demo.processes import Server
from tests.integration.crash.rig import Rig

_RUNS = int(os.environ.get("CRASH_RUNS", "50"))
_SEED = int(os.environ.get("CRASH_SEED") or secrets.randbelow(10**6))
_LONGEST = 0.15  # seconds from the requests to the kill: a little more than both answers take
_SLOWEST = 0.02  # seconds before Stripe's effect, and again after it
_READY = 2  # sidecars started in advance, so that a run does not wait for one


@dataclass(frozen=True, slots=True)
class Wish:
    """A requested creation; `item` None means that an item is created."""

    item: object
    email: str


@dataclass(slots=True)
class Story:
    """A record of all runs. `cut_off` contains the unanswered wishes for an item."""

    chance: random.Random
    cut_off: list[Wish] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    addresses: "count[int]" = field(default_factory=count)

    def address(self) -> str:
        return f"ada{next(self.addresses)}@example.com"


@asynccontextmanager
async def sidecars(rig: Rig, number: int) -> AsyncIterator["asyncio.Queue[asyncio.Task[Server]]"]:
    """Start `number` sidecars, always some in advance of the one taken from the queue."""
    queue: asyncio.Queue[asyncio.Task[Server]] = asyncio.Queue(_READY)
    async with AsyncExitStack() as exits:

        async def start() -> Server:
            return await exits.enter_async_context(rig.sidecar())

        async def fill() -> None:
            for _ in range(number):
                await queue.put(asyncio.create_task(start()))

        filling = asyncio.create_task(fill())
        try:
            yield queue
        finally:
            filling.cancel()
            await asyncio.gather(filling, *(queue.get_nowait() for _ in range(queue.qsize())), return_exceptions=True)


async def one_run(rig: Rig, server: Server, story: Story, seconds: float) -> None:
    """Two callers ask at once, and the process is killed after this many seconds."""
    wishes = [await wish(rig, story) for _ in range(2)]
    asking = [asyncio.create_task(ask(rig, server, story, one)) for one in wishes]
    await asyncio.sleep(seconds)
    server.popen.kill()
    await asyncio.gather(*asking)
    server.popen.wait()


async def wish(rig: Rig, story: Story) -> Wish:
    """Choose an item that is to be created, one that exists, or one of an earlier request that was cut off."""
    match story.chance.choice(["create", "given", "retry", "retry"]):
        case "create":
            return Wish(None, story.address())
        case "retry" if story.cut_off:
            return story.cut_off.pop()
        case _:
            address = story.address()
            return Wish(await rig.new_item(email=address), address)


async def ask(rig: Rig, server: Server, story: Story, one: Wish) -> None:
    answer = await rig.create(server, item=one.item, email=one.email)
    story.outcomes[f"{answer.outcome} {'without' if one.item is None else 'for an'} item"] += 1
    if answer.status not in {200, 201} and one.item is not None:
        story.cut_off.append(one)


def takes_its_time(rig: Rig, chance: random.Random) -> None:
    async def work() -> None:
        await asyncio.sleep(chance.uniform(0, _SLOWEST))

    rig.stripe.work = work


async def reconciled_in_spite_of_kills(rig: Rig, chance: random.Random, kills: int) -> int:
    """Kill some at random moments, then let two run at once; give the number of items that they filled."""
    before = sum(customer is not None for customer in (await rig.customers_by_item()).values())
    for _ in range(kills):
        process = await rig.reconciling()
        await asyncio.sleep(chance.uniform(0.4, 1.2))
        if process.returncode is None:
            process.kill()
        await process.communicate()
    first, second = await asyncio.gather(rig.reconcile(), rig.reconcile("--since", "1d"))
    assert (first.code, second.code) == (0, 0), first.out + first.err + second.out + second.err
    return sum(customer is not None for customer in (await rig.customers_by_item()).values()) - before


async def test_no_kill_makes_a_second_customer_or_loses_one(rig: Rig) -> None:
    """W1: After random kills and `reconcile` every customer is in exactly one item; after retries no item lacks one."""
    moments, chance, slowness = (random.Random(f"{_SEED} {what}") for what in ("moments", "callers", "stripe"))  # noqa: S311 - reproducible, no secret
    story, began = Story(chance), time.monotonic()
    print(f"\nCRASH_SEED={_SEED} CRASH_RUNS={_RUNS}")
    takes_its_time(rig, slowness)
    async with sidecars(rig, _RUNS) as ready:
        for _ in range(_RUNS):
            await one_run(rig, await (await ready.get()), story, moments.uniform(0, _LONGEST))

    lost = len(rig.stripe.alive) - sum(customer is not None for customer in (await rig.customers_by_item()).values())
    filled = await reconciled_in_spite_of_kills(rig, moments, kills=3)

    assert filled == lost
    await rig.assert_one_to_one()
    await finish(rig)
    print(f"{dict(story.outcomes)}; {len(rig.stripe.alive)} customers, {lost} IDs lost and {filled} filled again")
    print(f"{time.monotonic() - began:.0f} s")


async def finish(rig: Rig) -> None:
    """Ask once more for every item without a customer: then items and customers are equal in number."""
    empty = [item for item, customer in (await rig.customers_by_item()).items() if customer is None]
    async with rig.sidecar() as server:
        for item in empty:
            answer = await rig.create(server, item=item)
            assert answer.status == 201, answer
    await rig.assert_one_to_one()
    assert len(await rig.customers_by_item()) == len(rig.stripe.alive)
