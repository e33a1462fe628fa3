"""When changes were felt here, so that no answer of another replica's from before brings back what they took away.

What replicas share may be older than what this one knows: after a failover Redis may have lost the latest changes.
"""

import math

_MOST = 10_000  # users whose changes are known one by one
_EXACT = 0.01  # seconds by which the age of another's answer, measured on two clocks, may be too much


class FeltChanges:
    """Times are on the cache's timer."""

    def __init__(self) -> None:
        self._everybodys = self._somebodys = -math.inf
        self._users: dict[str, float] = {}

    def feel_everybodys(self, now: float) -> None:
        self._everybodys = self._somebodys = now
        self._users.clear()

    def feel_users(self, user: str, now: float) -> None:
        if len(self._users) >= _MOST:
            self.feel_everybodys(now)
        self._somebodys = self._users[user.lower()] = now

    def since(self, user: str | None, asked: float) -> bool:
        """Say whether one came since then that concerns this user, or with None one of whom nobody knows."""
        changed = self._somebodys if user is None else self._users.get(user.lower(), -math.inf)
        return asked < max(self._everybodys, changed) - _EXACT
