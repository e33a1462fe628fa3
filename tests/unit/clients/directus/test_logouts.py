"""Logouts: of tokens that are remembered, whose question is under way, and that somebody made up."""

import asyncio
import tracemalloc
from contextlib import suppress

import pytest

from sidecar.clients.directus.epochs import Epochs
from sidecar.core.access.permissions import Action
from sidecar.errors import CredentialRefused, DirectusUnavailable
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.directus.sources import NOTHING, Clock, Counting, credential, granting, refused
from tests.unit.clients.directus.test_permission_cache import ALICE, BOB, TTL, Cached
from tests.unit.clients.directus.test_permission_flights import ANNAS, BERTS, BUDGET, GRANTED, Directus, turns

MADE_UP = 50_000
CLERKS = [credential(f"clerk{number}") for number in range(20)]
ELSEWHERE = credential("alice", "192.0.2.8")


def believing(*names: str) -> Counting:
    """Give a source that knows these tokens and refuses others."""
    return Counting(lambda caller: granting(Action.READ) if caller.token in names else refused(caller))


@pytest.mark.slow
async def test_made_up_logouts_cost_nobody_a_question() -> None:
    """C13: After 50,000 logouts of made-up tokens 300 requests of callers in use ask nothing."""
    cached = Cached(Counting(granting(Action.READ)))
    await asyncio.gather(*map(cached.ask, CLERKS))

    for number in range(MADE_UP):
        cached.cache.forget(credential(f"t{number}"))
    answers = await asyncio.gather(*(cached.ask(clerk) for _ in range(15) for clerk in CLERKS))

    assert answers == [granting(Action.READ)] * 300
    assert cached.source.calls == len(CLERKS)


@pytest.mark.slow
async def test_made_up_logouts_take_no_single_flight_away() -> None:
    """C4, C13: After as many, first requests of callers, at once and then one by one, are one question for each."""
    cached = Cached(Counting(granting(Action.READ)))
    for number in range(MADE_UP):
        cached.cache.forget(credential(f"t{number}"))

    await asyncio.gather(*(cached.ask(clerk) for _ in range(10) for clerk in CLERKS))
    for clerk in CLERKS:
        await cached.ask(clerk)

    assert cached.source.calls == len(CLERKS)


@pytest.mark.slow
async def test_logouts_are_bounded() -> None:
    """C9: Logouts of made-up tokens hold a bounded number of bytes, however many there are."""
    cached = Cached(believing())
    tracemalloc.start()
    try:
        for number in range(20_000):
            cached.cache.forget(credential(f"t{number}"))
        full, _ = tracemalloc.get_traced_memory()
        for number in range(20_000):
            cached.cache.forget(credential(f"u{number}"))
        more, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert full < 12_000_000
    assert more < full * 1.2


@pytest.mark.parametrize("known", [True, False], ids=["remembered", "not remembered"])
async def test_a_flood_of_logouts_ends_no_quiet_time_of_a_token_in_use(*, known: bool) -> None:
    """C7, C9: However many made-up tokens are logged out meanwhile, no answer is kept about a token that was."""
    cached = Cached(believing("alice"))
    if known:
        await cached.ask(ALICE)
    cached.cache.forget(ALICE)
    await cached.ask(ALICE)

    for number in range(30_000):
        cached.cache.forget(credential(f"t{number}"))
    await cached.ask(ALICE)
    cached.source.answers = refused

    assert isinstance(await cached.ask(ALICE), CredentialRefused)


@pytest.mark.slow
async def test_what_was_forgotten_stays_forgotten() -> None:
    """C7: What was remembered of a token before its logout is not used again, even when its quiet time ends early."""
    cached = Cached(believing("alice", *(f"t{number}" for number in range(10_001))), size=20_000)
    await cached.ask(ALICE)
    cached.cache.forget(ALICE)
    for number in range(10_001):  # as many people sign out
        await cached.ask(credential(f"t{number}"))
        cached.cache.forget(credential(f"t{number}"))
    cached.source.answers = refused

    assert isinstance(await cached.ask(ALICE), CredentialRefused)


@pytest.mark.parametrize(
    "source", [granting(Action.READ), NOTHING, refused(ALICE)], ids=["granted", "nothing", "refused"]
)
async def test_every_address_is_logged_out(source: object) -> None:
    """C7: A logout forgets a token under every address, known or refused, and no other token."""
    cached = Cached(Counting(source))  # type: ignore[arg-type]  # one of what it takes
    for caller in (ALICE, ELSEWHERE, BOB):
        await cached.ask(caller)

    cached.cache.forget(credential("alice", None))
    for caller in (ALICE, ELSEWHERE, BOB):
        await cached.ask(caller)

    assert cached.source.asked == {
        ("alice", ALICE.address): 2,
        ("alice", ELSEWHERE.address): 2,
        ("bob", BOB.address): 1,
    }


async def test_a_logout_before_the_first_request() -> None:
    """C7: An answer given before Directus has ended the session is not kept, though the token was not remembered."""
    cached = Cached(believing("alice"))
    cached.cache.forget(ALICE)
    between = await cached.ask(ALICE)
    cached.source.answers = refused

    assert between == granting(Action.READ)
    assert isinstance(await cached.ask(ALICE), CredentialRefused)


async def test_the_quiet_time_counts_from_the_question() -> None:
    """C7: The answer to a question from the quiet time is not kept, though the quiet time is over when it comes."""
    cached = Cached(believing("alice"))
    cached.cache.forget(ALICE)
    cached.wait(TTL - 1)
    cached.source.meanwhile = lambda: cached.wait(2)
    await cached.ask(ALICE)
    cached.source.meanwhile = lambda: None
    cached.source.answers = refused

    assert isinstance(await cached.ask(ALICE), CredentialRefused)


async def test_two_logouts_of_one_token() -> None:
    """The quiet time counts from the last logout."""
    cached = Cached(believing("alice"))
    cached.cache.forget(ALICE)
    cached.wait(TTL - 1)
    cached.cache.forget(ALICE)
    cached.wait(TTL - 1)
    for _ in range(2):
        await cached.ask(ALICE)
    cached.wait(1)
    for _ in range(2):
        await cached.ask(ALICE)

    assert cached.source.calls == 3


@pytest.mark.parametrize("waits", range(6))
async def test_a_logout_as_a_flight_ends(waits: int) -> None:
    """C7, C11: A logout in the turn in which a question is answered, or around it, leaves nothing of the answer."""
    cached = Cached(believing("alice"))
    asking = asyncio.create_task(cached.ask(ALICE))
    for _ in range(waits):
        await asyncio.sleep(0)
    cached.cache.forget(ALICE)
    await asking
    cached.source.answers = refused

    assert isinstance(await cached.ask(ALICE), CredentialRefused)


@in_virtual_time
async def test_those_who_come_after_a_logout_share_a_question() -> None:
    """C4, C7: Whoever asks after a logout waits until the question from before is answered, and then asks as one."""
    directus = Directus()
    before = directus.asking()
    await directus.let_out()
    directus.cache.forget(ANNAS)
    after = []
    for _ in range(10):
        after.append(directus.asking())
        await turns()
    await directus.answer(GRANTED)
    await directus.answer(NOTHING)

    assert await before == GRANTED
    assert await asyncio.gather(*after) == [NOTHING] * 10
    assert len(directus.asked) == 2


@in_virtual_time
async def test_no_answer_from_the_quiet_time_is_given_to_those_who_come_later() -> None:
    """C7: Between a question in the quiet time and a request Directus may have ended the session, so it asks anew."""
    directus = Directus()
    directus.cache.forget(ANNAS)
    earlier = directus.asking()
    await directus.let_out()
    later = [directus.asking() for _ in range(5)]
    await directus.answer(GRANTED)
    await directus.answer(NOTHING)

    assert await earlier == GRANTED
    assert await asyncio.gather(*later) == [NOTHING] * 5
    assert len(directus.asked) == 2


@in_virtual_time
async def test_a_question_in_the_line_outlives_a_logout() -> None:
    """C4: A question that is sent after a logout answers those who came before and after it, and is not kept."""
    directus = Directus()
    before = directus.asking()
    await turns()
    directus.cache.forget(ANNAS)
    after = directus.asking()
    await directus.answer()

    assert [await before, await after] == [GRANTED] * 2
    assert directus.asked == [ANNAS]
    assert await directus.ask_all(ANNAS) == [ANNAS]


@in_virtual_time
async def test_others_fly_on() -> None:
    """C5: A logout makes no difference to another caller's question under way."""
    directus = Directus()
    first = directus.asking(BERTS)
    await directus.let_out()
    directus.cache.forget(ANNAS)
    second = directus.asking(BERTS)
    await directus.answer()

    assert [await first, await second, await directus.asking(BERTS)] == [GRANTED] * 3
    assert len(directus.asked) == 1


@in_virtual_time
async def test_an_overtaken_question_that_hangs() -> None:
    """C6: Whoever waits for an overtaken question waits one budget at most; once it is lost they ask at once."""
    directus = Directus()
    hanging = directus.asking()
    await directus.let_out()
    directus.cache.forget(ANNAS)
    with pytest.raises(DirectusUnavailable):
        await directus.asking()
    directus.places[0].lost = True
    again = directus.asking()
    await directus.let_out()
    directus.sent[1].set_result(NOTHING)

    assert await again == NOTHING
    assert asyncio.get_running_loop().time() < 3 * BUDGET
    with suppress(DirectusUnavailable):
        await hanging
    await directus.answer()
    assert await directus.ask_all(ANNAS) == [ANNAS]


@in_virtual_time
async def test_an_identity_from_before_a_logout_is_not_shared() -> None:
    """C7: Who a token belongs to is asked again after its logout, also where that question is under way."""
    directus = Directus()
    before = asyncio.create_task(directus.cache.identity(ANNAS))
    await asyncio.sleep(0)
    directus.cache.forget(ANNAS)
    await asyncio.gather(before, directus.cache.identity(ANNAS))

    assert directus.identities == 2


def test_an_epoch_that_nobody_holds_is_gone() -> None:
    """C9: Of a token of which nothing is kept nothing stays behind."""
    epochs = Epochs(quiet=TTL, timer=Clock())
    held = epochs.current(b"held")
    for number in range(1000):
        epochs.current(str(number).encode())

    assert epochs.current(b"held") is held
    assert len(vars(epochs)["_epochs"]) == 1
