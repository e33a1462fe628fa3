"""A Stripe with a clock, where an effect takes place even if the client no longer waits for the answer.

A 500 is stored under the idempotency key like any result: docs.stripe.com/api/idempotent_requests.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from deploy.stripe_stand_in.kinds import Kind
from tests.doubles.stripe import Object, Result, StripeDouble

DAY = 86_400
_FAILED: Result = (500, {"error": {"type": "api_error", "message": "An error occurred."}})


async def _no_work() -> None:
    pass


class StripeLedger(StripeDouble):
    """`now` is Unix time, set by the test. `stumble` makes the next creation answer 500, before or after its effect."""

    def __init__(self) -> None:
        super().__init__(now=lambda: self.now)
        self.now = int(time.time())
        self.stumble: Literal["before", "after"] | None = None
        self.work: Callable[[], Awaitable[object]] | None = None  # the time before the effect and after it

    @property
    def alive(self) -> list[Object]:
        return [customer for customer in self.customers if not customer.get("deleted")]

    def delete(self, customer_id: str) -> None:
        for customer in self.customers:
            if customer["id"] == customer_id:
                customer["deleted"] = True

    async def once(
        self, request: web.Request, endpoint: Callable[[web.Request], Awaitable[Result]]
    ) -> tuple[Result, bool]:
        effect = asyncio.ensure_future(super().once(request, endpoint))
        effect.add_done_callback(lambda done: done.cancelled() or done.exception())  # its error counts as seen
        return await asyncio.shield(effect)

    async def create(self, kind: Kind, values: Object) -> Result:
        stumble, self.stumble = self.stumble, None
        if stumble == "before":
            return _FAILED
        work = self.work or _no_work
        await work()
        result = await super().create(kind, values)
        await work()
        return _FAILED if stumble == "after" else result
