"""Which answers of Directus are older than a change that may concern them."""

from sidecar.clients.directus.latest_changes import LatestChanges


class Freshness:
    """Counts changes; `moment` is how many there were."""

    def __init__(self) -> None:
        self.moment = 0
        self._latest = LatestChanges()

    def change_everybody(self) -> None:
        self.moment += 1
        self._latest.change_everybody(self.moment)

    def change_user(self, user: str) -> None:
        self.moment += 1
        self._latest.change_user(user, self.moment)

    def only_users_changed(self, moment: int) -> bool:
        """Say whether users changed since this moment, and nothing that concerns everybody."""
        return self._latest.everybodys <= moment < self._latest.somebodys

    def covers(self, user: str | None, moment: int) -> bool:
        """Say whether an answer to a question of this moment still holds; `user` is None where nobody knows whose."""
        return moment >= self._latest.concerning(user)
