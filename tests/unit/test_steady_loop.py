"""The clock of the tests' own event loop."""

import asyncio
import time

import pytest

from tests.doubles.steady_loop import TURN, SteadyLoop

STALL = 10 * TURN


def stall(seconds: float = STALL) -> None:
    """Keep the loop from turning, as a machine does that runs something else."""
    time.sleep(seconds)


async def test_it_is_the_loop_of_every_test() -> None:
    """A test that asks for nothing runs in it."""
    assert isinstance(asyncio.get_running_loop(), SteadyLoop)


async def test_a_stall_does_not_count() -> None:
    """Time in which the loop does not turn counts as one turn."""
    loop = asyncio.get_running_loop()
    real, counted = time.monotonic(), loop.time()

    stall()

    assert time.monotonic() - real >= STALL
    assert loop.time() - counted < 2 * TURN


async def test_a_stall_makes_nothing_late() -> None:
    """What is there within its time is there in time, also when the process was stopped for longer."""
    async with asyncio.timeout(STALL / 2):
        asyncio.get_running_loop().call_soon(stall)
        await asyncio.sleep(TURN)


async def test_time_passes() -> None:
    """What does not come is given up, after no less than its time."""
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2 * TURN):
            await asyncio.Event().wait()

    assert time.monotonic() - began >= 2 * TURN * 0.9


async def test_time_goes_forward() -> None:
    """No reading of the clock is before the one that went before it, over turns and stalls alike."""
    loop, read = asyncio.get_running_loop(), list[float]()
    for turn in range(20):
        read.append(loop.time())
        if turn % 7 == 0:
            stall(1.5 * TURN)
        read.append(loop.time())
        await asyncio.sleep(TURN / 10)

    assert read == sorted(read)
