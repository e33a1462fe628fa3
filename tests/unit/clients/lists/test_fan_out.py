"""The calls of one request run a few at a time, and end together."""

import asyncio
from functools import partial

import pytest

from sidecar.clients.lists.fan_out import fan_out
from tests.doubles.virtual_time import in_virtual_time


@in_virtual_time
async def test_results_are_in_order() -> None:
    """Results come in the order of the calls, whichever ends first."""

    async def call(number: int) -> int:
        await asyncio.sleep(10 - number)
        return number

    assert await fan_out([partial(call, number) for number in range(10)]) == list(range(10))


@in_virtual_time
async def test_first_failure_ends_the_rest() -> None:
    """L3: When a call fails, the others have ended before the failure is raised, also those that take time to end."""
    open_calls: set[int] = set()

    async def call(number: int) -> None:
        open_calls.add(number)
        try:
            await asyncio.sleep(10 * number)
            raise OSError("down")
        finally:
            await asyncio.sleep(1)
            open_calls.discard(number)

    with pytest.raises(OSError, match="down"):
        await fan_out([partial(call, number) for number in range(1, 20)])

    assert open_calls == set()
    assert asyncio.all_tasks() == {asyncio.current_task()}
