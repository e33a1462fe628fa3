"""When a change in Directus empties the cache: at once, and not once for each of many changes.

The first change is felt at once. Those within a window after it count together, at the window's end. Directus announces
a change just before it drops its own cached permissions, and its other nodes drop theirs a little later; an answer
given in between may be outdated, so a while after the last change the same is forgotten again.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

_MOST = 1_000  # users who are counted one by one


class _Coalesced:
    """`act` is called with "change" or "settled"; `settled` is called when nothing is left to do."""

    def __init__(
        self, act: Callable[[str], None], settled: Callable[[], object], *, window: float, settling: float
    ) -> None:
        self._act, self._settled = act, settled
        self._window, self._settling = window, settling
        self._open = self._again = False
        self._timer: asyncio.TimerHandle | None = None

    def change(self) -> None:
        if self._open:
            self._again = True
        else:
            self._act_for_a_window()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._settling, self._settle)

    def _act_for_a_window(self) -> None:
        self._open, self._again = True, False
        self._act("change")
        asyncio.get_running_loop().call_later(self._window, self._close)

    def _close(self) -> None:
        self._open = False
        if self._again:
            self._act_for_a_window()

    def _settle(self) -> None:
        self._timer = None
        self._settled()
        self._act("settled")


class Purges:
    """`purge` forgets everybody, for the cause it is given; `forget_user` forgets one user, by its ID."""

    def __init__(
        self, purge: Callable[[str], None], forget_user: Callable[[str], None], *, window: float, settling: float
    ) -> None:
        self._forget_user = forget_user
        self._coalesced = partial(_Coalesced, window=window, settling=settling)
        self._everybody = self._coalesced(purge, lambda: None)
        self._users: dict[str, _Coalesced] = {}

    def change_everybody(self) -> None:
        self._everybody.change()

    def change_users(self, users: Iterable[str]) -> None:
        named = frozenset(users)
        if len(self._users) + len(named - self._users.keys()) > _MOST:
            self.change_everybody()
            return
        for user in named:
            self._of(user).change()

    def _of(self, user: str) -> _Coalesced:
        if user not in self._users:
            self._users[user] = self._coalesced(lambda _: self._forget_user(user), lambda: self._users.pop(user))
        return self._users[user]
