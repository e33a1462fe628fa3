"""The history of permissions: an answer is right if its verdict was true at some moment when it could be decided."""

import time
from dataclasses import dataclass, field

from tests.doubles.directus import User, full, grants

SLACK = 0.05  # seconds between a change here and its effect in the double


@dataclass(slots=True)
class History:
    """A user with changing permissions; `changes` are (time, allowed), oldest first."""

    user: User
    changes: list[tuple[float, bool]] = field(default_factory=list)

    def change(self, state: str) -> None:
        """Make the user "allowed", "denied" (no permission) or "gone" (no credential)."""
        self.user.permissions = grants(read=full(), create=full()) if state == "allowed" else {}
        self.user.refused = "INVALID_CREDENTIALS" if state == "gone" else None
        self.changes = [*self.changes[-50:], (time.monotonic(), state == "allowed")]

    def may_have_been(self, *, allowed: bool, begun: float, ended: float) -> bool:
        """Say whether this verdict was true at any moment from `begun` to `ended`."""
        before = [state for when, state in self.changes if when <= begun - SLACK]
        during = [state for when, state in self.changes if begun - SLACK < when <= ended + SLACK]
        return allowed in [*before[-1:], *during]
