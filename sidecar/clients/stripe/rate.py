"""The rate limit of lists: all their requests together stay below Stripe's limit (docs.stripe.com/rate-limits).

Each list endpoint has a number of turns a second, given in the order of the requests. Reading one object and creating
one take no turn: Stripe counts them separately, and a list must not delay a checkout. For the same reason lists never
take all connections, even when Stripe is slow. When Stripe still answers 429, all lists pause.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sidecar.errors import StripeRateLimited

_BURST = 0.25  # seconds; after a quiet time, the turns of this long may be used at once


@dataclass(slots=True)
class _Lane:
    """One endpoint. `next` is the loop's time of its next turn; the first of the `waiting` requests has the lock."""

    next: float = 0.0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class RateLimit:
    """`rate` is in turns a second; a request that would wait longer than `patience` seconds is refused.

    `at_once` is how many requests for lists may be under way together.
    """

    def __init__(self, rate: float, patience: float, at_once: int = 40) -> None:
        self._gap, self._patience = 1 / rate, patience
        self._lanes: dict[str, _Lane] = {}
        self._places = asyncio.Semaphore(at_once)
        self._paused_until = 0.0

    @asynccontextmanager
    async def turn(self, endpoint: str) -> AsyncIterator[None]:
        """Wait for a turn at this endpoint, then take one of the places for the request. Raises StripeRateLimited."""
        lane = self._lanes.setdefault(endpoint, _Lane())
        now = asyncio.get_running_loop().time()
        expected = max(lane.next, self._paused_until, now) + lane.waiting * self._gap - now
        if expected > self._patience:
            raise _too_much(expected)
        try:
            async with asyncio.timeout(self._patience):
                await self._wait(lane)
                await self._places.acquire()
        except TimeoutError:
            raise _too_much(self._patience) from None
        try:
            yield
        finally:
            self._places.release()

    async def _wait(self, lane: _Lane) -> None:
        """Wait for a turn; a request that is canceled meanwhile leaves its turn to the next request."""
        loop = asyncio.get_running_loop()
        lane.waiting += 1
        try:
            async with lane.lock:
                while (wait := max(lane.next, self._paused_until) - loop.time()) > 0:  # noqa: ASYNC110 - a 429 moves the end
                    await asyncio.sleep(wait)
                lane.next = max(lane.next, loop.time() - _BURST) + self._gap
        finally:
            lane.waiting -= 1

    def pause(self, seconds: float) -> None:
        """Delay all requests for lists that have had no turn yet."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + seconds)


def _too_much(wait: float) -> StripeRateLimited:
    return StripeRateLimited(
        "Too many lists are being read at the moment. Try again a little later.", retry_after=max(1, round(wait))
    )
