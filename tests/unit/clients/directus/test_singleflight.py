"""Check C4: one shared call per key, independent of the caller that started it."""

import asyncio
import gc

import pytest

from sidecar.clients.directus.singleflight import SingleFlight


class Call:
    """Counts its runs and ends when it is told how."""

    def __init__(self) -> None:
        self.runs = 0
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.runs += 1
        return await asyncio.shield(self.end)


async def joined(flights: SingleFlight[str], call: Call, number: int, key: str = "k") -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(flights.run(key, call)) for _ in range(number)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_a_thousand_share_one_call() -> None:
    """C4: A thousand callers at once cause one call, and all get its result."""
    flights, call = SingleFlight[str](), Call()
    tasks = await joined(flights, call, 1000)

    call.end.set_result("yes")

    assert set(await asyncio.gather(*tasks)) == {"yes"}
    assert call.runs == 1


async def test_keys_do_not_share() -> None:
    """C2: Two keys cause two calls, each with its own result."""
    flights, first, second = SingleFlight[str](), Call(), Call()
    tasks = [*await joined(flights, first, 2, "a"), *await joined(flights, second, 2, "b")]

    first.end.set_result("1")
    second.end.set_result("2")

    assert await asyncio.gather(*tasks) == ["1", "1", "2", "2"]


async def test_the_first_caller_may_leave() -> None:
    """C4: If the caller that started the call goes away, the others still get the result."""
    flights, call = SingleFlight[str](), Call()
    first, *others = await joined(flights, call, 3)

    first.cancel()
    await asyncio.sleep(0)
    call.end.set_result("yes")

    assert await asyncio.gather(*others) == ["yes", "yes"]
    assert first.cancelled()
    assert call.runs == 1


async def test_all_are_told_of_a_failure_and_the_next_tries_again() -> None:
    """C4: A failure reaches every waiting caller, and is not kept for later callers."""
    flights, call = SingleFlight[str](), Call()
    tasks = await joined(flights, call, 10)
    call.end.set_exception(OSError("down"))

    ends = await asyncio.gather(*tasks, return_exceptions=True)
    call.end = asyncio.get_running_loop().create_future()
    call.end.set_result("yes")

    assert [type(end) for end in ends] == [OSError] * 10
    assert await flights.run("k", call) == "yes"


async def test_a_result_is_not_kept() -> None:
    """C4: A caller after the end starts a new call: nothing is cached here."""
    flights, call = SingleFlight[str](), Call()
    call.end.set_result("yes")

    assert [await flights.run("k", call), await flights.run("k", call)] == ["yes", "yes"]
    assert call.runs == 2


async def test_a_call_that_fails_before_it_waits() -> None:
    """C4: A call that raises at once leaves nothing behind."""
    flights = SingleFlight[str]()

    def call() -> asyncio.Future[str]:
        raise LookupError("at once")

    for _ in range(2):
        with pytest.raises(LookupError):
            await flights.run("k", call)


async def test_a_failure_without_a_waiting_caller_is_quiet() -> None:
    """C4: After all callers have gone, a failure is not logged."""
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    flights, call = SingleFlight[str](), Call()
    for task in await joined(flights, call, 2):
        task.cancel()
    del task  # a reference would keep the failure from being collected
    await asyncio.sleep(0)

    call.end.set_exception(OSError("down"))
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()

    assert complaints == []
    assert call.runs == 1
