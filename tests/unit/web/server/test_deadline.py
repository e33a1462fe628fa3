"""A deadline passes when it says, however often it was moved before."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.web.server.deadline import Deadline
from tests.doubles.virtual_time import VirtualTimeLoop

MOVES = st.lists(st.tuples(st.integers(0, 20), st.none() | st.integers(0, 30)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(MOVES)
def test_it_passes_when_it_says(moves: list[tuple[int, int | None]]) -> None:
    """L1: Moved to sooner or later moments and lifted at any time, it passes when a timer for each move would."""
    passed: list[float] = []
    expected: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        deadline = Deadline(loop, lambda: passed.append(loop.time()))
        due: float | None = None
        for pause, seconds in moves:
            if due is not None and due < loop.time() + pause:
                expected.append(due)
                due = None
            await asyncio.sleep(pause)
            if due == loop.time():  # it may pass just before or just after
                break
            if seconds is None:
                deadline.lift()
            else:
                deadline.move(seconds)
            due = None if seconds is None else loop.time() + seconds
        expected.extend(() if due is None else (due,))
        await asyncio.sleep(100)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())

    assert passed == expected


def test_it_leaves_nothing_behind() -> None:
    """Once it has ended it never passes, and the loop has no timer of it."""
    passed: list[bool] = []

    async def run() -> None:
        deadline = Deadline(asyncio.get_running_loop(), lambda: passed.append(True))
        deadline.move(5)
        deadline.end()
        await asyncio.sleep(10)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())

    assert passed == []


def test_one_timer() -> None:
    """Moving it to a later moment again and again makes no new timer."""
    made = 0

    class Loop(VirtualTimeLoop):
        def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:  # type: ignore[override]  # noqa: ANN401 - any arguments
            nonlocal made
            made += 1
            return super().call_at(when, callback, *args, context=context)

    async def run() -> None:
        deadline = Deadline(asyncio.get_running_loop(), lambda: None)
        for seconds in range(10, 1_000):
            deadline.move(seconds)
        deadline.end()

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(run())

    assert made == 1
