"""What the permission cache and the client of Directus make of a request without a credential."""

from sidecar.clients.directus.caller_keys import CallerKeys
from sidecar.core.access.credentials import Credential, guest
from sidecar.core.access.permissions import Action, Permissions
from sidecar.errors import SidecarError
from tests.aioresponses_compat import reply
from tests.unit.clients.directus.sources import CREATE, NOTHING, Counting, credential, granting, refused
from tests.unit.clients.directus.test_client import asked
from tests.unit.clients.directus.test_permission_cache import ALICE, DENIED_TTL, TTL, Cached

GUEST, ELSEWHERE = guest("192.0.2.7"), guest("192.0.2.8")


async def test_no_token_travels() -> None:
    """A guest's question has no Authorization at all, and the client's address like anybody's."""
    request = await asked(reply({"data": {}}), caller=GUEST)

    assert "Authorization" not in request.headers
    assert request.headers["X-Forwarded-For"] == "192.0.2.7"


async def test_an_answer_counts_as_long_as_anybodys() -> None:
    """C8: A yes lives for its time at this address, and a no for the shorter time."""
    cached = Cached(Counting(granting(Action.READ)))

    for caller in (GUEST, GUEST, ELSEWHERE):
        assert await cached.ask(caller) == granting(Action.READ)
    assert cached.source.calls == 2
    cached.wait(DENIED_TTL)
    await cached.ask(GUEST)
    assert cached.source.calls == 2
    await cached.ask(GUEST, CREATE)
    assert cached.source.calls == 3
    cached.wait(TTL)
    await cached.ask(GUEST)
    assert cached.source.calls == 4


async def test_a_change_is_felt() -> None:
    """C7: A change of everybody's permissions purges a guest's; a change of some user does not."""
    cached = Cached(Counting(granting(Action.READ)))
    await cached.ask(GUEST)

    cached.cache.forget_user("ada")
    await cached.ask(GUEST)
    assert cached.source.calls == 1
    cached.cache.purge()
    await cached.ask(GUEST)
    assert cached.source.calls == 2


async def test_a_flood_of_guests_evicts_no_caller() -> None:
    """C9: Guests from any number of addresses keep memory bounded and push out nobody who is signed in."""
    cached = Cached(Counting(granting(Action.READ)), size=100)
    await cached.ask(ALICE)

    for number in range(1_000):
        await cached.ask(guest(f"2001:db8::{number:x}"))
    await cached.ask(ALICE)

    assert cached.source.asked["alice", ALICE.address] == 1
    assert len(cached.cache._memory._guests) == 100


async def test_guests_who_may_nothing() -> None:
    """C9: Guests to whom nothing is granted are among the refused, whichever answer came first."""
    answers: list[Permissions | SidecarError] = [granting(Action.READ), NOTHING, granting(Action.READ)]
    cached = Cached(Counting(lambda _: answers.pop(0)))

    heard = []
    for _ in range(3):
        heard.append(await cached.ask(GUEST))
        cached.wait(TTL)

    assert heard == [granting(Action.READ), NOTHING, granting(Action.READ)]


async def test_a_guest_is_not_the_service() -> None:
    """C1: No token's answers are a guest's, nor the other way round, and no logout ends what guests may do."""
    service, keys = credential("service", None), CallerKeys()
    cached = Cached(Counting(lambda caller: granting(Action.READ) if caller.is_guest else refused(caller)))

    await cached.ask(GUEST)
    cached.cache.forget(ALICE)
    again = await cached.ask(GUEST)

    assert again == granting(Action.READ)
    assert cached.source.calls == 1
    assert len({keys.of(each).whole for each in (GUEST, ELSEWHERE, guest(None), service, ALICE)}) == 5


def describe(caller: Credential) -> tuple[str | None, bool]:
    key = CallerKeys().of(caller)
    return key.user, key.named


def test_whose_a_guest_is() -> None:
    """Nobody asks Directus whose a guest is, as it does of a static token."""
    assert describe(GUEST) == ("", True)
    assert describe(ALICE) == (None, False)
