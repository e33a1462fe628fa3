"""Check F6 for static tokens: whose they are is asked once, and a change of another user then costs them nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sidecar.clients.directus.line import Ready
from sidecar.clients.directus.permission_cache import PermissionCache
from sidecar.clients.directus.permission_flight import Place
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Action, Permissions
from sidecar.errors import CredentialRefused, DirectusUnavailable
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.directus.sources import NOTHING, SURE, credential, granting
from tests.unit.clients.directus.test_permission_flights import ANNA, ANNAS, BERT, SHARE, turns

TTL = 3600.0
TOKEN, ELSEWHERE, NOBODYS, UNKNOWN = (
    credential("annas"),
    credential("annas", "192.0.2.8"),
    credential("nobodys"),
    credential("unknown"),
)
WRITER = granting(Action.READ, Action.UPDATE)


@dataclass
class Question:
    """Directus decides what it says, and its answer arrives later."""

    decide: Callable[[], object]
    answer: asyncio.Future[object]
    said: object = None
    decided: bool = False

    def settle(self) -> None:
        if not self.decided:
            self.said, self.decided = self.decide(), True

    def deliver(self) -> None:
        self.settle()
        if isinstance(self.said, Exception):
            self.answer.set_exception(self.said)
        else:
            self.answer.set_result(self.said)


@dataclass
class Directus:
    """Each token has an owner, and each user its permissions. A change is heard when `hear` is called.

    While `slow`, answers wait until a test delivers them.
    """

    owner: dict[str, str | None] = field(default_factory=lambda: {TOKEN.token: ANNA, NOBODYS.token: None})
    said: dict[str | None, Permissions] = field(
        default_factory=lambda: {user: granting(Action.READ) for user in (ANNA, BERT, None)}
    )
    slow: bool = False
    names_users: bool = True
    questions: list[tuple[str, str]] = field(default_factory=list)
    permissions_asked: list[Question] = field(default_factory=list)
    users_asked: list[Question] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = asyncio.get_running_loop().time
        self.cache = PermissionCache(self, ttl=TTL, denied_ttl=TTL, size=100, timer=clock, clock=clock)

    async def permissions_patiently(
        self, credential: Credential, sent: Callable[[Place], None], ready: Ready
    ) -> Permissions:
        await ready()
        sent(SURE)
        self.questions.append(("permissions", credential.token))
        said = await self._answer(self.permissions_asked, lambda: self.truth(credential))
        assert isinstance(said, Permissions)
        return said

    async def user_patiently(self, credential: Credential) -> str | None:
        self.questions.append(("user", credential.token))
        said = await self._answer(self.users_asked, lambda: self._user(credential))
        return said if isinstance(said, str) else None

    async def identity(self, credential: Credential) -> Identity:
        return Identity(self.owner[credential.token])

    def truth(self, credential: Credential) -> Permissions | CredentialRefused:
        if credential.token not in self.owner:
            return self.said[ANNA] if credential == ANNAS else CredentialRefused("INVALID_CREDENTIALS")
        return self.said[self.owner[credential.token]]

    def _user(self, credential: Credential) -> object:
        return self.owner.get(credential.token) if self.names_users else DirectusUnavailable("down")

    async def _answer(self, asked: list[Question], decide: Callable[[], object]) -> object:
        if not self.slow:
            question = Question(decide, asyncio.get_running_loop().create_future())
            question.deliver()
        else:
            asked.append(question := Question(decide, asyncio.get_running_loop().create_future()))
        return await question.answer

    def change(self, user: str, said: Permissions) -> None:
        self.said[user] = said
        self.unheard.append(user)

    def move(self, token: Credential, user: str) -> None:
        before, self.owner[token.token] = self.owner[token.token], user
        self.unheard += [before or user, user]

    def hear(self) -> None:
        while self.unheard:
            self.hear_one()

    def hear_one(self) -> None:
        if self.unheard:
            self.cache.forget_user(self.unheard.pop(0))

    async def deliver_all(self) -> None:
        while asked := [*self.permissions_asked, *self.users_asked]:
            self.permissions_asked.clear()
            self.users_asked.clear()
            for question in asked:
                question.deliver()
            await turns()

    async def ask(self, caller: Credential = TOKEN) -> Permissions:
        said = await self.cache.permissions(caller)
        await turns()
        return said

    async def cost(self, *callers: Credential) -> list[tuple[str, str]]:
        """Give the questions that one request of each caller costs."""
        before = len(self.questions)
        for caller in callers:
            await self.ask(caller)
        return self.questions[before:]


PERMISSIONS, USER = ("permissions", TOKEN.token), ("user", TOKEN.token)


@in_virtual_time
async def test_another_user_who_changes_again_and_again() -> None:
    """F6: 38 changes of one user cost a static token of another user two questions in all, whatever its address."""
    directus = Directus()
    await directus.cost(TOKEN, ELSEWHERE)
    directus.questions.clear()

    for _ in range(38):
        directus.cache.forget_user(BERT)
        await directus.ask()
    assert directus.questions == [PERMISSIONS, USER]

    assert await directus.cost(ELSEWHERE) == [PERMISSIONS]
    directus.cache.forget_user(BERT)
    assert await directus.cost(TOKEN, ELSEWHERE) == []


@in_virtual_time
async def test_without_a_change_of_a_user() -> None:
    """F6: Whose a static token is is not asked where nobody changed, nor because of a purge of everybody."""
    directus = Directus()

    await directus.cost(TOKEN)
    directus.cache.purge()
    directus.cache.forget_user(BERT)
    directus.cache.purge()
    await directus.cost(TOKEN)

    assert directus.questions == [PERMISSIONS] * 2


@in_virtual_time
async def test_tokens_that_name_their_user() -> None:
    """F6: Whose a session or a share is is never asked; another user's change costs a session nothing."""
    directus = Directus()
    directus.owner[SHARE.token] = None
    await directus.cost(ANNAS, SHARE)

    directus.cache.forget_user(BERT)

    assert await directus.cost(ANNAS, SHARE) == [("permissions", SHARE.token)]


@in_virtual_time
async def test_who_changes_itself() -> None:
    """F6: Once it is known whose a static token is, each change of that user is felt by it at once."""
    directus = Directus()
    await directus.ask()
    directus.cache.forget_user(BERT)
    await directus.ask()

    for said in (WRITER, granting(Action.READ), WRITER):
        directus.change(ANNA, said)
        directus.hear()

        assert await directus.ask() == said


@in_virtual_time
async def test_a_token_that_moves_to_another_user() -> None:
    """F6: A static token that moves has its new user's permissions at once, and then changes with that user."""
    directus = Directus()
    directus.said[BERT] = WRITER
    await directus.ask()
    directus.cache.forget_user(BERT)
    await directus.ask()

    directus.move(TOKEN, BERT)
    directus.hear()
    assert await directus.ask() == WRITER

    directus.change(BERT, granting(Action.CREATE))
    directus.hear()
    assert await directus.ask() == granting(Action.CREATE)


@in_virtual_time
async def test_a_token_that_moves_while_directus_says_whose_it_is() -> None:
    """F6: Whose a token was before a move is not believed after it: the new user's next change is felt at once."""
    directus = Directus()
    await directus.ask()
    directus.cache.forget_user(BERT)
    directus.slow = True
    overtaken = asyncio.create_task(directus.ask())
    await turns()
    directus.users_asked[0].settle()
    directus.move(TOKEN, BERT)
    directus.hear()
    await directus.deliver_all()
    await overtaken
    directus.slow = False
    await directus.ask()

    directus.change(BERT, WRITER)
    directus.hear()

    assert await directus.ask() == WRITER


@in_virtual_time
async def test_a_token_that_leaves_one_user_before_it_comes_to_another() -> None:
    """F6: What was asked before a change somebody heard of is not kept as the new user's, whose change comes later."""
    directus = Directus()
    directus.said[BERT] = WRITER
    await directus.ask()
    directus.cache.forget_user("a third user")
    directus.slow = True
    overtaken = asyncio.create_task(directus.ask())
    await turns()
    directus.permissions_asked[0].settle()
    directus.move(TOKEN, BERT)
    directus.hear_one()
    directus.users_asked.pop().deliver()
    await turns()
    await directus.deliver_all()
    await overtaken
    directus.slow = False

    assert await directus.ask() == WRITER


@in_virtual_time
async def test_an_identity_that_is_known_already() -> None:
    """F6: To hear once more whose a token is takes nothing from what was asked before."""
    directus = Directus()
    await directus.ask()
    directus.cache.forget_user(BERT)
    await directus.ask()

    directus.cache.forget_user(BERT)
    await directus.cache.identity(TOKEN)

    assert await directus.cost(TOKEN) == []


@in_virtual_time
async def test_nobody_says_whose_it_is() -> None:
    """F6: While nobody says whose a static token is, each change of a user costs it; it is asked again each time."""
    directus = Directus(names_users=False)
    await directus.ask()

    for _ in range(2):
        directus.cache.forget_user(BERT)
        assert await directus.cost(TOKEN) == [PERMISSIONS, USER]

    directus.names_users = True
    directus.cache.forget_user(BERT)
    await directus.ask()
    directus.cache.forget_user(BERT)
    assert await directus.cost(TOKEN) == []


@in_virtual_time
async def test_a_token_that_is_no_users() -> None:
    """F6: A static token without a user is forgotten at each change of a user, and asked whose it is only once."""
    directus = Directus()
    await directus.ask(NOBODYS)

    for _ in range(3):
        directus.cache.forget_user(BERT)
        await directus.ask(NOBODYS)

    assert directus.questions.count(("user", NOBODYS.token)) == 1
    assert directus.questions.count(("permissions", NOBODYS.token)) == 4


@pytest.mark.parametrize("said", [NOTHING, None], ids=["nothing", "refused"])
@in_virtual_time
async def test_who_may_do_nothing(said: Permissions | None) -> None:
    """C9: Nobody asks whose a token is that is refused or may do nothing, so made-up ones cost no more than before."""
    directus = Directus()
    if said is not None:
        directus.owner[UNKNOWN.token], directus.said[None] = None, said

    directus.slow = True
    for _ in range(3):
        asking = asyncio.create_task(directus.ask(UNKNOWN))
        await turns()
        directus.cache.forget_user(BERT)
        await directus.deliver_all()
        await asyncio.wait([asking])

    assert directus.questions == [("permissions", UNKNOWN.token)] * 3


@in_virtual_time
async def test_what_is_known_has_a_lifetime() -> None:
    """C8: Whose a token is is known for one lifetime from its question, as permissions are, and is then asked again."""
    directus = Directus()
    await directus.ask()
    directus.cache.forget_user(BERT)
    directus.slow = True
    asking = asyncio.create_task(directus.ask())
    await asyncio.sleep(TTL / 2)
    await directus.deliver_all()
    await asking
    directus.slow = False

    await asyncio.sleep(TTL / 2)
    await directus.ask()
    directus.cache.forget_user(BERT)

    assert await directus.cost(TOKEN) == [PERMISSIONS, USER]


@in_virtual_time
async def test_a_purge_makes_it_unknown() -> None:
    """C7: After a purge of everybody nothing is known of whose a token is."""
    directus = Directus()
    await directus.ask()
    directus.cache.forget_user(BERT)
    await directus.ask()

    directus.cache.purge()
    await directus.ask()
    directus.cache.forget_user(BERT)

    assert await directus.cost(TOKEN) == [PERMISSIONS, USER]


@in_virtual_time
async def test_a_request_does_not_wait_for_it() -> None:
    """F6: A request is answered as soon as its permissions are there, while Directus still looks whose token it is."""
    directus = Directus()
    await directus.ask()
    directus.cache.forget_user(BERT)
    directus.slow = True
    asking = asyncio.create_task(directus.ask())
    await turns()
    directus.permissions_asked.pop().deliver()

    assert await asking == granting(Action.READ)
    assert len(directus.users_asked) == 1
    directus.users_asked.pop().deliver()


@in_virtual_time
async def test_a_directus_slower_than_the_changes() -> None:
    """F6: Where users change during each question, whose the token is gets known all the same, and then it is kept."""
    directus = Directus(slow=True)
    for _ in range(3):
        asking = asyncio.create_task(directus.ask())
        await turns()
        directus.cache.forget_user(BERT)
        await directus.deliver_all()
        await asking

    assert directus.questions == [PERMISSIONS, USER, PERMISSIONS]


@in_virtual_time
async def test_a_question_under_way() -> None:
    """F6: A question about a known user is joined and kept over another's change, and not over its user's own."""
    directus = Directus(slow=True)
    first = asyncio.create_task(directus.ask())
    await turns()
    directus.cache.forget_user(BERT)
    await directus.deliver_all()
    asking = asyncio.create_task(directus.ask())
    await turns()

    directus.cache.forget_user(BERT)
    joining = asyncio.create_task(directus.ask())
    await turns()
    assert directus.questions == [PERMISSIONS, USER, PERMISSIONS]

    directus.permissions_asked[0].settle()
    directus.change(ANNA, WRITER)
    directus.hear()
    after = asyncio.create_task(directus.ask())
    await turns()
    await directus.deliver_all()

    assert [await first, await asking, await joining] == [granting(Action.READ)] * 3
    assert [await after, await directus.ask()] == [WRITER] * 2
