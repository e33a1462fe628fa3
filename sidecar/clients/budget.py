"""Keeps all requests together below Stripe's rate limit for lists (docs.stripe.com/rate-limits).

Each list endpoint has so many turns a second, given in the order in which they were asked for. Reading one
object and creating one need no turn: Stripe counts them apart, and no list may hold up a checkout. When Stripe
says 429 nevertheless, all lists pause.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from sidecar.errors import StripeRateLimited

_BURST = 0.25  # seconds' worth of turns that may be used at once after a quiet while


class Budget:
    """`rate` is turns a second; who would wait longer than `patience` seconds is refused at once."""

    def __init__(
        self,
        rate: float,
        patience: float,
        *,
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gap, self._patience = 1 / rate, patience
        self._timer, self._sleep = timer, sleep
        self._next: dict[str, float] = {}
        self._paused_until = 0.0

    async def turn(self, endpoint: str) -> None:
        """Wait for a turn at this endpoint. Raises StripeRateLimited when the queue is too long for it."""
        now = self._timer()
        turn = max(self._next.get(endpoint, 0.0), self._paused_until, now - _BURST)
        if turn - now > self._patience:
            raise StripeRateLimited(
                "Too many lists are being read at the moment. Try again a little later.",
                retry_after=max(1, round(turn - now)),
            )
        self._next[endpoint] = turn + self._gap
        if turn > now:
            await self._sleep(turn - now)

    def pause(self, seconds: float) -> None:
        """Hold back all lists that have no turn yet."""
        self._paused_until = max(self._paused_until, self._timer() + seconds)
