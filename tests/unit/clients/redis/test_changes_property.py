"""Several replicas, one Redis: nobody gets what began to be fetched before a change that was told before it asked."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar import context
from sidecar.clients.lists.shared import SharedStreams
from sidecar.clients.redis.changes import TELL, SharedChanges
from sidecar.clients.redis.commands import Argument
from sidecar.clients.redis.scripts import Script
from sidecar.clients.shared_calls import SharedCalls
from tests.doubles.redis.distant import DistantRedis
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.virtual_time import in_virtual_time

pytestmark = pytest.mark.slow

NAMES = ["sidecar:{tag}:changes"]
REPLICAS = 2
LONGEST = 3.0  # seconds of one fetch

Action = tuple[str, int, float]  # what, at which replica, and the seconds until the next one
ASKED, TROUBLE = ("page", "list"), ("lose", "away", "back")
kinds = st.sampled_from(ASKED * 6 + ("change",) * 6 + TROUBLE)
pauses = st.sampled_from([0.0, 0.001, 0.01, 0.05, 0.3, 1.0])
actions = st.lists(st.tuples(kinds, st.integers(0, REPLICAS - 1), pauses), min_size=20, max_size=60)
shares = st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0])  # of the longest that something may take


@dataclass
class World:
    """`state` counts the changes at Stripe, `told` those of which everybody must have heard."""

    draw: Callable[[float], float]
    rate: float
    state: int = 0
    told: int = 0
    fetches: int = 0
    answers: list[tuple[str, int, int]] = field(default_factory=list)
    redis: DistantRedis = field(init=False)
    replicas: list["Replica"] = field(init=False)

    def __post_init__(self) -> None:
        time = asyncio.get_running_loop().time
        self.redis = DistantRedis(RedisMemory(lambda: 1_000 + self.rate * time()), lambda: self.draw(0.02))
        self.replicas = [Replica(self) for _ in range(REPLICAS)]

    async def fetch(self) -> int:
        """Give the state when the turn came, and give it late."""
        party = context.party.get()
        assert party is not None
        self.fetches += 1
        if wait := self.draw(1):
            party.wait()
            await asyncio.sleep(wait)
        party.begin(asyncio.get_running_loop().time())
        found = self.state
        await asyncio.sleep(self.draw(LONGEST))
        return found


class Replica:
    """`made` is the last change that it made. All must know it once Redis has answered what was sent after it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.made = 0
        self.changes = SharedChanges(self, NAMES)
        self.pages = SharedCalls[int](1, self.changes)
        self.lists = SharedStreams[int](changes=self.changes)

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> object:
        made = self.made
        reply = await self.world.redis.run(script, keys, arguments)
        if script is TELL:
            self.world.told = max(self.world.told, made)
        return reply

    async def page(self) -> None:
        needed = self.world.told
        self.world.answers.append(("page", needed, await self.pages.get("key", self.world.fetch)))

    async def list(self) -> None:
        needed = self.world.told
        async with aclosing(self.lists.join("key", self.source)) as items:
            async for item in items:
                self.world.answers.append(("list", needed, item))

    async def source(self, _after: int | None) -> AsyncGenerator[int]:
        for _ in range(2):
            yield await self.world.fetch()

    async def change(self) -> None:
        """Change something at Stripe, and hear of that late."""
        await asyncio.sleep(self.world.draw(0.5))
        self.world.state += 1
        made = self.world.state
        await asyncio.sleep(self.world.draw(0.5))
        self.made = max(self.made, made)
        self.pages.forget()
        self.lists.forget()
        await self.changes.tell()


async def play(world: World, script: Sequence[Action]) -> None:
    tasks = []
    for what, number, pause in script:
        match what:
            case "lose":
                world.redis.memory.flush()
            case "away" | "back":
                world.redis.memory.up = what == "back"
            case _:
                tasks.append(asyncio.ensure_future(getattr(world.replicas[number], what)()))
        await asyncio.sleep(pause)
    world.redis.memory.up = True
    await asyncio.gather(*tasks)
    for replica in world.replicas:
        await replica.changes.close()


@settings(max_examples=300)
@given(actions, st.lists(shares, min_size=10, max_size=40), st.sampled_from([0.95, 1.0, 1.08]))
def test_nothing_from_before_a_change(script: list[Action], drawn: list[float], rate: float) -> None:
    """Whatever replicas fetch, join, change, lose and miss in any order, an answer contains each change told before."""

    @in_virtual_time
    async def check() -> None:
        following = cycle(drawn)
        world = World(lambda most: most * next(following), rate)
        await play(world, script)

        assert [answer for answer in world.answers if answer[2] < answer[1]] == []

    check()
