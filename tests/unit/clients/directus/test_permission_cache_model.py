"""Check C10: the cache against a model of Directus, in any order of events.

Only rules move time. The model knows when Directus would last have allowed each request; every answer of the cache
is compared with that, and with the questions that Directus really got.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from sidecar.clients.directus.line import Ready
from sidecar.clients.directus.permission_cache import PermissionCache
from sidecar.clients.directus.permission_flight import Place
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.errors import CredentialRefused, DirectusUnavailable, SidecarError
from tests.doubles.collections import CUSTOMERS
from tests.unit.clients.directus.sources import SURE, credential, granting
from tests.unit.clients.directus.test_permission_cache import jwt

pytestmark = pytest.mark.slow

TTL, DENIED_TTL, LATENCY = 30.0, 5.0, 2.0
START = 1000.0  # the timer and the wall clock agree, so that the model needs only one time
SESSION = "session"  # the caller whose token expires; the other tokens are static
CALLERS = ("a", "b", SESSION)
ACTIONS = (Action.READ, Action.CREATE)
ROUNDING = 1e-6

Pair = tuple[str, Action]
callers, actions = st.sampled_from(CALLERS), st.sampled_from(ACTIONS)
pauses = st.sampled_from([0.5, DENIED_TTL - LATENCY, DENIED_TTL, 13.0, TTL - LATENCY, TTL - 0.5, TTL])


@dataclass
class Directus:
    """What Directus would answer now. `said` is what the cache was told: the time of its question, and the answer."""

    now: float = START
    exp: float = START + TTL
    granted: set[Pair] = field(default_factory=set)
    suspended: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    questions: int = 0
    down: bool = False
    meanwhile: Callable[[], None] = lambda: None
    said: dict[str, list[tuple[float, frozenset[Action]]]] = field(
        default_factory=lambda: {name: [] for name in CALLERS}
    )
    last_allowed: dict[Pair, float] = field(default_factory=dict)

    def knows(self, caller: str) -> bool:
        return caller not in self.suspended | self.ended and (caller != SESSION or self.now < self.exp)

    def allows(self, caller: str, action: Action) -> bool:
        return (caller, action) in self.granted and self.knows(caller)

    def last_allowed_at(self, caller: str, action: Action) -> float:
        return self.now if self.allows(caller, action) else self.last_allowed.get((caller, action), -math.inf)

    def advance(self, seconds: float) -> None:
        self.mark(self.now + seconds)
        self.now += seconds

    def mark(self, until: float) -> None:
        """Note, before a change, that the present permissions were valid until then."""
        for caller, action in self.granted:
            if self.allows(caller, action):
                self.last_allowed[caller, action] = min(until, self.exp) if caller == SESSION else until

    async def permissions_patiently(
        self, credential: Credential, sent: Callable[[Place], None], ready: Ready
    ) -> Permissions:
        await asyncio.sleep(0)
        await ready()
        sent(SURE)
        self.questions += 1
        await asyncio.sleep(0)
        caller, asked = credential.address or "", self.now
        self.advance(LATENCY / 2)
        if self.down:
            raise DirectusUnavailable("down")
        known, allowed = self.knows(caller), frozenset(action for action in ACTIONS if self.allows(caller, action))
        self.said[caller].append((asked, allowed))
        self.advance(LATENCY / 2)
        self.meanwhile()
        await asyncio.sleep(0)
        if not known:
            raise CredentialRefused("INVALID_CREDENTIALS")
        return granting(*allowed)

    async def identity(self, credential: Credential) -> Identity:
        return Identity(credential.address)

    async def user_patiently(self, credential: Credential) -> str | None:
        return credential.address


class CacheMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directus = Directus()
        self.sessions = 0
        self.sign_ins = dict.fromkeys(CALLERS, 0)

    @initialize(size=st.sampled_from([1, 2, 100]), granted=st.sets(st.tuples(callers, actions)))
    def start(self, size: int, granted: set[Pair]) -> None:
        def now() -> float:
            return self.directus.now

        self.cache = PermissionCache(self.directus, ttl=TTL, denied_ttl=DENIED_TTL, size=size, timer=now, clock=now)
        self.directus.granted = granted

    def teardown(self) -> None:
        self.runner.close()

    @rule(seconds=pauses)
    def time_passes(self, seconds: float) -> None:
        self.directus.advance(seconds)

    @rule(seconds=pauses)
    def sign_in_again(self, seconds: float) -> None:
        """The session gets a new token, to which no earlier answer may apply."""
        self.directus.mark(self.directus.now)
        self.directus.exp = self.directus.now + seconds
        self.sessions += 1
        self.directus.said[SESSION] = []

    @rule(caller=callers, action=actions)
    def grant(self, caller: str, action: Action) -> None:
        self.directus.granted.add((caller, action))

    @rule(caller=callers, action=actions)
    def revoke(self, caller: str, action: Action) -> None:
        self.directus.mark(self.directus.now)
        self.directus.granted.discard((caller, action))

    @rule(caller=callers)
    def suspend(self, caller: str) -> None:
        self.directus.mark(self.directus.now)
        self.directus.suspended.add(caller)

    @precondition(lambda self: self.directus.suspended)
    @rule()
    def restore_all(self) -> None:
        self.directus.suspended.clear()

    @rule(down=st.booleans())
    def outage(self, *, down: bool) -> None:
        self.directus.down = down

    @rule()
    def purge(self) -> None:
        self.cache.purge()
        self.directus.said = {name: [] for name in CALLERS}

    @rule(caller=callers, action=actions)
    def request(self, caller: str, action: Action) -> None:
        self.verdict(caller, action)

    @rule(caller=callers, action=actions, change=st.sampled_from(["purge", "suspend", "revoke"]))
    def request_while(self, caller: str, action: Action, change: str) -> None:
        """Something changes after Directus has decided and before its answer has arrived."""
        changes: dict[str, Callable[[], None]] = {
            "purge": self.purge,
            "suspend": lambda: self.suspend(caller),
            "revoke": lambda: self.revoke(caller, action),
        }
        self.directus.meanwhile = changes[change]
        try:
            self.verdict(caller, action)
        finally:
            self.directus.meanwhile = lambda: None

    def verdict(self, caller: str, action: Action) -> None:
        directus, began = self.directus, self.directus.now
        said = directus.said[caller]  # a purge during the request forgets it, yet this request's answer counts
        allowed = self.ask(caller, action)
        now = directus.now

        if allowed is None:
            assert directus.down, "not asked although Directus could have answered"
            return
        assert not (directus.down and now > began), "an answer out of a question that got none"
        lifetime = TTL if allowed else DENIED_TTL
        ages = [now - asked for asked, heard in said if (action in heard) is allowed]
        assert min(ages, default=math.inf) <= lifetime + ROUNDING, "an answer older than it may be"
        if allowed:
            assert now - directus.last_allowed_at(caller, action) <= TTL + ROUNDING, "let through too late"
            assert caller != SESSION or began < directus.exp, "let through after the token's end"

    def ask(self, caller: str, action: Action) -> bool | None:
        """Say whether the request would be allowed; None means that nobody could tell."""
        return self.runner.run(self.asking(caller, action))

    def credential(self, caller: str) -> Credential:
        """The address tells the model which caller asks; the cache also gets a token."""
        token = f"{jwt(self.directus.exp)}-{self.sessions}" if caller == SESSION else caller
        return credential(f"{token}-{self.sign_ins[caller]}", caller)

    async def asking(self, caller: str, action: Action) -> bool | None:
        requirement = Requirement("customers", action, CUSTOMERS)
        try:
            permissions = await self.cache.permissions(self.credential(caller), requirement.granted_by)
        except CredentialRefused:
            return False
        except SidecarError:
            return None
        return permissions.grant("customers", action).usable


def test_the_cache_agrees_with_directus() -> None:
    """C10: The cache allows no request later than the TTL after Directus would have; an outage decides nothing."""
    run_state_machine_as_test(CacheMachine, settings=settings(max_examples=150, stateful_step_count=40, deadline=None))
