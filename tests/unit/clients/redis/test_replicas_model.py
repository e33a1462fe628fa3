"""Checks C7 and C10 over several replicas: their caches, Redis and its news against a model of Directus.

Only rules move time. News come late or, after a flush, never; replicas hear of a change alone, together or not at all;
Redis goes away, comes back, loses everything or one key, or is an older one. Scripts run in Lua, on a double of Redis.
"""

import asyncio
import math
from collections.abc import Coroutine, Iterable
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.unit.clients.redis.replica import CALLERS, DENIED_TTL, LATENCY, TTL, WINDOW, Replica, World

pytestmark = pytest.mark.slow

ROUNDING = 1e-3
Result = TypeVar("Result")

replicas, callers = st.sampled_from([0, 1, 2]), st.sampled_from(CALLERS)
some_replicas = st.sets(replicas)
pauses = st.sampled_from([0.1, 0.5, DENIED_TTL, 13.0, TTL - LATENCY, TTL])


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()

    @initialize()
    def start(self) -> None:
        self.world = self.run(World().start())
        self.directus, self.redis, self.replicas = self.world.directus, self.world.redis, self.world.replicas
        self.saved = self.redis.saved()
        self.lost = dict.fromkeys(CALLERS, -math.inf)  # until when news may have been lost

    def teardown(self) -> None:
        self.runner.close()

    def run(self, doing: Coroutine[object, object, Result]) -> Result:
        async def all_of_it() -> Result:
            found = await doing
            for replica in self.replicas if hasattr(self, "replicas") else ():
                await replica.settle()
            return found

        return self.runner.run(all_of_it())

    @rule(seconds=pauses)
    def time_passes(self, seconds: float) -> None:
        self.directus.advance(seconds)

    @rule(caller=callers, allowed=st.booleans())
    def change_unheard(self, caller: str, *, allowed: bool) -> None:
        """As in the database, or while no feed is connected."""
        self.directus.set(caller, allowed=allowed)

    @rule(caller=callers, allowed=st.booleans(), who=some_replicas, of_user=st.booleans(), away=st.booleans())
    def change(self, caller: str, who: set[int], *, allowed: bool, of_user: bool, away: bool) -> None:
        """A change that some of the replicas hear, of everybody's permissions or of one user; perhaps without Redis."""
        was_up, self.redis.up = self.redis.up, self.redis.up and not away
        self.directus.set(caller, allowed=allowed)
        self.run(self.tell(caller, [self.replicas[each] for each in sorted(who)], of_user=of_user))
        self.redis.up = was_up

    async def tell(self, caller: str, who: Iterable[Replica], *, of_user: bool) -> None:
        for replica in who:
            if not of_user:
                replica.hear()
            elif caller != "static":  # whose user only its own question tells
                replica.hear(caller)

    @rule(who=replicas, caller=callers, later=st.sampled_from([0.0, 0.5, 7.0]))
    def log_out(self, who: int, caller: str, later: float) -> None:
        """A replica is told of a logout; a little later Directus has ended the session."""
        self.run(self.replicas[who].hear_logout(caller))
        self.directus.ending[caller] = self.directus.now + later
        self.directus.advance(0)
        self.replicas[who].felt[caller] = self.directus.now + later

    @rule(who=replicas)
    def read_news(self, who: int) -> None:
        self.run(self.replicas[who].read_news())

    @rule()
    def everybody_hears_all(self) -> None:
        """After that no replica gives what is from before a change that one of them could tell of."""
        if not self.redis.up:
            return
        for replica in self.replicas:
            self.run(replica.announcements.pay())
        self.run(self.world.everybody(lambda replica: replica.read_news()))
        for caller in CALLERS:
            # Within the window a change counts as the one that another replica has told of just before.
            latest = max(replica.felt[caller] for replica in self.replicas) - WINDOW
            for replica in self.replicas if latest > self.lost[caller] else ():
                replica.felt[caller] = max(latest, replica.felt[caller])

    @rule(up=st.booleans())
    def redis_goes(self, *, up: bool) -> None:
        self.redis.up = up

    @rule()
    def redis_is_saved(self) -> None:
        self.saved = self.redis.saved()

    @rule(flushed=st.booleans())
    def redis_is_an_older_one(self, *, flushed: bool) -> None:
        """What it lost it cannot tell: of what came before, only what each replica heard or read itself counts."""
        self.redis.restore({} if flushed else self.saved)
        self.directus.advance(0.01)  # no entry has the ID of one that is lost, which has milliseconds
        for caller in CALLERS:
            self.lost[caller] = max(replica.felt[caller] for replica in self.replicas)

    @rule(which=st.integers(0, 20))
    def redis_evicts(self, which: int) -> None:
        names = sorted(self.redis.keys)
        if which < len(names):
            self.redis.keys.pop(names[which])

    @rule(down=st.booleans())
    def outage(self, *, down: bool) -> None:
        self.directus.down = down

    @rule(caller=callers)
    def everybody_is_asked(self, caller: str) -> None:
        for each in range(len(self.replicas)):
            self.request(each, caller)

    @rule(who=replicas, caller=callers)
    def request(self, who: int, caller: str) -> None:
        began = self.directus.now
        self.judge(who, caller, self.run(self.replicas[who].ask(caller)), began)

    @rule(caller=callers, who=st.lists(replicas, min_size=2, max_size=6))
    def requests_at_once(self, caller: str, who: list[int]) -> None:
        async def ask() -> list[bool | None]:
            return await asyncio.gather(*(self.replicas[each].ask(caller) for each in who))

        began = self.directus.now
        for each, allowed in zip(who, self.run(ask()), strict=True):
            self.judge(each, caller, allowed, began)

    @rule(who=replicas, hearing=replicas, caller=callers, looking=st.booleans())
    def request_while(self, who: int, hearing: int, caller: str, *, looking: bool) -> None:
        """A right goes, and a replica hears of it, before an answer of Directus's or of Redis's has arrived."""

        def change() -> None:
            self.directus.set(caller, allowed=False)
            self.replicas[hearing].hear()

        upstream = self.redis if looking else self.directus
        upstream.meanwhile = change
        self.request(who, caller)
        upstream.meanwhile = lambda: None

    def judge(self, who: int, caller: str, allowed: bool | None, began: float) -> None:  # noqa: FBT001 - an answer
        """Some question must justify the answer: young enough, and from after what this replica had felt."""
        directus, now = self.directus, self.directus.now
        felt = min(self.replicas[who].felt[caller], began)
        if allowed is None:
            assert directus.down, "not asked although Directus could have answered"
            return
        lifetime = TTL if allowed else DENIED_TTL
        fitting = [asked for asked, said in directus.asked[caller] if said is allowed]
        assert any(now - asked <= lifetime + (now - began) + ROUNDING for asked in fitting), "older than it may be"
        assert any(asked >= felt - ROUNDING for asked in fitting), "from before a change that was felt"
        if allowed:
            assert began - directus.last_allowed[caller] <= TTL + ROUNDING, "let through too late"


def test_replicas_agree_with_directus() -> None:
    """C7, C10: No replica lets anybody through later than the TTL, nor by an answer from before a change it felt."""
    run_state_machine_as_test(Machine, settings=settings(max_examples=100, stateful_step_count=40, deadline=None))
