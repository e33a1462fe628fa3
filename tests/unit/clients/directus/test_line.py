"""The line to Directus, in virtual time: how many questions go out at once, in whose turn, and what is given up."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from sidecar.clients.directus.line import LASTING, Line, Place
from sidecar.errors import DirectusUnavailable
from sidecar.metrics import Metrics
from tests.doubles.virtual_time import in_virtual_time

BUDGET = 2.0
HOG, OTHER = "192.0.2.1", "192.0.2.2"


class Directus:
    """Has the questions that a line lets out, by name, until a test answers them."""

    def __init__(self, places: int, metrics: Metrics | None = None) -> None:
        self.line = Line(places, BUDGET, metrics)
        self.sent: list[str] = []
        self.ends: dict[str, asyncio.Future[None]] = {}
        self.places: dict[str, Place] = {}

    async def ask(self, name: str, address: str | None = HOG) -> None:
        async with self.line.turn(address) as place:
            self.sent.append(name)
            self.places[name] = place
            self.ends[name] = asyncio.get_running_loop().create_future()
            await self.ends[name]

    def asking(self, names: Iterable[str], address: str | None = HOG) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.ask(name, address)) for name in names]

    async def answer(self, *names: str) -> None:
        for name in names:
            self.ends[name].set_result(None)
        await turns()

    @asynccontextmanager
    async def all_places(self, places: int) -> AsyncIterator[None]:
        """Show that so many places are free, and keep them."""
        asked = self.asking(str(number) for number in range(places))
        await turns()
        assert all(str(number) in self.sent for number in range(places))
        yield
        for task in asked:
            task.cancel()
        await asyncio.wait(asked)


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@in_virtual_time
async def test_so_many_at_once_and_the_first_comes_first() -> None:
    """C12: Directus has at most as many questions as there are places, and within one address the first comes first."""
    directus = Directus(2)
    tasks = directus.asking("abcde")
    await turns()
    assert directus.sent == ["a", "b"]

    await directus.answer("b")
    assert directus.sent == ["a", "b", "c"]

    await directus.answer("a", "c")
    await directus.answer("d", "e")
    await asyncio.gather(*tasks)
    assert directus.sent == ["a", "b", "c", "d", "e"]


@in_virtual_time
async def test_turns_go_round_the_addresses() -> None:
    """C12: What an address waits for depends on how many others wait, not on how much one of them asks."""
    directus = Directus(1)
    tasks = directus.asking(["first", *(f"hog{number}" for number in range(50))])
    await turns()
    tasks += [*directus.asking(["other1", "other2"], OTHER), *directus.asking(["service"], None)]

    for _ in range(6):
        await turns()
        await directus.answer(directus.sent[-1])

    assert directus.sent[1:7] == ["hog0", "other1", "service", "hog1", "other2", "hog2"]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("release", range(4))
def test_cut_at_any_await(steps: int, release: int) -> None:
    """C12: Whoever is cut in the line, as its turn comes or later passes its place on, and all places come back."""

    @in_virtual_time
    async def scene() -> None:
        directus = Directus(2)
        first = directus.asking("ab")
        await turns()
        leaving, staying = directus.asking(["leaving", "staying"])
        for step in range(steps):
            if step == release:
                directus.ends["a"].set_result(None)
            await asyncio.sleep(0)
        leaving.cancel()
        if not directus.ends["a"].done():
            directus.ends["a"].set_result(None)
        await turns()
        assert "staying" in directus.sent

        await directus.answer("b", "staying")
        await asyncio.wait([*first, leaving, staying])
        async with directus.all_places(2):
            pass

    scene()


@in_virtual_time
async def test_who_is_given_up_keeps_its_place() -> None:
    """C12: A question past its budget still costs Directus, so its place is not given to another."""
    directus = Directus(4)
    tasks = directus.asking("abc")
    await asyncio.sleep(BUDGET + 0.1)
    tasks += directus.asking("de")
    await turns()

    assert directus.sent == ["a", "b", "c", "d"]
    assert [directus.places[name].overdue for name in "abcd"] == [True, True, True, False]
    await directus.answer("a")
    assert directus.sent[-1] == "e"
    await directus.answer("b", "c", "d", "e")
    await asyncio.gather(*tasks)


@in_virtual_time
async def test_given_up_questions_keep_three_quarters() -> None:
    """C6: Of more questions past their budget the oldest is cut, so that there is a place when Directus is back."""
    directus = Directus(8)
    tasks = directus.asking("abcdefgh")
    await asyncio.sleep(BUDGET + 0.1)

    assert [name for name, task in zip("abcdefgh", tasks, strict=True) if task.done()] == ["a", "b"]
    assert isinstance(tasks[0].exception(), TimeoutError)
    async with directus.all_places(2):
        pass
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@in_virtual_time
async def test_a_directus_that_answers_nobody() -> None:
    """U1: When a budget passes without any answer, all who wait are told at once, with a time to try again."""
    directus = Directus(2)
    asked, waiting = directus.asking("ab"), directus.asking("cd", OTHER)
    await asyncio.sleep(BUDGET + 0.1)

    told = [task.exception() for task in waiting]
    assert [type(error) for error in told] == [DirectusUnavailable] * 2
    assert [error.retry_after for error in told if isinstance(error, DirectusUnavailable)] == [2, 2]
    for task in asked:
        task.cancel()
    await asyncio.wait(asked)
    async with directus.all_places(2):
        pass


@in_virtual_time
async def test_a_slow_question_beside_answered_ones() -> None:
    """C12: One question without an answer sends nobody away while others are answered."""
    directus = Directus(2)
    [slow, quick, waiting] = directus.asking(["slow", "quick", "waiting"])
    await asyncio.sleep(BUDGET / 2)
    await directus.answer("quick")
    waiting_too = directus.asking(["too"])
    await asyncio.sleep(BUDGET / 2 + 0.1)

    assert not waiting_too[0].done()
    await directus.answer("slow", "waiting")
    await directus.answer("too")
    await asyncio.gather(slow, quick, waiting, *waiting_too)


@in_virtual_time
async def test_waiting_has_an_end() -> None:
    """U1: Whose turn does not come within five budgets is told so, although Directus answers others."""
    directus = Directus(1)

    async def busy(address: str) -> None:
        async with directus.line.turn(address):
            await asyncio.sleep(BUDGET * 0.9)

    tasks = [asyncio.create_task(busy(f"192.0.2.{number}")) for number in range(30)]
    await turns()
    late = asyncio.create_task(directus.ask("late", "198.51.100.1"))
    began = asyncio.get_running_loop().time()

    [ended] = await asyncio.gather(late, return_exceptions=True)
    assert isinstance(ended, DirectusUnavailable)
    assert asyncio.get_running_loop().time() - began == pytest.approx(LASTING * BUDGET)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@in_virtual_time
async def test_what_is_lost() -> None:
    """C6: A late question is lost while Directus answers nobody or who asked later, not while it answers in turn."""
    directus = Directus(8)
    early, tasks = directus.asking(["early"]), directus.asking(["late"])
    await asyncio.sleep(BUDGET / 2)
    tasks += directus.asking(["later"])
    lost = [directus.places["late"].lost]

    await directus.answer("early")
    await asyncio.sleep(BUDGET / 2 + 0.1)
    lost.append(directus.places["late"].lost)
    await directus.answer("later")
    lost.append(directus.places["late"].lost)
    await directus.answer("late")
    assert lost == [False, False, True]
    await asyncio.sleep(0.1)

    tasks += directus.asking(["alone"])
    await asyncio.sleep(BUDGET + 0.1)
    assert directus.places["alone"].lost
    await directus.answer("alone")
    await asyncio.gather(*early, *tasks)


@in_virtual_time
async def test_the_metric() -> None:
    """The metrics say how many questions wait, are asked and are past their budget."""
    metrics = Metrics()
    directus = Directus(2, metrics)
    tasks = directus.asking("ab")
    await asyncio.sleep(BUDGET + 0.1)
    tasks += directus.asking("cde")
    await turns()

    shown = [line for line in metrics.exposition().decode().splitlines() if line.startswith("sidecar_directus_q")]
    assert shown == [
        'sidecar_directus_questions{state="waiting"} 2.0',
        'sidecar_directus_questions{state="asked"} 1.0',
        'sidecar_directus_questions{state="overdue"} 1.0',
    ]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
