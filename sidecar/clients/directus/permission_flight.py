"""A question for permissions on its way, and what the cache keeps of its answer."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sidecar.clients.directus.epochs import Epoch
from sidecar.clients.directus.line import Ready
from sidecar.clients.directus.permission_lifetimes import Life
from sidecar.clients.directus.question import Question, Sent
from sidecar.clients.directus.shared_answers import Claim, SharedAnswer
from sidecar.core.access.credentials import Credential
from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import Permissions
from sidecar.errors import CredentialRefused


@dataclass(frozen=True, slots=True)
class Entry:
    """What Directus said. `user` is None where the token does not name it, `identity` until it was asked for."""

    said: Permissions | CredentialRefused
    life: Life
    moment: int
    epoch: Epoch
    user: str | None
    identity: Identity | None = None

    @property
    def asked(self) -> float:
        return self.life.asked

    @property
    def grants_something(self) -> bool:
        return isinstance(self.said, Permissions) and len(self.said.grants) > 0

    @property
    def until(self) -> float:
        """Give the time from which on it is no use any more."""
        return self.life.yes_until if self.grants_something else self.life.no_until

    def answers(self, granted: Callable[[Permissions], bool], now: float) -> bool:
        """Say whether the entry may still be used for a question to which only `granted` counts as a yes."""
        yes = isinstance(self.said, Permissions) and granted(self.said)
        return now < (self.life.yes_until if yes else self.life.no_until)

    def shared(self, now: float) -> SharedAnswer:
        """Give what other replicas may use of it."""
        return SharedAnswer(self.said, now - self.asked, self.until - now, self.life.no_until - now)


class Place(Protocol):
    """What a question has once it is sent; `lost` says that an answer is unlikely."""

    @property
    def lost(self) -> bool: ...


class PatientSource(Protocol):
    """As a CallerSource, but a question for permissions lasts.

    When its turn has come, `ready` is awaited, and what it raises is passed on; `sent` is called when the question
    leaves for Directus.
    """

    async def permissions_patiently(
        self, credential: Credential, sent: Callable[[Place], None], ready: Ready
    ) -> Permissions: ...

    async def identity(self, credential: Credential) -> Identity: ...

    async def user_patiently(self, credential: Credential) -> str | None: ...


class Flight:
    """A question that later requests of its caller may join. `asked` is on the cache's timer.

    Until it is sent it has no `place`, and neither a change nor a logout makes a difference to it. `number` counts the
    questions that the cache has sent; with a `claim` other replicas wait for the answer.
    """

    def __init__(self, user: str | None, ask: Callable[["Flight", Sent], Coroutine[object, object, Entry]]) -> None:
        self.user = user
        self.asked = 0.0
        self.moment = self.number = 0
        self.epoch = Epoch()
        self.place: Place | None = None
        self.claim: Claim | None = None
        self.question = Question(partial(ask, self))

    def may_be_joined(self, covers: Callable[[str | None, int], bool], oldest: float, arrived: int) -> bool:
        """Keep a request from an answer to a question from before a change or a logout, or asked before `oldest`.

        `arrived` is how many questions had been sent when the request came.
        """
        if self.place is None:
            return not self.question.abandoned
        return self._alive(oldest) and self._after_logouts(arrived) and covers(self.user, self.moment)

    def overtaken(self, oldest: float, arrived: int) -> bool:
        """Whether a logout makes the answer worthless for this request, and Directus still works on it."""
        return self._alive(oldest) and not self._after_logouts(arrived)

    def _alive(self, oldest: float) -> bool:
        return self.place is not None and not self.place.lost and self.asked > oldest

    def _after_logouts(self, arrived: int) -> bool:
        """In the quiet time the session may have ended since the question was sent, unless that was just now."""
        return not self.epoch.ended and (self.epoch.keeps(self.asked) or self.number > arrived)
