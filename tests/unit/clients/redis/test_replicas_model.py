"""Checks C7 and C10 over several replicas: their caches, Redis and its news against a model of Directus.

Only rules move time. News come late or, after a flush, never; replicas hear of a change alone, together or not at all;
Redis goes away, comes back, loses everything or one key. Scripts run in Lua, on a double of Redis.
"""

import asyncio
import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from sidecar.clients.directus.caller_keys import CallerKeys
from sidecar.clients.directus.line import Ready
from sidecar.clients.directus.permission_cache import PermissionCache
from sidecar.clients.directus.permission_flight import Place
from sidecar.clients.redis.announcements import Announcements
from sidecar.clients.redis.answers import Answers
from sidecar.clients.redis.names import Space
from sidecar.clients.redis.news import Entry, NewsReader
from sidecar.clients.redis.replicas import Replicas
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Action, Permissions
from sidecar.errors import CredentialRefused, DirectusUnavailable, SidecarError
from sidecar.metrics import Metrics
from tests.doubles.redis.memory import RedisMemory
from tests.unit.clients.directus.sources import SURE, credential, granting

pytestmark = pytest.mark.slow

TTL, DENIED_TTL, LATENCY, WINDOW = 30.0, 5.0, 2.0, 0.2
START = 1_800_000_000.0
REPLICAS = (0, 1, 2)
CALLERS = ("session", "static")
SECRET = b"the key of all replicas' hashes."
CLAIMS = {"iss": "directus", "id": "session", "role": None, "exp": START + 1e6}
SESSION = f"e30.{base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode().rstrip('=')}.sig"
ROUNDING = 1e-3

replicas, callers = st.sampled_from(REPLICAS), st.sampled_from(CALLERS)
some_replicas = st.sets(replicas)
pauses = st.sampled_from([0.1, 0.5, DENIED_TTL, 13.0, TTL - LATENCY, TTL])


@dataclass
class Directus:
    """`asked` has the moments of questions and what was said, by caller."""

    now: float = START
    down: bool = False
    allowed: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(CALLERS, True))
    last_allowed: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CALLERS, -math.inf))
    asked: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: {name: [] for name in CALLERS})
    meanwhile: Callable[[], None] = lambda: None

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for caller in CALLERS:
            if self.allowed[caller]:
                self.last_allowed[caller] = self.now

    def set(self, caller: str, *, allowed: bool) -> None:
        self.advance(0)
        self.allowed[caller] = allowed

    async def permissions_patiently(
        self, credential: Credential, sent: Callable[[Place], None], ready: Ready
    ) -> Permissions:
        await asyncio.sleep(0)
        await ready()
        sent(SURE)
        caller, asked = credential.address or "", self.now
        await asyncio.sleep(0)
        self.advance(LATENCY / 2)
        if self.down:
            raise DirectusUnavailable("down")
        allowed = self.allowed[caller]
        self.asked[caller].append((asked, allowed))
        self.advance(LATENCY / 2)
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        await asyncio.sleep(0)
        if not allowed:
            raise CredentialRefused("INVALID_CREDENTIALS")
        return granting(Action.READ)

    async def identity(self, credential: Credential) -> Identity:
        return Identity(credential.address)

    async def user_patiently(self, credential: Credential) -> str | None:
        return credential.address


async def _nothing(_stream: str, _after: bytes) -> list[Entry]:
    return []


@dataclass
class Replica:
    """`felt` is, by caller, since when this replica knows that earlier answers do not count."""

    directus: Directus
    redis: RedisMemory
    space: Space
    felt: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CALLERS, -math.inf))

    def __post_init__(self) -> None:
        async def passed(_entry: bytes) -> None: ...

        def now() -> float:
            return self.directus.now

        self.announcements = Announcements(self.redis, [self.space], passed)
        answers = Answers(self.redis, self.space, trusted=lambda: self.announcements.all_told, clock=now)
        self.answers = answers
        self.cache = PermissionCache(
            self.directus, ttl=TTL, denied_ttl=DENIED_TTL, size=100, shared=answers, secret=SECRET, timer=now, clock=now
        )
        self.reader = NewsReader(_nothing, self.space)
        self.reader.listener = self
        self.replicas = Replicas(self.redis, self.space, self.reader, expected=1, metrics=Metrics())

    def feel(self, *callers: str) -> None:
        """Within the window a change counts as the one that another replica has told of just before."""
        for caller in callers:
            self.felt[caller] = max(self.felt[caller], self.directus.now - WINDOW)

    def purge(self, cause: str = "change") -> None:
        self.cache.purge(cause)

    def forget_user(self, user: str) -> None:
        self.cache.forget_user(user)

    def forget_token(self, token: bytes) -> None:
        self.cache.forget_token(token)


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directus = Directus()

    @initialize()
    def start(self) -> None:
        self.redis = RedisMemory(lambda: self.directus.now)
        space = Space.of("the-secret-that-replicas-share-is-long", "permissions", "http://directus", "customers")
        self.replicas = [Replica(self.directus, self.redis, space) for _ in REPLICAS]
        self.directus.advance(0)
        for replica in self.replicas:
            self.deliver(replica)

    def teardown(self) -> None:
        self.run(asyncio.sleep(0))
        self.runner.close()

    def run(self, *doing: object) -> list[object]:
        async def all_of_it() -> list[object]:
            found = list(await asyncio.gather(*doing))  # type: ignore[call-overload]  # coroutines
            for replica in self.replicas:
                await replica.answers.close()
            return found

        return self.runner.run(all_of_it())

    @rule(seconds=pauses)
    def time_passes(self, seconds: float) -> None:
        self.directus.advance(seconds)

    @rule(caller=callers, allowed=st.booleans())
    def change_unheard(self, caller: str, *, allowed: bool) -> None:
        """As in the database, or while no feed is connected."""
        self.directus.set(caller, allowed=allowed)

    @rule(caller=callers, allowed=st.booleans(), who=some_replicas, user_only=st.booleans())
    def change(self, caller: str, who: set[int], *, allowed: bool, user_only: bool) -> None:
        """A change that some of the replicas hear, of everybody's permissions or of one user."""
        self.directus.set(caller, allowed=allowed)
        for each in sorted(who):
            self.hear(each, caller, user_only=user_only)

    def hear(self, each: int, caller: str, *, user_only: bool) -> None:
        replica = self.replicas[each]

        async def tell() -> None:
            if user_only:
                replica.forget_user(caller)
                replica.announcements.change_user(caller)
            else:
                replica.purge()
                replica.announcements.change_everybody()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        if user_only and caller == "static":  # whose user only its own question tells
            return
        self.run(tell())
        replica.feel(*([caller] if user_only else CALLERS))

    @rule(who=replicas, caller=callers)
    def log_out(self, who: int, caller: str) -> None:
        """A replica is told of a logout just before Directus ends the session."""
        replica, ended = self.replicas[who], self.credential(caller)

        async def tell() -> None:
            replica.cache.forget(ended)
            await replica.announcements.log_out([CallerKeys(SECRET).token(ended.token)])

        self.run(tell())
        self.directus.set(caller, allowed=False)
        replica.felt[caller] = self.directus.now

    @rule(who=replicas)
    def hear_news(self, who: int) -> None:
        self.deliver(self.replicas[who])

    def deliver(self, replica: Replica) -> None:
        if self.redis.up:
            self.run(replica.replicas.sign())
            news = self.redis.after(replica.space.name("news"), replica.reader.position or b"0-0")
            replica.reader.hear(news)

    @rule()
    def everybody_hears_all(self) -> None:
        """After that no replica gives what is from before a change that one of them could tell of."""
        if not self.redis.up:
            return
        self.run(*(replica.announcements.pay() for replica in self.replicas))
        for replica in self.replicas:
            self.deliver(replica)
        for caller in CALLERS:
            latest = max(replica.felt[caller] for replica in self.replicas)
            for replica in self.replicas:
                replica.felt[caller] = latest

    @rule(up=st.booleans())
    def redis_goes(self, *, up: bool) -> None:
        self.redis.up = up

    @rule()
    def redis_is_flushed(self) -> None:
        self.redis.flush()

    @rule(which=st.integers(0, 20))
    def redis_evicts(self, which: int) -> None:
        names = sorted(self.redis.keys)
        if which < len(names):
            self.redis.keys.pop(names[which])

    @rule(down=st.booleans())
    def outage(self, *, down: bool) -> None:
        self.directus.down = down

    @rule(who=replicas, caller=callers)
    def request(self, who: int, caller: str) -> None:
        self.verdict(who, caller)

    @rule(caller=callers, who=st.lists(replicas, min_size=2, max_size=6))
    def requests_at_once(self, caller: str, who: list[int]) -> None:
        for each, allowed in zip(who, self.run(*(self.asking(each, caller) for each in who)), strict=True):
            self.judge(each, caller, allowed, self.directus.now - LATENCY)

    @rule(who=replicas, hearing=replicas, caller=callers, user_only=st.booleans())
    def request_while(self, who: int, hearing: int, caller: str, *, user_only: bool) -> None:
        """A right goes after Directus has decided, and a replica hears of it before the answer has arrived."""
        replica = self.replicas[hearing]

        def change() -> None:
            self.directus.set(caller, allowed=False)
            if user_only and caller == "static":
                return
            if user_only:
                replica.forget_user(caller)
                replica.announcements.change_user(caller)
            else:
                replica.purge()
                replica.announcements.change_everybody()
            pending.append(hearing)

        pending: list[int] = []
        self.directus.meanwhile = change
        began = self.directus.now
        (allowed,) = self.run(self.asking(who, caller))
        self.directus.meanwhile = lambda: None
        self.judge(who, caller, allowed, began)
        for each in pending:
            self.replicas[each].feel(*([caller] if user_only else CALLERS))

    def verdict(self, who: int, caller: str) -> None:
        began = self.directus.now
        (allowed,) = self.run(self.asking(who, caller))
        self.judge(who, caller, allowed, began)

    def judge(self, who: int, caller: str, allowed: object, began: float) -> None:
        """Some question must justify the answer: young enough, and from after what this replica has felt."""
        directus, now, felt = self.directus, self.directus.now, self.replicas[who].felt[caller]
        if allowed is None:
            assert directus.down, "not asked although Directus could have answered"
            return
        lifetime = TTL if allowed else DENIED_TTL
        fitting = [asked for asked, said in directus.asked[caller] if said is allowed]
        assert any(now - asked <= lifetime + (now - began) + ROUNDING for asked in fitting), "older than it may be"
        assert any(asked >= felt - ROUNDING for asked in fitting), "from before a change that was felt"
        if allowed:
            assert began - directus.last_allowed[caller] <= TTL + ROUNDING, "let through too late"

    async def asking(self, who: int, caller: str) -> bool | None:
        try:
            permissions = await self.replicas[who].cache.permissions(self.credential(caller))
        except CredentialRefused:
            return False
        except SidecarError:
            return None
        return len(permissions.grants) > 0

    def credential(self, caller: str) -> Credential:
        return credential(SESSION if caller == "session" else "static-token", caller)


def test_replicas_agree_with_directus() -> None:
    """C7, C10: No replica lets anybody through later than the TTL, nor by an answer from before a change it felt."""
    run_state_machine_as_test(Machine, settings=settings(max_examples=150, stateful_step_count=40, deadline=None))
