"""Questions for permissions on their way: over changes, after their budget, and of one user."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable

import pytest

from sidecar.clients.directus.freshness import Freshness
from sidecar.clients.directus.line import Ready
from sidecar.clients.directus.permission_cache import PermissionCache
from sidecar.clients.directus.permission_flight import Place
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Action, Permissions
from sidecar.errors import DirectusUnavailable
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.directus.sources import NOTHING, READ, Sure, credential, granting

BUDGET = 2.0
ANNA, BERT = "6d0b4c1e-0a5f-4f6e-9a0b-0d9e6c2f1a01", "6d0b4c1e-0a5f-4f6e-9a0b-0d9e6c2f1a02"
GRANTED = granting(Action.READ)


def issued(**claims: str) -> Credential:
    """Make a token of Directus with these claims."""
    return credential(
        ".".join(
            urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in ({"alg": "HS256"}, {"iss": "directus", **claims}, {})
        )
    )


ANNAS, BERTS, STATIC, SHARE = issued(id=ANNA), issued(id=BERT), credential("static"), issued(share="5a8f")


class Directus:
    """Each question waits in the line until `let_out`, and then for `answer`."""

    def __init__(self, ttl: float = 3600) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.sent: list[asyncio.Future[Permissions]] = []
        self.places: list[Sure] = []
        self.asked: list[Credential] = []
        self.identities = 0
        clock = asyncio.get_running_loop().time
        self.cache = PermissionCache(self, ttl=ttl, denied_ttl=ttl, size=100, budget=BUDGET, timer=clock, clock=clock)

    async def permissions_patiently(
        self, credential: Credential, sent: Callable[[Place], None], ready: Ready
    ) -> Permissions:
        turn, answer = asyncio.Event(), asyncio.get_running_loop().create_future()
        self.waiting.append(turn.set)
        await turn.wait()
        self.asked.append(credential)
        self.places.append(Sure())
        await ready()
        sent(self.places[-1])
        self.sent.append(answer)
        permissions: Permissions = await answer
        return permissions

    async def identity(self, credential: Credential) -> Identity:
        self.identities += 1
        return Identity(f"user of {credential.token}")

    async def user_patiently(self, credential: Credential) -> str | None:
        raise DirectusUnavailable(f"nobody says whose {credential.token} is")

    def asking(self, caller: Credential = ANNAS) -> asyncio.Task[Permissions]:
        return asyncio.create_task(self.cache.permissions(caller, READ.granted_by))

    async def let_out(self) -> None:
        await turns()
        while self.waiting:
            self.waiting.pop(0)()
        await turns()

    async def answer(self, said: Permissions = GRANTED) -> None:
        await self.let_out()
        for answer in self.sent:
            if not answer.done():
                answer.set_result(said)
        await turns()

    async def remembered(self, *callers: Credential) -> None:
        tasks = [self.asking(caller) for caller in callers]
        await self.answer()
        await asyncio.gather(*tasks)
        self.asked.clear()

    async def ask_all(self, *callers: Credential) -> list[Credential]:
        """Give those for whom Directus is asked."""
        before = len(self.asked)
        await asyncio.gather(*(self.asking(caller) for caller in callers), self.answer())
        return self.asked[before:]


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("change", ["everybody", "user"])
@in_virtual_time
async def test_a_question_in_the_line_outlives_a_change(change: str) -> None:
    """C12: A question that is asked after a change is shared and kept, although it began to wait before."""
    directus = Directus()
    before = directus.asking()
    await turns()
    directus.cache.purge() if change == "everybody" else directus.cache.forget_user(ANNA)
    after = directus.asking()
    await directus.answer()

    assert [await before, await after, await directus.asking()] == [GRANTED] * 3
    assert len(directus.asked) == 1


@pytest.mark.parametrize("change", ["everybody", "user"])
@in_virtual_time
async def test_a_question_that_was_sent_does_not(change: str) -> None:
    """C7: An answer to a question that was sent before a change is neither shared with later requests nor kept."""
    directus = Directus()
    before = directus.asking()
    await directus.let_out()
    directus.cache.purge() if change == "everybody" else directus.cache.forget_user(ANNA)
    after = directus.asking()
    await directus.let_out()
    directus.sent[0].set_result(GRANTED)
    await turns()
    directus.sent[1].set_result(NOTHING)

    assert [await before, await after, await directus.asking()] == [GRANTED, NOTHING, NOTHING]


@in_virtual_time
async def test_a_late_answer_is_remembered() -> None:
    """C12: An answer that comes after everybody gave it up serves the next request, which asks nothing."""
    directus = Directus()
    given_up = directus.asking()
    await directus.let_out()
    await asyncio.wait([given_up])
    await directus.answer()

    assert isinstance(given_up.exception(), DirectusUnavailable)
    assert await directus.asking() == GRANTED
    assert len(directus.asked) == 1


@in_virtual_time
async def test_who_comes_later_joins_a_late_question() -> None:
    """C12: A request whose caller's question is past its budget waits for it and does not ask again."""
    directus = Directus()
    given_up = directus.asking()
    await directus.let_out()
    await asyncio.wait([given_up])
    joined = directus.asking()
    await directus.answer()

    assert await joined == GRANTED
    assert len(directus.asked) == 1


@in_virtual_time
async def test_a_question_older_than_a_lifetime_is_not_joined() -> None:
    """C10: Directus may judge otherwise now than a lifetime ago, so a question as old as that is not joined."""
    directus = Directus(ttl=BUDGET)
    given_up = directus.asking()
    await directus.let_out()
    await asyncio.wait([given_up])
    again = directus.asking()
    await directus.let_out()
    directus.sent[1].set_result(NOTHING)

    assert await again == NOTHING
    await directus.answer()


@in_virtual_time
async def test_a_lost_question_is_asked_again() -> None:
    """C6: Where no answer can be expected the next request asks, and an older answer never replaces a newer one."""
    directus = Directus()
    given_up = directus.asking()
    await directus.let_out()
    await asyncio.wait([given_up])
    directus.places[0].lost = True
    again = directus.asking()
    await directus.let_out()
    directus.sent[1].set_result(NOTHING)
    await turns()
    directus.sent[0].set_result(GRANTED)
    await turns()

    assert [await again, await directus.asking()] == [NOTHING, NOTHING]
    assert len(directus.asked) == 2


@in_virtual_time
async def test_nobodys_question_leaves_the_line() -> None:
    """C12: Whoever leaves in the line costs Directus nothing, and the next request of the same caller asks anew."""
    directus = Directus()
    leaving = directus.asking()
    await turns()
    leaving.cancel()
    again = directus.asking()
    await directus.answer()

    assert await again == GRANTED
    assert len(directus.asked) == 1


@in_virtual_time
async def test_a_user_who_changes_is_forgotten_alone() -> None:
    """F6: A change of one user forgets its tokens, and those of which nobody knows whose they are, but no other's."""
    directus = Directus()
    await directus.remembered(ANNAS, BERTS, STATIC, SHARE)

    directus.cache.forget_user(ANNA.upper())

    assert await directus.ask_all(ANNAS, BERTS, STATIC, SHARE) == [ANNAS, STATIC, SHARE]


@in_virtual_time
async def test_a_static_token_whose_user_was_asked_for() -> None:
    """F6: A static token is forgotten with its own user alone once it is known whose it is."""
    directus = Directus()
    await directus.remembered(STATIC)
    await directus.cache.identity(STATIC)

    directus.cache.forget_user(ANNA)
    assert await directus.ask_all(STATIC) == []

    directus.cache.forget_user("user of static")
    assert await directus.ask_all(STATIC) == [STATIC]
    await directus.cache.identity(STATIC)
    assert directus.identities == 2


@in_virtual_time
async def test_an_identity_from_before_a_change_saves_no_entry() -> None:
    """F6: A static token whose user is told after a change of somebody is forgotten: the token may have moved."""
    directus = Directus()
    await directus.remembered(STATIC)
    telling = asyncio.create_task(directus.cache.identity(STATIC))
    directus.cache.forget_user(ANNA)
    await telling

    assert await directus.ask_all(STATIC) == [STATIC]


def test_very_many_changes_of_users() -> None:
    """F6: The changes of more users than are counted one by one are a change of everybody."""
    changes = Freshness()

    for number in range(10_001):
        changes.change_user(f"user{number}")

    assert not changes.covers("somebody else", 0)
    assert changes.covers("somebody else", changes.moment)
