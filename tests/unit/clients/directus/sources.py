"""Permission sources in memory, for tests of the classes that wrap a source."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sidecar.clients.directus.line import Ready
from sidecar.clients.directus.permission_flight import Place
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.core.access.policy import Requirement
from sidecar.errors import CredentialRefused, SidecarError
from tests.doubles.collections import CUSTOMERS

READ = Requirement("customers", Action.READ, CUSTOMERS)
CREATE = Requirement("customers", Action.CREATE, CUSTOMERS)
NOTHING = Permissions({})


def credential(token: str, address: str | None = "192.0.2.7") -> Credential:
    return Credential(token, Source.HEADER, address)


def granting(*actions: Action, collection: str = "customers") -> Permissions:
    every = Grant(Access.FULL, AllowedFields(frozenset({"*"})))
    return Permissions({(collection, action): every for action in actions})


@dataclass(slots=True)
class Sure:
    """The place of a question that will be answered, unless a test says otherwise."""

    lost: bool = False


SURE = Sure()


class Clock:
    """A timer that only a test moves."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


Answers = Callable[[Credential], Permissions | SidecarError]


class Counting:
    """Answers by `answers` and counts the questions.

    `meanwhile` happens while it answers; while `gate` is closed, no answer is given.
    """

    def __init__(self, answers: Answers | Permissions | SidecarError) -> None:
        self.answers = answers
        self.meanwhile: Callable[[], None] = lambda: None
        self.identities_asked = 0
        self.asked = Counter[tuple[str, str | None]]()
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def calls(self) -> int:
        return self.asked.total()

    async def permissions_patiently(
        self, credential: Credential, sent: Callable[[Place], None], ready: Ready
    ) -> Permissions:
        await ready()
        sent(SURE)
        self.asked[credential.token, credential.address] += 1
        await self.gate.wait()
        self.meanwhile()
        answer = self.answers(credential) if callable(self.answers) else self.answers
        if isinstance(answer, SidecarError):
            raise answer
        return answer

    async def identity(self, credential: Credential) -> Identity:
        self.identities_asked += 1
        await self.gate.wait()
        self.meanwhile()
        return Identity(f"user of {credential.token}")

    async def user_patiently(self, credential: Credential) -> str | None:
        return (await self.identity(credential)).user


def refused(_credential: Credential) -> SidecarError:
    return CredentialRefused("INVALID_CREDENTIALS")
