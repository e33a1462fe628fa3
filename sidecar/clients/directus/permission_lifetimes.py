"""For how long an answer about permissions may be used. Times are in seconds.

A no lives shorter than a yes, nothing outlives the token's `exp`, and lifetimes are shortened at random, so that what
was asked together does not expire together.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from sidecar.clients.directus.shared_answers import SharedAnswer
from sidecar.core.access.credentials import Credential, expires_at

_JITTER = 0.1  # the share by which a lifetime is shortened


@dataclass(frozen=True, slots=True)
class Life:
    """A yes counts until `yes_until`, a no until `no_until`, on the cache's timer; it was asked at `asked`."""

    asked: float
    yes_until: float
    no_until: float


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """`timer` must be monotonic; `clock` is wall time and only compared with a token's `exp`."""

    ttl: float
    denied_ttl: float
    timer: Callable[[], float]
    clock: Callable[[], float]

    def of_question(self, credential: Credential, asked: float) -> Life:
        """Directus may change its mind while it answers, so an answer is as old as its question."""
        end = self._end(credential)
        return Life(asked, min(asked + _shortened(self.ttl), end), min(asked + _shortened(self.denied_ttl), end))

    def of_shared(self, credential: Credential, answer: SharedAnswer) -> Life:
        """Let what another replica heard live as long as there, and no longer than here."""
        now, end = self.timer(), self._end(credential)
        asked = now - answer.age
        yes, no = min(answer.yes, self.ttl - answer.age), min(answer.no, self.denied_ttl - answer.age)
        return Life(asked, min(now + yes, end), min(now + no, end))

    def _end(self, credential: Credential) -> float:
        """Give the token's end on the timer."""
        exp = expires_at(credential.token)
        return math.inf if exp is None else exp - self.clock() + self.timer()


def _shortened(ttl: float) -> float:
    return ttl * (1 - _JITTER * random.random())  # noqa: S311 - spreads load, keeps no secret
