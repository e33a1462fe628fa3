"""The clock of the tests' own event loop."""

import asyncio
import time

import pytest

from tests.doubles.steady_loop import TURN, SteadyLoop

STALL = 10 * TURN


def stall(seconds: float = STALL) -> None:
    """Block the loop, as a busy machine does."""
    time.sleep(seconds)


async def test_it_is_the_loop_of_every_test() -> None:
    """A test without a loop of its own runs in this one."""
    assert isinstance(asyncio.get_running_loop(), SteadyLoop)


async def test_a_stall_does_not_count() -> None:
    """Time in which the loop is blocked counts as one turn."""
    loop = asyncio.get_running_loop()
    real, counted = time.monotonic(), loop.time()

    stall()

    assert time.monotonic() - real >= STALL
    assert loop.time() - counted < 2 * TURN


async def test_a_stall_makes_nothing_late() -> None:
    """A result that is there within its time is in time, even if the process was stopped for longer."""
    async with asyncio.timeout(STALL / 2):
        asyncio.get_running_loop().call_soon(stall)
        await asyncio.sleep(TURN)


async def test_time_passes() -> None:
    """A result that does not come is given up, no earlier than its time."""
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2 * TURN):
            await asyncio.Event().wait()

    assert time.monotonic() - began >= 2 * TURN * 0.9


async def test_time_goes_forward() -> None:
    """The clock never goes back, over turns and stalls alike."""
    loop, read = asyncio.get_running_loop(), list[float]()
    for turn in range(20):
        read.append(loop.time())
        if turn % 7 == 0:
            stall(1.5 * TURN)
        read.append(loop.time())
        await asyncio.sleep(TURN / 10)

    assert read == sorted(read)
