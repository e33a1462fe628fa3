"""Questions that are asked together, in virtual time: as good for everybody as a question of its own."""

import asyncio
import gc
import weakref
from collections.abc import Hashable

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.directus.joined_questions import JoinedQuestions
from tests.doubles.virtual_time import in_virtual_time

TAKES = 0.04  # seconds that an answer takes, below the patience


class Name:
    """A caller, which may be watched."""


class Directus:
    """Answers with what was true at some moment while it worked: `version`, as it was when the question came."""

    def __init__(self, *, takes: float = TAKES) -> None:
        self.questions = JoinedQuestions[int]()
        self.takes = takes
        self.version = self.asked = self.ended = 0
        self.fails = False

    async def ask(self, key: Hashable = "caller") -> int:
        return await self.questions.ask(key, self._answer)

    async def _answer(self) -> int:
        self.asked += 1
        said = self.version
        await asyncio.sleep(self.takes)
        self.ended += 1
        if self.fails:
            raise ConnectionError
        return said


async def asked_by(directus: Directus, number: int) -> list[asyncio.Task[int]]:
    asking = [asyncio.create_task(directus.ask()) for _ in range(number)]
    await asyncio.sleep(0.001)
    return asking


@in_virtual_time
async def test_those_who_wait_ask_together() -> None:
    """R1: Sixteen requests at once are two questions: the first one's, and the one of all others."""
    directus = Directus()

    await asyncio.gather(*await asked_by(directus, 16))

    assert directus.asked == 2


@in_virtual_time
async def test_a_question_that_nobody_wants_any_more() -> None:
    """L1: Where all who wait for the next question leave, also while it waits for its turn, it ends with them."""
    questions, reached = JoinedQuestions[int](), list[str]()

    async def ask() -> int:
        reached.append("waits for its turn")
        await asyncio.sleep(10 * TAKES)
        reached.append("is sent")
        return 0

    first = asyncio.create_task(questions.ask("caller", ask))
    await asyncio.sleep(TAKES)
    others = [asyncio.create_task(questions.ask("caller", ask)) for _ in range(3)]
    await asyncio.sleep(TAKES)  # by now its patience with the first one may be over
    await asyncio.sleep(TAKES)
    for other in others:
        other.cancel()
    await first
    await asyncio.sleep(20 * TAKES)

    assert reached == ["waits for its turn", "waits for its turn", "is sent"]


@in_virtual_time
async def test_one_after_the_other() -> None:
    """R1: Who asks when nobody else does asks at once, each time."""
    directus = Directus()

    for _ in range(3):
        began = asyncio.get_running_loop().time()
        await directus.ask()
        assert round(asyncio.get_running_loop().time() - began, 6) == TAKES

    assert directus.asked == 3


@in_virtual_time
async def test_callers_do_not_join_each_other() -> None:
    """C2: What one caller asks is no answer for another, whenever they ask."""
    directus = Directus()

    await asyncio.gather(*(directus.ask(key) for key in ("a", "b", "c") * 2))

    assert directus.asked == 6


@in_virtual_time
async def test_what_was_taken_away_meanwhile() -> None:
    """R1: Who asks after a change is given what holds after it, although a question from before is under way."""
    directus = Directus()
    before = await asked_by(directus, 2)

    directus.version = 1
    after = await asked_by(directus, 3)

    assert [await one for one in before] == [0, 1]
    assert [await one for one in after] == [1, 1, 1]


@in_virtual_time
async def test_an_error_is_told_to_all_who_joined() -> None:
    """C4: A question that fails fails for those who asked it; the next one is another try."""
    directus = Directus()
    directus.fails = True

    ended = await asyncio.gather(*await asked_by(directus, 5), return_exceptions=True)
    directus.fails = False

    assert [type(one) for one in ended] == [ConnectionError] * 5
    assert (await directus.ask(), directus.asked) == (0, 3)


@in_virtual_time
async def test_a_slow_directus_is_asked_beside() -> None:
    """U1: A question waits 50 ms at most for the one before it, and not for one that hangs."""
    directus = Directus(takes=60)
    waiting = await asked_by(directus, 3)
    directus.takes = TAKES

    assert [await one for one in waiting[1:]] == [0, 0]
    assert round(asyncio.get_running_loop().time(), 2) == 0.09
    assert not waiting[0].done()

    waiting[0].cancel()


@in_virtual_time
async def test_who_began_it_may_leave() -> None:
    """C4: The others are answered where the one who would have asked for all of them leaves."""
    directus = Directus()
    first, leaving, *others = await asked_by(directus, 5)

    leaving.cancel()

    assert [await one for one in (first, *others)] == [0, 0, 0, 0]
    assert directus.asked == 2


@in_virtual_time
async def test_nobody_asks_for_those_who_left() -> None:
    """C4: A question that everybody gave up before it left is never sent, and the next one is asked as usual."""
    directus = Directus()
    first, *leaving = await asked_by(directus, 3)

    for one in leaving:
        one.cancel()
    late = asyncio.create_task(directus.ask())

    assert (await first, await late) == (0, 0)
    assert directus.asked == 2


@in_virtual_time
async def test_nothing_is_left() -> None:
    """R1: When all are answered, nothing is remembered of who asked what."""
    directus, key = Directus(), Name()
    gone = weakref.ref(key)

    await asyncio.gather(*(directus.ask(key) for _ in range(3)))
    del key
    gc.collect()

    assert gone() is None


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "change", "leave"]), st.sampled_from([0.0, 0.0, 0.003, 0.02, 0.045, 0.07])),
    max_size=40,
)


@given(steps=STEPS, takes=st.sampled_from([0.001, 0.01, 0.04, 0.06, 0.2]))
@settings(max_examples=200, deadline=None)
def test_no_answer_is_older_than_its_request(steps: list[tuple[str, float]], takes: float) -> None:
    """R1: Whatever happens in whatever order, each request is given what was true at or after the moment it came."""

    @in_virtual_time
    async def run() -> None:
        directus, waiting = Directus(takes=takes), list[tuple[int, asyncio.Task[int]]]()
        for step, pause in steps:
            match step:
                case "ask":
                    waiting.append((directus.version, asyncio.create_task(directus.ask())))
                case "change":
                    await asyncio.sleep(0)  # for who has just asked to have done so
                    directus.version += 1
                case _ if waiting:
                    waiting[len(waiting) // 2][1].cancel()
            await asyncio.sleep(pause)
        answers = await asyncio.gather(*(one for _, one in waiting), return_exceptions=True)
        for (version, _), answer in zip(waiting, answers, strict=True):
            assert isinstance(answer, asyncio.CancelledError) or (isinstance(answer, int) and answer >= version)

    run()
