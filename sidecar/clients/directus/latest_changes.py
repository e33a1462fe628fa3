"""The latest change of everybody's permissions and of each user's, each by a number that grows.

Users' IDs are compared without regard to case, as UUIDs are.
"""

import math

_MOST = 10_000  # users whose changes are known one by one


class LatestChanges:
    def __init__(self) -> None:
        self.everybodys = self.somebodys = -math.inf
        self._users: dict[str, float] = {}

    def change_everybody(self, number: float) -> None:
        self.everybodys = self.somebodys = number
        self._users.clear()

    def change_user(self, user: str, number: float) -> None:
        """Beyond the users that are known one by one it counts as a change of everybody's."""
        if len(self._users) >= _MOST:
            self.change_everybody(number)
        self.somebodys = self._users[user.lower()] = number

    def concerning(self, user: str | None) -> float:
        """Give the latest that may concern this user; None is anybody, where nobody knows whose."""
        changed = self.somebodys if user is None else self._users.get(user.lower(), -math.inf)
        return max(self.everybodys, changed)
