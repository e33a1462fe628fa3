"""Which answers of Directus still count: none from before a change that concerns its caller, or before a logout."""

from collections.abc import Awaitable, Callable

from sidecar.clients.directus.caller_keys import CallerKey
from sidecar.clients.directus.epochs import Epochs
from sidecar.clients.directus.felt_changes import FeltChanges
from sidecar.clients.directus.freshness import Freshness
from sidecar.clients.directus.permission_flight import Entry
from sidecar.clients.directus.token_users import TokenUsers

_MISSED = frozenset({"connected", "lost", "gap"})  # causes where nothing was felt here, and others may have heard all


class Validity:
    """`ttl` is in seconds on `timer`, which must be monotonic; `size` is how many tokens' users are remembered."""

    def __init__(self, *, ttl: float, size: int, timer: Callable[[], float]) -> None:
        self._timer = timer
        self.changes, self._felt = Freshness(), FeltChanges()
        self.epochs = Epochs(quiet=ttl, timer=timer)
        self.users = TokenUsers(self.changes, ttl=ttl, size=size, timer=timer)

    def change_everybody(self, cause: str) -> None:
        self.changes.change_everybody()
        if cause not in _MISSED:
            self._felt.feel_everybodys(self._timer())

    def change_user(self, user: str) -> None:
        self.changes.change_user(user)
        self._felt.feel_users(user, self._timer())

    def covers(self, caller: CallerKey, user: str | None, moment: int) -> bool:
        """Say whether a question of this moment is from after all changes that concern the caller."""
        return self.changes.covers(user, moment) or (user is None and self.users.cover(caller.token, moment))

    def holds(self, caller: CallerKey, entry: Entry) -> bool:
        return not entry.epoch.ended and self.covers(caller, entry.user, entry.moment)

    def may_be_kept(self, caller: CallerKey, entry: Entry) -> bool:
        """As `holds`, and say no in the quiet time after a logout."""
        return entry.epoch.keeps(entry.asked) and self.holds(caller, entry)

    def may_be_taken(self, caller: CallerKey, entry: Entry) -> bool:
        """As `may_be_kept`, for the answer of another replica, which may have felt less than this one."""
        return not self._felt.since(caller.user, entry.asked) and self.may_be_kept(caller, entry)

    def find_out_whose(self, caller: CallerKey, entry: Entry | None, ask: Callable[[], Awaitable[str | None]]) -> None:
        """Where a user's change cost a static token this entry, ask for its user, so that no other's costs the next."""
        if entry is None or not entry.grants_something or caller.named:
            return
        if self.changes.only_users_changed(entry.moment) and not self.covers(caller, entry.user, entry.moment):
            self.users.find_out(caller.token, ask)
