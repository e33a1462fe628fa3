"""How many calls Stripe may get from us, and when: the account's budget and that of each endpoint.

Stripe counts both (docs.stripe.com/rate-limits). This module keeps them for one process; whatever keeps them for
several has the same interface.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from sidecar.core.traffic.rate import Rate

BURST = 0.2  # seconds whose turns may be used at once after a quiet time; so no second has more than Stripe allows
LONGEST_PAUSE = 10.0  # seconds for which one answer of Stripe's may stop the calls of others
_NEVER = float("-inf")
_ACCOUNT = None  # the limit of all endpoints together


class Wait(NamedTuple):
    """The seconds until the account may have a turn, and the endpoint."""

    account: float = 0.0
    endpoint: float = 0.0


NONE = Wait()


class Budgets(Protocol):
    """Nothing here raises."""

    async def take(self, endpoint: str) -> Wait:
        """Take a turn now and give NONE. Where there is none take nothing and give how long there may be none."""

    def give_back(self, endpoint: str) -> None:
        """Return a turn that was taken just now and that nobody uses."""

    async def pause(self, endpoint: str | None, seconds: float) -> None:
        """Give no turn for so long, at this endpoint or, with None, at all of them."""

    def expected(self, endpoint: str, ahead: int, ahead_in_all: int) -> float:
        """Estimate the seconds until a call has its turn behind so many at its endpoint, and so many in all."""


class LocalBudgets:
    """`account` and `each_endpoint` are in calls a second, of which this process has one of so many equal `parts`.

    `timer` must be monotonic; without it the loop's counts.
    """

    def __init__(
        self,
        account: float,
        each_endpoint: float,
        timer: Callable[[], float] | None = None,
        *,
        parts: Callable[[], int] = lambda: 1,
    ) -> None:
        self._account, self._each = account, each_endpoint
        self._timer = timer or _loop_time
        self._parts = parts
        self._due: dict[str | None, float] = {}
        self._paused: dict[str | None, float] = {}

    async def take(self, endpoint: str) -> Wait:
        now = self._timer()
        wait = Wait(max(0.0, self._free(_ACCOUNT) - now), max(0.0, self._free(endpoint) - now))
        if wait == NONE:
            self.count(endpoint)
        return wait

    def count(self, endpoint: str) -> None:
        """Count a turn that was taken elsewhere; of any number of them the next turn here is one gap away."""
        now = self._timer()
        for limit in (_ACCOUNT, endpoint):
            rate = self._rate(limit)
            self._due[limit] = min(rate.after(self._free(limit), now), now + rate.gap)

    def give_back(self, endpoint: str) -> None:
        for limit in (_ACCOUNT, endpoint):
            self._due[limit] = self._due.get(limit, _NEVER) - self._rate(limit).gap

    async def pause(self, endpoint: str | None, seconds: float) -> None:
        self._paused[endpoint] = max(self._paused.get(endpoint, _NEVER), self._timer() + seconds)

    def expected(self, endpoint: str, ahead: int, ahead_in_all: int) -> float:
        now = self._timer()
        here = max(self._free(endpoint), now) + ahead * self._rate(endpoint).gap
        in_all = max(self._free(_ACCOUNT), now) + ahead_in_all * self._rate(_ACCOUNT).gap
        return max(here, in_all) - now

    def _free(self, limit: str | None) -> float:
        return max(self._due.get(limit, _NEVER), self._paused.get(limit, _NEVER))

    def _rate(self, limit: str | None) -> Rate:
        """Divide so that all parts together have no more turns at once than the whole, as far as one each allows."""
        whole, parts = self._account if limit is _ACCOUNT else self._each, self._parts()
        return Rate(whole / parts, max(0.0, (whole * BURST + 1) / parts - 1))


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
