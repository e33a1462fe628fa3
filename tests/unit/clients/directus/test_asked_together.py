"""Equal questions of one moment are asked together, and nobody gets an answer from before it came."""

import asyncio

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.clients.directus.asked_together import AskedTogether
from tests.doubles.virtual_time import in_virtual_time

PAUSES = st.sampled_from([0, 0.003, 0.006, 0.011, 0.09])


class Directus:
    """Answers with the value that it had in the middle of a question, which takes `latency` seconds."""

    def __init__(self, latency: float = 0.01) -> None:
        self.latency, self.value, self.asked, self.under_way = latency, 0, 0, 0
        self.together = AskedTogether[int]()
        self.down = False

    async def get(self, key: str = "a") -> int:
        return await self.together.get(key, self._ask)

    async def _ask(self) -> int:
        self.asked += 1
        self.under_way += 1
        try:
            await asyncio.sleep(self.latency / 2)
            found = self.value
            await asyncio.sleep(self.latency / 2)
        finally:
            self.under_way -= 1
        if self.down:
            raise OSError("down")
        return found


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["ask", "change"]), st.sampled_from([0, 0.003, 0.006, 0.011, 0.09])), max_size=20
    )
)
@example([("ask", 0.006), ("change", 0), ("ask", 0)])
def test_no_answer_from_before(steps: list[tuple[str, float]]) -> None:
    """C7: Whenever the value changes, who asks after that gets that value or a later one, and everybody an answer."""

    @in_virtual_time
    async def test() -> None:
        directus = Directus(latency=0.01)

        async def ask() -> None:
            before = directus.value
            assert await directus.get() >= before

        asking = []
        for step, pause in steps:
            if step == "ask":
                asking.append(asyncio.create_task(ask()))
                await asyncio.sleep(0)
            else:
                directus.value += 1
            await asyncio.sleep(pause)
        await asyncio.gather(*asking)
        assert directus.asked <= len(asking)

    test()


@in_virtual_time
async def test_a_crowd() -> None:
    """A hundred who come while a question is under way ask one more, and another key asks for itself."""
    directus = Directus()
    first = asyncio.create_task(directus.get())
    await asyncio.sleep(0.001)

    answers = await asyncio.gather(first, *(directus.get() for _ in range(100)), directus.get("b"))

    assert (len(answers), directus.asked) == (102, 3)


@in_virtual_time
async def test_a_slow_question_keeps_nobody() -> None:
    """U5: Who comes while a slow question is under way asks after a twentieth of a second all the same."""
    directus = Directus(latency=5)
    slow = asyncio.create_task(directus.get())
    await asyncio.sleep(0.001)
    began = asyncio.get_running_loop().time()

    directus.latency = 0.01
    await directus.get()

    assert asyncio.get_running_loop().time() - began <= 0.07
    assert not slow.done()
    await slow


@in_virtual_time
async def test_an_error_is_for_those_who_asked_it() -> None:
    """C6: A failure is told to all who asked together, and who comes after that asks again."""
    directus = Directus()
    directus.down = True

    found = await asyncio.gather(*(directus.get() for _ in range(3)), return_exceptions=True)
    directus.down = False

    assert [type(one) for one in found] == [OSError] * 3
    assert await directus.get() == 0


@pytest.mark.parametrize("leaving", [1, 2])
@in_virtual_time
async def test_who_leaves(leaving: int) -> None:
    """F2: A question ends with the last who waits for it, and not before, also one that was not asked yet."""
    directus = Directus()
    first = asyncio.create_task(directus.get())
    await asyncio.sleep(0.001)
    later = [asyncio.create_task(directus.get()) for _ in range(2)]
    await asyncio.sleep(0.001)

    for task in later[:leaving]:
        task.cancel()
    found = await asyncio.gather(first, *later, return_exceptions=True)

    assert found[0] == 0
    assert [one for one in found if one == 0] == [0] * (3 - leaving)
    assert directus.asked == (2 if leaving == 1 else 1)
    assert directus.under_way == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert await directus.get() == 0
