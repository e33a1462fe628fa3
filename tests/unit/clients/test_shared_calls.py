"""One call for all who ask at the same moment: who joins, whose it is, how it ends, and what stays for a moment."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from sidecar import context
from sidecar.clients.shared_calls import SharedCalls
from sidecar.clients.stripe.governor import Governor
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeUnavailable
from sidecar.party import Party
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.stripe.governors import governor


@dataclass(slots=True)
class Source:
    """Answers after a second, with the number of calls so far; `parties` are those in whose names it was called."""

    calls: int = 0
    ended: int = 0
    fails: bool = False
    parties: list[set[str]] = field(default_factory=list)

    async def __call__(self) -> int:
        self.calls += 1
        number = self.calls
        try:
            await asyncio.sleep(1)
        finally:
            self.ended += 1
        party = context.party.get()
        self.parties.append(set() if party is None else set(party.callers))
        if self.fails:
            raise StripeUnavailable("down")
        return number


def ask(
    shared: SharedCalls[int], source: Callable[..., object], caller: str = "a", key: object = "key"
) -> asyncio.Task[int]:
    async def asking() -> int:
        context.caller.set(caller)
        return await shared.get(key, source)  # type: ignore[arg-type]  # a double

    return asyncio.ensure_future(asking())


@in_virtual_time
async def test_one_call() -> None:
    """All who ask before the answer get one call's answer, in the name of all of them; the next one asks again."""
    shared, source = SharedCalls[int](), Source()

    tasks = [ask(shared, source, caller) for caller in "aab"]
    answers = [await task for task in tasks]

    assert (answers, source.calls, source.parties) == ([1, 1, 1], 1, [{"a", "b"}])
    assert await ask(shared, source) == 2


@in_virtual_time
async def test_all_get_the_error() -> None:
    """An error is told to all who share the call, and is not kept."""
    shared, source = SharedCalls[int](moment=60), Source(fails=True)

    outcomes = await asyncio.gather(*(ask(shared, source) for _ in range(3)), return_exceptions=True)
    source.fails = False

    assert [type(one) for one in outcomes] == [StripeUnavailable] * 3
    assert await ask(shared, source) == 2


@in_virtual_time
async def test_it_ends_with_the_last_who_waits() -> None:
    """F2: the call goes on while somebody waits, whoever began it, and ends when the last one leaves."""
    shared, source = SharedCalls[int](), Source()
    first, second, third = (ask(shared, source, caller) for caller in "abc")
    await asyncio.sleep(0.5)

    first.cancel()
    await asyncio.sleep(0)
    assert source.ended == 0
    second.cancel()
    third.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    await asyncio.sleep(0)

    assert (source.ended, source.parties) == (1, [])
    assert await ask(shared, source) == 2


@in_virtual_time
async def test_a_moment_for_a_crowd() -> None:
    """What several asked for at once is given for the rest of the moment to those who come late, and then no more."""
    shared, source = SharedCalls[int](moment=3), Source()
    await asyncio.gather(*(ask(shared, source) for _ in range(2)))

    await asyncio.sleep(1.9)
    assert await ask(shared, source) == 1
    await asyncio.sleep(0.2)
    assert await ask(shared, source) == 2


@pytest.mark.parametrize(("readers", "calls"), [(1, 2), (2, 1)])
@in_virtual_time
async def test_a_call_of_what_several_share(readers: int, calls: int) -> None:
    """What several share, such as a list, makes its call in the name of all of them; to them they are a crowd."""
    shared, source, party = SharedCalls[int](moment=3), Source(), Party()
    asking = asyncio.get_running_loop().create_task(shared.get("key", source), context=context.shared_by(party))
    for caller in "ab"[:readers]:
        party.join(caller)

    await asking
    await ask(shared, source, "c")

    assert (source.calls, source.parties[0], party.size) == (calls, {*"ab"[:readers]}, readers)


@in_virtual_time
async def test_few_are_kept() -> None:
    """F5: of many things that crowds asked for only the last sixteen are kept for their moment."""
    shared, source = SharedCalls[int](moment=60), Source()
    for key in range(40):
        await asyncio.gather(*(ask(shared, source, key=key) for _ in range(2)))

    again = [await ask(shared, source, key=key) for key in (39, 24, 23, 0)]

    assert (again[:2], source.calls) == ([40, 25], 42)


@in_virtual_time
async def test_no_moment_for_one() -> None:
    """Who asks alone again and again gets a new answer each time."""
    shared, source = SharedCalls[int](moment=3), Source()

    assert [await ask(shared, source) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("answered", [False, True])
@in_virtual_time
async def test_forget(*, answered: bool) -> None:
    """C7: nobody who asks after a change joins a call from before it; those who wait get its answer."""
    shared, source = SharedCalls[int](moment=60), Source()
    before = [ask(shared, source) for _ in range(2)]
    await asyncio.sleep(2 if answered else 0.5)

    shared.forget()

    assert await ask(shared, source) == 2
    assert [await one for one in before] == [1, 1]


@in_virtual_time
async def test_a_call_that_waits_for_its_turn_is_not_forgotten() -> None:
    """F1: however often something changes, those who ask meanwhile share the call that is not made yet."""
    traffic, shared, made = governor(each_endpoint=10), SharedCalls[int](), Source()

    async def in_turn() -> int:
        async with traffic.turn("GET /v1/customers", Urgency.PAGE):
            return await made()

    first = [ask(shared, in_turn) for _ in range(2)]
    others = [asyncio.ensure_future(traffic_of_others(traffic)) for _ in range(10)]
    await asyncio.sleep(0)
    shared.forget()
    waiting = [ask(shared, in_turn, "b")]
    for _ in range(50):
        await asyncio.sleep(0.001)
        shared.forget()
        waiting.append(ask(shared, in_turn, "c"))

    assert [await one for one in (*first, *waiting)] == [1] * 2 + [2] * 51
    await asyncio.gather(*others)


async def traffic_of_others(traffic: Governor) -> None:
    context.caller.set("other")
    async with traffic.turn("GET /v1/customers", Urgency.PAGE):
        pass


@in_virtual_time
async def test_who_joins_lends_its_place() -> None:
    """F1: those who join a call hold no place while they wait; who makes the call does."""
    lent: list[str] = []

    @dataclass
    class Place:
        caller: str

        def lent(self) -> AbstractAsyncContextManager[None]:
            return self._lent()

        @asynccontextmanager
        async def _lent(self):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a generator, as the decorator's type says
            lent.append(self.caller)
            yield

    async def asking(caller: str) -> int:
        context.place.set(Place(caller))
        return await shared.get("key", Source())

    shared = SharedCalls[int]()
    await asyncio.gather(*(asking(caller) for caller in "abc"))

    assert lent == ["b", "c"]


@in_virtual_time
async def test_cut_anywhere() -> None:
    """F2: whoever is cut off at any moment, the others get the answer, and nothing stays under way."""
    for moment in range(20):
        shared, source = SharedCalls[int](), Source()
        tasks = [ask(shared, source, str(number)) for number in range(6)]
        await asyncio.sleep(0.06 * moment)
        for task in tasks[::2]:
            task.cancel()

        await asyncio.gather(*tasks, return_exceptions=True)

        assert [task.result() for task in tasks[1::2]] == [1] * 3
        assert source.calls == source.ended == 1
