"""Which answers of Directus are older than a change that may concern them."""

_MOST = 10_000  # users whose changes are counted one by one


class Freshness:
    """Counts changes; `moment` is how many there were. Users' IDs are compared without regard to case, as UUIDs are."""

    def __init__(self) -> None:
        self.moment = 0
        self._everybodys = 0
        self._somebodys = 0
        self._users: dict[str, int] = {}

    def change_everybody(self) -> None:
        self.moment += 1
        self._everybodys = self.moment
        self._users.clear()

    def change_user(self, user: str) -> None:
        if len(self._users) >= _MOST:
            self.change_everybody()
        self.moment += 1
        self._somebodys = self._users[user.lower()] = self.moment

    def only_users_changed(self, moment: int) -> bool:
        """Say whether users changed since this moment, and nothing that concerns everybody."""
        return self._everybodys <= moment < self._somebodys

    def covers(self, user: str | None, moment: int) -> bool:
        """Say whether an answer to a question of this moment still holds; `user` is None where nobody knows whose."""
        changed = self._somebodys if user is None else self._users.get(user.lower(), 0)
        return moment >= max(self._everybodys, changed)
