"""What replicas share of Directus's answers about permissions. `clients/redis` has it."""

from dataclasses import dataclass
from typing import Protocol

from sidecar.clients.directus.caller_keys import CallerKey
from sidecar.core.access.permissions import Permissions
from sidecar.errors import CredentialRefused


@dataclass(frozen=True, slots=True)
class SharedAnswer:
    """What Directus said `age` seconds ago. A yes in it counts for `yes` more seconds, a no for `no`."""

    said: Permissions | CredentialRefused
    age: float
    yes: float
    no: float


class Claim(Protocol):
    """The right of one replica to ask for a caller while the others wait for its answer."""


class SharedAnswers(Protocol):
    """Nothing here raises: what cannot be had is as if nobody had asked. It never has more than Directus said."""

    async def look(self, caller: CallerKey) -> SharedAnswer | None:
        """Give an answer from after the last change and the last logout that concern this caller."""

    async def claim(self, caller: CallerKey) -> SharedAnswer | Claim | None:
        """Look once more, now that the question could be sent; while another replica asks, wait a little for it.

        An answer counts here only while also a no in it does. With None the caller asks, and what it hears is not kept.
        """

    def keep(self, claim: Claim, answer: SharedAnswer) -> None:
        """Share the answer unless a change or a logout came since the claim; the claim ends."""

    def release(self, claim: Claim) -> None:
        """End a claim that brought no answer to share."""
