"""Turns of Stripe's events: how many at once, who waits, who is refused, and that every end gives all of it back."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from sidecar.clients.stripe.event_turns import EventTurns, Turn
from sidecar.errors import Overloaded

NEVER = 600.0


class Events:
    """Events that take a turn and keep it until `end`; `begun` are the customers whose turns began, in order."""

    def __init__(self, turns: EventTurns) -> None:
        self._turns = turns
        self._ends = asyncio.Semaphore(0)
        self.begun: list[str] = []
        self.covered: list[str] = []

    def start(self, customer: str) -> asyncio.Task[None]:
        return asyncio.create_task(self._take(customer))

    def end(self, number: int = 100) -> None:
        for _ in range(number):
            self._ends.release()

    async def _take(self, customer: str) -> None:
        async with self._turns.turn(customer) as turn:
            if turn.covered:
                self.covered.append(customer)
                return
            self.begun.append(customer)
            await self._ends.acquire()
            turn.complete()


async def settle() -> None:
    """Let every task run until it waits for something that only the test does."""
    for _ in range(50):
        await asyncio.sleep(0)


async def one_turn(turns: EventTurns, customer: str = "cus_last") -> Turn:
    async with turns.turn(customer) as turn:
        return turn


async def test_some_at_once_the_others_wait() -> None:
    """At most this many turns at once; the others get theirs in the order in which they came."""
    events = Events(EventTurns(at_once=2, patience=NEVER))
    tasks = [events.start(f"cus_{number}") for number in range(5)]
    await settle()
    first = list(events.begun)

    events.end()
    await asyncio.gather(*tasks)

    assert first == ["cus_0", "cus_1"]
    assert events.begun == [f"cus_{number}" for number in range(5)]


async def test_those_that_wait_share_a_look() -> None:
    """Of ten events of one customer that come during a turn one looks at Stripe, for all ten."""
    events = Events(EventTurns(at_once=2, patience=NEVER))
    tasks = [events.start("cus_1") for _ in range(11)]
    await settle()
    first = list(events.begun)

    events.end()
    await asyncio.gather(*tasks)

    assert first == ["cus_1"]
    assert (events.begun, events.covered) == (["cus_1"] * 2, ["cus_1"] * 9)


async def test_a_turn_that_failed_covers_nobody() -> None:
    """If the first of those that wait fails, the next one looks itself."""
    turns, looked = EventTurns(patience=NEVER), []

    async def take(number: int) -> None:
        async with turns.turn("cus_1") as turn:
            await asyncio.sleep(0)
            if not turn.covered:
                looked.append(number)
                if number == 1:
                    raise ConnectionError
                turn.complete()

    ended = await asyncio.gather(*(take(number) for number in range(4)), return_exceptions=True)

    assert looked == [0, 1, 2]
    assert [type(each) for each in ended] == [type(None), ConnectionError, type(None), type(None)]


async def test_a_covered_event_needs_no_place() -> None:
    """An event that another one's turn covered ends at once, though another customer's event took the only place."""
    turns = EventTurns(at_once=1, patience=NEVER)
    events = Events(turns)
    same = [events.start("cus_1") for _ in range(3)]
    await settle()
    events.end(1)
    await settle()
    other = events.start("cus_2")
    await settle()

    events.end(1)
    await settle()

    assert [task.done() for task in (*same, other)] == [True, True, True, False]
    assert (events.begun, events.covered) == (["cus_1", "cus_1", "cus_2"], ["cus_1"])
    events.end()
    await asyncio.gather(*same, other)


async def test_the_line_is_bounded() -> None:
    """F1: Beyond the line an event is refused at once; one customer's events take only a part of it."""
    turns = EventTurns(at_once=1, waiting=3, waiting_for_one=2, patience=NEVER)
    events = Events(turns)
    tasks = [events.start(customer) for customer in ("cus_1", "cus_1", "cus_1", "cus_1", "cus_2", "cus_3")]
    await settle()
    refused = [task for task in tasks if task.done()]

    events.end()
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert refused == [tasks[3], tasks[5]]
    assert [type(each) for each in ended if each is not None] == [Overloaded] * 2
    assert (await one_turn(turns)).covered is False


@pytest.mark.parametrize("customer", ["cus_1", "cus_2"], ids=["its customer's turn", "a place"])
async def test_patience(customer: str) -> None:
    """An event that waits too long is refused, whatever it waits for, and leaves nothing taken."""
    turns = EventTurns(at_once=1, patience=0)
    events = Events(turns)
    first = events.start("cus_1")
    await settle()

    with pytest.raises(Overloaded):
        await one_turn(turns, customer)

    events.end()
    await first
    assert (await one_turn(turns)).covered is False


@pytest.mark.parametrize("turns_of_the_loop", range(6))
@pytest.mark.parametrize("customer", ["cus_1", "cus_2"])
async def test_cut_at_each_await(customer: str, turns_of_the_loop: int) -> None:
    """An event that is cut while it waits or has its turn gives back its place, its customer and its place in line."""
    turns = EventTurns(at_once=1, waiting=1, waiting_for_one=1, patience=NEVER)
    async with AsyncExitStack() as held:
        await held.enter_async_context(turns.turn("cus_1"))
        cut = asyncio.create_task(one_turn(turns, customer))
        for _ in range(turns_of_the_loop):
            await asyncio.sleep(0)
        if turns_of_the_loop > 2:
            await held.aclose()
            for _ in range(turns_of_the_loop - 3):
                await asyncio.sleep(0)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)

    async with turns.turn("cus_1"):
        waiting = asyncio.create_task(one_turn(turns))
        await settle()
        assert not waiting.done()
    assert (await waiting).covered is False


async def test_subjects_are_forgotten() -> None:
    """Nothing about a customer is kept after its last turn."""
    turns = EventTurns()

    for number in range(100):
        await one_turn(turns, f"cus_{number}")

    assert len(turns._subjects) == 0
