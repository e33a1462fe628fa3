"""Stripe with a clock, and with effects that do not depend on whether anybody still waits for the answer.

- an idempotency key is forgotten after a day, and a 500 is remembered like any result:
  docs.stripe.com/api/idempotent_requests
- `created[gte]`, deleted customers left out of lists: docs.stripe.com/api/customers/list
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from tests.doubles.stripe import Object, Result, StripeDouble

DAY = 86_400
_FAILED: Result = (500, {"error": {"type": "api_error", "message": "An error occurred."}})


async def _no_work() -> None:
    pass


class StripeLedger(StripeDouble):
    """`now` is Unix time, moved by hand. `stumble` makes the next creation answer 500, before or after its effect."""

    def __init__(self) -> None:
        super().__init__()
        self.now = int(time.time())
        self.stumble: Literal["before", "after"] | None = None
        self.work: Callable[[], Awaitable[object]] | None = None  # what takes time before the effect and after it
        self._first_used: dict[str, int] = {}

    @property
    def alive(self) -> list[Object]:
        return [customer for customer in self.customers if not customer.get("deleted")]

    def delete(self, customer_id: str) -> None:
        for customer in self.customers:
            if customer["id"] == customer_id:
                customer["deleted"] = True

    def add_customer(self, **attributes: object) -> Object:
        return super().add_customer(**{"created": self.now, **attributes})

    async def _once(
        self, request: web.Request, endpoint: Callable[[web.Request], Awaitable[Result]]
    ) -> tuple[Result, bool]:
        key = request.headers.get("Idempotency-Key", "")
        if self.now - self._first_used.setdefault(key, self.now) >= DAY:
            self.replays.results.pop(key, None)
            self._first_used[key] = self.now
        effect = asyncio.ensure_future(super()._once(request, endpoint))
        effect.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, though nobody may wait
        return await asyncio.shield(effect)

    async def _create_customer(self, request: web.Request) -> Result:
        stumble, self.stumble = self.stumble, None
        if stumble == "before":
            return _FAILED
        work = self.work or _no_work
        await work()
        result = await super()._create_customer(request)
        await work()
        return _FAILED if stumble == "after" else result

    async def _list_customers(self, request: web.Request) -> Result:
        query = request.query
        since, limit = int(query.get("created[gte]", "0")), int(query.get("limit", "10"))
        listed = [customer for customer in self.alive if int(str(customer["created"])) >= since]
        listed.sort(key=lambda customer: int(str(customer["created"])), reverse=True)
        ids = [customer["id"] for customer in listed]
        start = ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
        page, more = listed[start : start + limit], start + limit < len(listed)
        return 200, {"object": "list", "url": request.path, "has_more": more, "data": page}
