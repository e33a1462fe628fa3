"""A question to Directus and those who wait for it, in virtual time."""

import asyncio

from sidecar.clients.directus.question import Question, Sent
from sidecar.errors import DirectusUnavailable
from tests.doubles.virtual_time import in_virtual_time

BUDGET = 2.0


class Asked:
    """A question that waits `line` seconds before it is sent, and is answered `takes` seconds later."""

    def __init__(self, line: float, takes: float) -> None:
        self._line, self._takes = line, takes
        self.sent = self.ended = False
        self.question = Question(self._ask)

    async def _ask(self, sent: Sent) -> str:
        await asyncio.sleep(self._line)
        self.sent = True
        sent()
        await asyncio.sleep(self._takes)
        self.ended = True
        return "yes"

    async def seconds(self) -> tuple[float, bool]:
        """Give how long a caller that comes now waits, and whether it gets the answer."""
        began = asyncio.get_running_loop().time()
        try:
            await self.question.answer(BUDGET)
        except DirectusUnavailable:
            return round(asyncio.get_running_loop().time() - began, 6), False
        return round(asyncio.get_running_loop().time() - began, 6), True


@in_virtual_time
async def test_the_budget_begins_with_the_sending() -> None:
    """C12: The wait for a turn does not count against the budget, however long it is."""
    assert await Asked(line=7, takes=1.9).seconds() == (8.9, True)
    assert await Asked(line=7, takes=2.1).seconds() == (9.0, False)


@in_virtual_time
async def test_who_joins_has_a_budget_of_its_own() -> None:
    """C12: Who joins a question that others gave up waits for it, a whole budget."""
    asked = Asked(line=0, takes=3.5)

    first = await asked.seconds()
    second = await asked.seconds()

    assert (first, second) == ((2.0, False), (1.5, True))


@in_virtual_time
async def test_it_goes_on_without_anybody() -> None:
    """C12: Once it is sent, a question goes on to its end when all who wait have left."""
    asked = Asked(line=1, takes=1)
    waiting = asyncio.create_task(asked.question.answer(BUDGET))
    await asyncio.sleep(1.5)

    waiting.cancel()
    await asyncio.sleep(1)

    assert asked.ended
    assert not asked.question.abandoned


@in_virtual_time
async def test_in_the_line_it_ends_with_the_last_who_waits() -> None:
    """C12: Nobody's question is not sent at all; while one of two still waits it is."""
    left, kept = Asked(line=2, takes=1), Asked(line=2, takes=1)
    leaving = [asyncio.create_task(asked.question.answer(BUDGET)) for asked in (left, left, kept)]
    staying = asyncio.create_task(kept.question.answer(BUDGET))
    await asyncio.sleep(1)
    for task in leaving:
        task.cancel()
    await asyncio.sleep(5)

    assert (left.sent, left.question.abandoned) == (False, True)
    assert await staying == "yes"


@in_virtual_time
async def test_its_failure_is_everybodys() -> None:
    """C4: What the question raises reaches all who wait; without anybody it is not logged."""
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))

    async def ask(sent: Sent) -> str:
        sent()
        await asyncio.sleep(1)
        raise OSError("down")

    question, unheard = Question(ask), Question(ask)
    ends = await asyncio.gather(*(question.answer(BUDGET) for _ in range(3)), return_exceptions=True)
    del unheard

    assert [type(end) for end in ends] == [OSError] * 3
    assert complaints == []
