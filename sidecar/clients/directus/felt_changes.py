"""When changes were felt here, so that no answer of another replica's from before brings back what they took away.

What replicas share may be older than what this one knows: after a failover Redis may have lost the latest changes.
"""

from sidecar.clients.directus.latest_changes import LatestChanges

_EXACT = 0.01  # seconds by which the age of another's answer, measured on two clocks, may be too much


class FeltChanges:
    """Times are on the cache's timer."""

    def __init__(self) -> None:
        self._latest = LatestChanges()

    def feel_everybodys(self, now: float) -> None:
        self._latest.change_everybody(now)

    def feel_users(self, user: str, now: float) -> None:
        self._latest.change_user(user, now)

    def since(self, user: str | None, asked: float) -> bool:
        """Say whether one came since then that concerns this user, or with None one of whom nobody knows."""
        return asked < self._latest.concerning(user) - _EXACT
