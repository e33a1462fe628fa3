"""Parts of a replica on a real Redis, without the rest of it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from sidecar.clients.directus.caller_keys import CallerKey, CallerKeys
from sidecar.clients.directus.shared_answers import SharedAnswer
from sidecar.clients.redis.announcements import Announcements
from sidecar.clients.redis.answers import Answers
from sidecar.clients.redis.commands import Commands, connected
from sidecar.clients.redis.connection import open_client
from sidecar.clients.redis.names import Space
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.settings.redis_address import redis_address
from tests.doubles.redis.server import RedisServer
from tests.doubles.running_app import SIDECAR_SECRET

GRANTED = Permissions({("customers", Action.READ): Grant(Access.FULL, AllowedFields(frozenset({"*"})))})
START = 1_800_000_000.0


def commands_to(url: str) -> AbstractAsyncContextManager[Commands]:
    return connected(open_client(redis_address(url)))


@asynccontextmanager
async def announcements_to(server: RedisServer, space: Space) -> AsyncIterator[Announcements]:
    """Give a replica's way to tell the others, who need not have heard it; all is told at the end."""

    async def passed(_entry: bytes) -> None: ...

    async with commands_to(server.url) as commands:
        announcements = Announcements(commands, [space], passed)
        yield announcements
        await announcements.close()


@dataclass(slots=True)
class SharedAnswers:
    """The answer about one caller, at a moment of the test's; `now` is wall time."""

    commands: Commands
    space: Space
    caller: CallerKey
    now: float = START
    answers: Answers = field(init=False)

    def __post_init__(self) -> None:
        self.answers = Answers(self.commands, self.space, clock=lambda: self.now)

    async def keep(self, *, yes: float, no: float) -> None:
        claim = await self.answers.claim(self.caller)
        assert claim is not None
        assert not isinstance(claim, SharedAnswer)
        self.answers.keep(claim, SharedAnswer(GRANTED, 0.0, yes, no))
        await self.answers.close()

    async def look(self, later: float) -> SharedAnswer | None:
        self.now = START + later
        return await self.answers.look(self.caller)

    async def left(self, later: float) -> tuple[float, float]:
        """Give for how long a yes and a no of the answer count, so many seconds later by the wall clock."""
        found = await self.look(later)
        assert found is not None
        return found.yes, found.no


@asynccontextmanager
async def answers_in(server: RedisServer) -> AsyncIterator[SharedAnswers]:
    async with commands_to(server.url) as commands:
        caller = CallerKeys(b"the key of all replicas' hashes.").of(Credential("token", Source.HEADER, "192.0.2.1"))
        yield SharedAnswers(commands, Space.of(SIDECAR_SECRET, "permissions", "here"), caller)
