"""Checks C1-C9: which of Directus's answers are cached, for which callers and how long."""

import asyncio
import base64
import inspect
import json
import time
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.directus.permission_cache import PermissionCache
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Action, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.errors import CredentialRefused, DirectusUnavailable, SidecarError
from tests.unit.clients.directus.sources import CREATE, NOTHING, READ, Clock, Counting, credential, granting, refused

TTL, DENIED_TTL = 30.0, 5.0
EARLIEST = 0.9  # the share of a lifetime that jitter leaves at least
ALICE, BOB = credential("alice"), credential("bob")


class Cached:
    """A cache with its source, timer and wall clock at hand."""

    def __init__(self, source: Counting, *, size: int = 1000) -> None:
        self.source, self.timer, self.clock = source, Clock(100), Clock(1_700_000_000)
        self.cache = PermissionCache(
            source, ttl=TTL, denied_ttl=DENIED_TTL, size=size, timer=self.timer, clock=self.clock
        )

    async def ask(self, caller: Credential = ALICE, requirement: Requirement = READ) -> Permissions | SidecarError:
        try:
            return await self.cache.permissions(caller, requirement.granted_by)
        except SidecarError as error:
            return error

    def wait(self, seconds: float) -> None:
        self.timer.now += seconds
        self.clock.now += seconds


def jwt(exp: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": exp}).encode()).decode().rstrip("=")
    return f"e30.{claims}.sig"


async def test_a_permission_is_asked_for_once() -> None:
    """During its lifetime an answer serves every request of the same caller, whatever it grants."""
    cached = Cached(Counting(granting(Action.READ, Action.CREATE)))

    answers = [await cached.ask(requirement=requirement) for requirement in (READ, CREATE, READ)]

    assert answers == [granting(Action.READ, Action.CREATE)] * 3
    assert cached.source.calls == 1


@given(st.text(st.sampled_from("a.1:"), max_size=6), st.integers(0, 6), st.integers(0, 6))
def test_no_delimiter_can_be_shifted(text: str, first: int, second: int) -> None:
    """C1: One text split at two different places into token and address makes two different callers."""
    callers = [credential(text[:cut], text[cut:]) for cut in (min(first, len(text)), min(second, len(text)))]
    cached = Cached(Counting(lambda caller: granting(Action.READ, collection=caller.token)))

    answers = [asyncio.run(cached.ask(caller, READ)) for caller in callers]

    assert [answer.grants for answer in answers if isinstance(answer, Permissions)] == [
        granting(Action.READ, collection=caller.token).grants for caller in callers
    ]


async def test_memory_contains_no_token() -> None:
    """C1, S1: The cache's memory contains neither token nor address, and each process has its own keys."""
    caches = [Cached(Counting(granting(Action.READ))) for _ in range(2)]
    for cached in caches:
        await cached.ask(credential("hush-token", "192.0.2.99"))

    printed = [repr(vars(vars(cached.cache)["_memory"])) for cached in caches]

    assert all("hush-token" not in text and "192.0.2.99" not in text for text in printed)
    assert printed[0] != printed[1]


@pytest.mark.parametrize("other", [credential("bob"), credential("alice", "192.0.2.8"), credential("alice", None)])
async def test_callers_and_addresses_do_not_answer_for_each_other(other: Credential) -> None:
    """C2: Another token, or the same token from another address, needs its own question."""
    cached = Cached(Counting(lambda caller: granting(Action.READ) if caller == ALICE else NOTHING))

    assert await cached.ask(ALICE) == granting(Action.READ)
    assert await cached.ask(other) == NOTHING
    assert await cached.ask(ALICE) == granting(Action.READ)
    assert cached.source.calls == 2


async def test_read_does_not_answer_for_create() -> None:
    """C2: Permission to read is not permission to create, and that "no" is cached no longer than a refusal."""
    cached = Cached(Counting(granting(Action.READ)))
    await cached.ask(requirement=READ)

    answer = await cached.ask(requirement=CREATE)
    cached.wait(DENIED_TTL)
    later = await cached.ask(requirement=CREATE)

    assert answer == later == granting(Action.READ)
    assert cached.source.calls == 2


async def test_a_granted_right_is_felt_after_the_lifetime_of_a_no() -> None:
    """C8: A caller that keeps asking in vain does not extend the lifetime of a "no"."""
    source = Counting(granting(Action.READ))
    cached = Cached(source)
    await cached.ask(requirement=CREATE)
    source.answers = granting(Action.READ, Action.CREATE)

    cached.wait(DENIED_TTL - 0.1)
    await cached.ask(requirement=READ)
    cached.wait(0.1)

    assert await cached.ask(requirement=CREATE) == granting(Action.READ, Action.CREATE)


async def test_a_thousand_first_requests_are_one_question() -> None:
    """C4: A thousand requests with one unknown token ask Directus once."""
    cached = Cached(Counting(granting(Action.READ)))

    answers = await asyncio.gather(*(cached.ask() for _ in range(1000)))

    assert answers == [granting(Action.READ)] * 1000
    assert cached.source.calls == 1


async def test_five_hundred_callers_at_once() -> None:
    """C5: 500 tokens with 20 requests each cause 500 questions, and each caller gets its own answer."""
    cached = Cached(Counting(lambda caller: granting(Action.READ, collection=caller.token)))
    callers = [credential(f"t{number}") for number in range(500)]

    answers = await asyncio.gather(*(cached.ask(caller, CREATE) for caller in callers for _ in range(20)))

    assert answers == [granting(Action.READ, collection=caller.token) for caller in callers for _ in range(20)]
    assert cached.source.calls == 500


@pytest.mark.parametrize(
    "said", [granting(Action.READ), NOTHING, refused(ALICE)], ids=["granted", "nothing", "refused"]
)
@pytest.mark.parametrize("requirement", [READ, CREATE], ids=["read", "create"])
@pytest.mark.parametrize("turns", range(5))
async def test_a_request_as_a_flight_ends(
    said: Permissions | SidecarError, requirement: Requirement, turns: int
) -> None:
    """C11: A request in the event-loop turn of an answer, or soon after, does not ask the question again."""
    cached = Cached(Counting(said))
    arriving: list[asyncio.Task[Permissions | SidecarError]] = []

    def arrive() -> None:
        later = _after(turns, lambda: cached.ask(requirement=requirement))
        arriving.append(asyncio.create_task(later))

    cached.source.meanwhile = arrive
    await cached.ask(requirement=requirement)
    await asyncio.gather(*arriving)

    assert len(arriving) == cached.source.calls == 1


async def test_many_callers_at_once_with_many_requests() -> None:
    """C11: 300 callers with 6 requests each, spread over the turns of the event loop, cause 300 questions."""
    cached = Cached(Counting(granting(Action.READ)))
    callers = [credential(f"t{number}") for number in range(300)]

    await asyncio.gather(
        *(_after(turn, lambda caller=caller: cached.ask(caller)) for caller in callers for turn in range(6))  # type: ignore[misc]  # a lambda's default has no type
    )

    assert cached.source.calls == 300


async def test_an_identity_is_asked_for_once() -> None:
    """Who a caller is is cached with its permissions, and no longer."""
    cached = Cached(Counting(granting(Action.READ)))
    await cached.ask()

    identities = [await cached.cache.identity(ALICE) for _ in range(3)]
    assert identities == [Identity("user of alice")] * 3
    assert cached.source.identities_asked == 1

    cached.wait(TTL)
    await cached.ask()
    await cached.cache.identity(ALICE)
    assert cached.source.identities_asked == 2


@pytest.mark.parametrize("loss", ["purge", "forget"])
async def test_an_identity_that_a_purge_overtook(loss: str) -> None:
    """C7: An identity requested before a purge or a logout is not stored with permissions from after it."""
    cached = Cached(Counting(granting(Action.READ)))
    await cached.ask()
    cached.source.meanwhile = cached.cache.purge if loss == "purge" else lambda: cached.cache.forget(ALICE)

    await cached.cache.identity(ALICE)
    cached.source.meanwhile = lambda: None
    cached.wait(TTL)
    await cached.ask()
    await cached.cache.identity(ALICE)

    assert cached.source.identities_asked == 2


async def test_an_outage_is_remembered_as_neither() -> None:
    """C6: A question without an answer is reported to the caller as such, and the next request succeeds at once."""
    source = Counting(DirectusUnavailable("down"))
    cached = Cached(source)

    during = [await cached.ask(), await cached.ask()]
    source.answers = granting(Action.READ)

    assert [type(answer) for answer in during] == [DirectusUnavailable] * 2
    assert await cached.ask() == granting(Action.READ)
    assert source.calls == 3


async def test_an_outage_takes_nothing_away() -> None:
    """C6: A permission granted before an outage stays valid for the rest of its lifetime and no longer."""
    source = Counting(granting(Action.READ))
    cached = Cached(source)
    await cached.ask()
    source.answers = DirectusUnavailable("down")

    cached.wait(TTL * EARLIEST - 0.1)
    assert await cached.ask() == granting(Action.READ)

    cached.wait(TTL * (1 - EARLIEST) + 0.1)
    assert isinstance(await cached.ask(), DirectusUnavailable)


async def test_a_purge_forgets_everything() -> None:
    """C7: After a purge Directus is asked again about grants and refusals."""
    cached = Cached(Counting(lambda caller: granting(Action.READ) if caller == ALICE else refused(caller)))
    await asyncio.gather(cached.ask(ALICE), cached.ask(BOB))

    cached.cache.purge()
    await asyncio.gather(cached.ask(ALICE), cached.ask(BOB))

    assert cached.source.calls == 4


@pytest.mark.parametrize("then", [granting(Action.READ), NOTHING])
async def test_a_purge_while_looking_up(then: Permissions) -> None:
    """C7: An answer under way during a purge is neither cached nor shared with later requests."""
    source = Counting(then)
    cached = Cached(source)
    source.gate.clear()
    before = asyncio.create_task(cached.ask())
    await _until(lambda: source.calls == 1)

    cached.cache.purge()
    after = asyncio.create_task(cached.ask())
    await _until(lambda: source.calls == 2)
    source.gate.set()
    await asyncio.gather(before, after)
    cached.cache.purge()
    await cached.ask()

    assert source.calls == 3


async def test_an_answer_from_before_a_purge_is_not_stored() -> None:
    """C7: If the only lookup under way started before the purge, the next request asks."""
    source = Counting(granting(Action.READ))
    cached = Cached(source)
    source.gate.clear()
    overtaken = asyncio.create_task(cached.ask())
    await _until(lambda: source.calls == 1)

    cached.cache.purge()
    source.gate.set()
    await overtaken
    source.answers = NOTHING

    assert await cached.ask() == NOTHING


@pytest.mark.parametrize(
    ("said", "requirement", "lifetime"),
    [
        (granting(Action.READ), READ, TTL),
        (granting(Action.READ), CREATE, DENIED_TTL),
        (NOTHING, READ, DENIED_TTL),
        (refused(ALICE), READ, DENIED_TTL),
    ],
    ids=["granted", "another action", "nothing", "refused"],
)
async def test_a_no_lives_shorter_than_a_yes(
    said: Permissions | SidecarError, requirement: Requirement, lifetime: float
) -> None:
    """C8: An answer is cached for its lifetime; jitter takes at most a tenth of it and adds nothing."""
    cached = Cached(Counting(said))
    await cached.ask(requirement=requirement)

    cached.wait(lifetime * EARLIEST - 0.01)
    await cached.ask(requirement=requirement)
    assert cached.source.calls == 1

    cached.wait(lifetime * (1 - EARLIEST) + 0.01)
    await cached.ask(requirement=requirement)
    assert cached.source.calls == 2


async def test_entries_do_not_expire_as_one() -> None:
    """C8: Of two hundred answers given at the same moment, some expire well before others."""
    cached = Cached(Counting(granting(Action.READ)))
    callers = [credential(f"t{number}") for number in range(200)]
    await asyncio.gather(*(cached.ask(caller) for caller in callers))

    cached.wait(TTL * 0.95)
    await asyncio.gather(*(cached.ask(caller) for caller in callers))

    assert 250 < cached.source.calls < 350


@pytest.mark.parametrize(
    ("seconds", "calls"), [(0, 2), (-3600, 2), (4, 1), (TTL * 2, 1)], ids=["now", "past", "soon", "later"]
)
async def test_nothing_outlives_the_token(seconds: float, calls: int) -> None:
    """C8: An answer for an expired token is not cached; one for a valid token is."""
    cached = Cached(Counting(granting(Action.READ)))
    caller = credential(jwt(cached.clock.now + seconds))

    await cached.ask(caller)
    await cached.ask(caller)

    assert cached.source.calls == calls


async def test_an_answer_ends_with_the_token() -> None:
    """C8: A token's expiry shortens the life of its answer, to the second."""
    cached = Cached(Counting(granting(Action.READ)))
    caller = credential(jwt(cached.clock.now + 10))
    await cached.ask(caller)

    cached.wait(9.9)
    await cached.ask(caller)
    assert cached.source.calls == 1

    cached.wait(0.1)
    await cached.ask(caller)
    assert cached.source.calls == 2


async def test_a_slow_answer_ends_with_the_token_too() -> None:
    """C8: The time that Directus took to answer does not shorten the rest of the token's life."""
    cached = Cached(Counting(granting(Action.READ)))
    cached.source.meanwhile = lambda: cached.wait(2)
    caller = credential(jwt(cached.clock.now + 10))
    await cached.ask(caller)

    cached.wait(7.9)
    await cached.ask(caller)

    assert cached.source.calls == 1


async def test_a_lifetime_counts_from_the_question() -> None:
    """C8: Directus may change its mind while it answers, so the age of an answer counts from its question."""
    cached = Cached(Counting(granting(Action.READ)))
    cached.source.meanwhile = lambda: cached.wait(2)
    await cached.ask()

    cached.wait(TTL - 2)
    await cached.ask()

    assert cached.source.calls == 2


@pytest.mark.parametrize("leap", [-86_400.0, 86_400.0])
async def test_the_wall_clock_may_leap(leap: float) -> None:
    """C8: Lifetimes use the monotonic timer, so setting the wall clock neither ends nor extends one."""
    cached = Cached(Counting(granting(Action.READ)))
    await cached.ask()

    cached.clock.now += leap
    cached.timer.now += TTL * EARLIEST - 0.1
    await cached.ask()
    assert cached.source.calls == 1

    cached.timer.now += TTL
    await cached.ask()
    assert cached.source.calls == 2


def test_the_timer_is_monotonic_by_default() -> None:
    """C8: The default timer is the monotonic one."""
    assert inspect.signature(PermissionCache).parameters["timer"].default is time.monotonic


async def test_a_flood_of_refused_tokens_evicts_no_caller() -> None:
    """C9: After ten thousand made-up tokens the cache still has the callers in use."""
    cached = Cached(
        Counting(lambda caller: granting(Action.READ) if caller.token.startswith("good") else refused(caller))
    )
    good = [credential(f"good{number}") for number in range(100)]
    await asyncio.gather(*(cached.ask(caller) for caller in good))

    for start in range(0, 10_000, 500):
        await asyncio.gather(*(cached.ask(credential(f"bad{number}")) for number in range(start, start + 500)))
    before = cached.source.calls
    await asyncio.gather(*(cached.ask(caller) for caller in good))

    assert before == 10_100
    assert cached.source.calls == before


@pytest.mark.parametrize(("answers", "most"), [(granting(Action.READ), 100), (refused, 10), (NOTHING, 10)])
async def test_memory_is_bounded(answers: Permissions, most: int) -> None:
    """C9: Of a thousand callers the cache keeps at most its size, and of refused ones a tenth of that."""
    cached = Cached(Counting(answers), size=100)
    callers = [credential(f"t{number}") for number in range(1000)]

    for caller in callers:
        await cached.ask(caller)
    for caller in reversed(callers):  # in reverse, so that asking again evicts what was just counted
        await cached.ask(caller)

    assert cached.source.calls == 2000 - most


async def test_a_refusal_is_new_for_each_caller() -> None:
    """C4: A cached refusal has Directus's code and no other caller's traceback."""
    cached = Cached(Counting(CredentialRefused("TOKEN_EXPIRED")))

    first, second = await cached.ask(), await cached.ask()

    assert first is not second
    assert [error.code for error in (first, second) if isinstance(error, CredentialRefused)] == ["TOKEN_EXPIRED"] * 2


async def test_a_revoked_right_is_gone_once_directus_says_so() -> None:
    """C10: An answer that grants nothing replaces the older one at once."""
    source = Counting(granting(Action.READ))
    cached = Cached(source)
    await cached.ask(requirement=READ)
    source.answers = NOTHING
    cached.wait(DENIED_TTL)
    await cached.ask(requirement=CREATE)

    assert await cached.ask(requirement=READ) == NOTHING


@pytest.mark.parametrize("answers", [granting(Action.READ), refused], ids=["granted", "refused"])
async def test_a_forgotten_token_is_asked_for_every_time(answers: Permissions) -> None:
    """C10: After a logout nothing is cached about the token, from any address, until its older answers have expired."""
    cached = Cached(Counting(answers))
    elsewhere = credential("alice", "192.0.2.8")
    for caller in (ALICE, elsewhere, BOB):
        await cached.ask(caller)

    cached.cache.forget(ALICE)
    for caller in (ALICE, ALICE, elsewhere, BOB):
        await cached.ask(caller)
    assert cached.source.calls == 6

    cached.wait(TTL)
    for _ in range(2):
        await cached.ask(ALICE)
    assert cached.source.calls == 7


async def test_a_token_forgotten_while_looking_up() -> None:
    """C7: An answer under way during a logout is not cached."""
    source = Counting(granting(Action.READ))
    cached = Cached(source)
    source.gate.clear()
    overtaken = asyncio.create_task(cached.ask())
    await _until(lambda: source.calls == 1)

    cached.cache.forget(ALICE)
    source.gate.set()
    await overtaken
    source.answers = refused

    assert isinstance(await cached.ask(), CredentialRefused)


async def test_a_lookup_from_before_a_logout_is_not_shared() -> None:
    """C7: A request after the logout does not get the answer to a question from before it."""
    source = Counting(granting(Action.READ))
    cached = Cached(source)
    source.gate.clear()
    before = asyncio.create_task(cached.ask())
    await _until(lambda: source.calls == 1)

    cached.cache.forget(ALICE)
    after = asyncio.create_task(cached.ask())
    for _ in range(5):
        await asyncio.sleep(0)
    source.gate.set()
    await asyncio.gather(before, after)

    assert source.calls == 2


async def test_a_flood_of_logouts_revives_no_answer() -> None:
    """C9: Anyone can log out made-up tokens; that does not revive cached answers about a token that was logged out."""
    cached = Cached(Counting(granting(Action.READ)), size=100)
    await cached.ask(ALICE)
    cached.cache.forget(ALICE)

    for number in range(200):
        cached.cache.forget(credential(f"t{number}"))
    await cached.ask(ALICE)

    assert cached.source.calls == 2


async def _after(turns: int, ask: Callable[[], Awaitable[Permissions | SidecarError]]) -> Permissions | SidecarError:
    for _ in range(turns):
        await asyncio.sleep(0)
    return await ask()


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come to that")
