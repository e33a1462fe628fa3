"""When this process heard of changes, so that it takes no earlier answer from another memory than its own.

The memory that replicas share keeps such answers out by itself, unless it lost what it was told (a failover to a copy
that was behind).
"""

import math
from collections.abc import Callable

_MOST = 10_000  # users whose changes are kept one by one
_CLOSE = 0.1  # seconds by which the age of a shared answer may be wrong, and a change be heard later than by others


class FeltChanges:
    """`timer` is in seconds and monotonic. Users' IDs are compared without regard to case, as UUIDs are."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._everybodys = self._somebodys = -math.inf
        self._users: dict[str, float] = {}

    def feel_everybodys(self) -> None:
        self._everybodys = self._timer()
        self._users.clear()

    def feel_users(self, user: str) -> None:
        if len(self._users) >= _MOST:
            self.feel_everybodys()
        self._somebodys = self._users[user.lower()] = self._timer()

    def precede(self, user: str | None, asked: float) -> bool:
        """Say whether a question of that time came after all changes that may concern this user; None may be any."""
        changed = self._somebodys if user is None else self._users.get(user.lower(), -math.inf)
        return asked > max(self._everybodys, changed) - _CLOSE
