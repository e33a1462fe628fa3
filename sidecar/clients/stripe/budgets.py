"""How many calls Stripe may get from us, and when: the account's budget and that of each endpoint.

Stripe counts both (docs.stripe.com/rate-limits). This module keeps them for one process; whatever keeps them for
several has the same interface.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from sidecar.core.traffic.rate import Rate

_NEVER = float("-inf")
_BURST = 0.2  # seconds whose turns may be used at once after a quiet time; so no second has more than Stripe allows


class Budgets(Protocol):
    async def take(self, endpoint: str) -> float:
        """Take a turn now and give 0. Where there is none take nothing and give the seconds until one may be there."""

    async def pause(self, endpoint: str | None, seconds: float) -> None:
        """Give no turn for so long, at this endpoint or, with None, at all of them."""

    def expected(self, endpoint: str, ahead: int, ahead_in_all: int) -> float:
        """Estimate the seconds until a call has its turn behind so many at its endpoint, and so many in all."""


class LocalBudgets:
    """`account` and `each_endpoint` are in calls a second. `timer` must be monotonic; without it the loop's counts."""

    def __init__(self, account: float, each_endpoint: float, timer: Callable[[], float] | None = None) -> None:
        self._account, self._each = _rate(account), _rate(each_endpoint)
        self._timer = timer or _loop_time
        self._account_due = _NEVER
        self._due: dict[str, float] = {}
        self._paused: dict[str, float] = {}

    async def take(self, endpoint: str) -> float:
        now = self._timer()
        due = max(self._account_due, self._endpoint_due(endpoint))
        if due > now:
            return due - now
        self._account_due = self._account.after(self._account_due, now)
        self._due[endpoint] = self._each.after(self._due.get(endpoint, _NEVER), now)
        return 0.0

    async def pause(self, endpoint: str | None, seconds: float) -> None:
        until = self._timer() + seconds
        if endpoint is None:
            self._account_due = max(self._account_due, until)
        else:
            self._paused[endpoint] = max(self._paused.get(endpoint, _NEVER), until)

    def expected(self, endpoint: str, ahead: int, ahead_in_all: int) -> float:
        now = self._timer()
        here = max(self._endpoint_due(endpoint), now) + ahead * self._each.gap
        in_all = max(self._account_due, now) + ahead_in_all * self._account.gap
        return max(here, in_all) - now

    def _endpoint_due(self, endpoint: str) -> float:
        return max(self._due.get(endpoint, _NEVER), self._paused.get(endpoint, _NEVER))


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _rate(per_second: float) -> Rate:
    return Rate(per_second, per_second * _BURST)
