"""A Stripe that keeps to its limits: what comes too fast is answered with a 429 that names the limit.

docs.stripe.com/rate-limits: 100 calls a second in live mode and 25 in a sandbox, and 25 to each endpoint. Stripe does
not say how it counts. Here no second, wherever it begins, has more, which is the strictest reading; a refused call
counts for no limit.
"""

import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sidecar.core.operations.endpoints import endpoint
from tests.benchmarks.fair.account import Asked, StripeAccount, customer_id, listening, too_many
from tests.benchmarks.upstream import TEMPLATES, Answer, Received

LIVE, SANDBOX = 100, 25  # calls a second in all
EACH = 25  # calls a second to each endpoint
_ENOUGH = 100_000  # the number of the first customer that is created
_CREATE = ("POST", "/v1/customers")


class _Window:
    """The calls of the last second."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times = deque[float]()

    def is_full(self, now: float) -> bool:
        while self._times and self._times[0] <= now - 1:
            self._times.popleft()
        return len(self._times) >= self._most

    def count(self, now: float) -> None:
        self._times.append(now)


class LimitedAccount:
    """`asked` has all calls in order, also those in `refused`. A created customer is in no list."""

    def __init__(self, account: StripeAccount, in_all: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.latency = account.latency
        self.port = 0
        self.asked: list[Asked] = []
        self.refused: list[Asked] = []
        self._account, self._clock = account, clock
        self._in_all, self._each = _Window(in_all), dict[str, _Window]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, request: Received) -> Answer:
        call = Asked(self._clock(), request.method, request.target)
        self.asked.append(call)
        here = self._each.setdefault(endpoint(call.method, call.path), _Window(EACH))
        reasons = {"global-rate": self._in_all.is_full(call.at), "endpoint-rate": here.is_full(call.at)}
        if any(reasons.values()):
            self.refused.append(call)
            return too_many("rate_limit", next(reason for reason, full in reasons.items() if full))
        for window in (self._in_all, here):
            window.count(call.at)
        return self._created() if (call.method, call.path) == _CREATE else self._account.answer(request)

    def _created(self) -> Answer:
        customer = TEMPLATES["customer"] | {"id": customer_id(_ENOUGH + len(self.asked))}
        return Answer(200, json.dumps(customer).encode())


@asynccontextmanager
async def limited_account(*, payments: int, latency: float, in_all: int = LIVE) -> AsyncIterator[LimitedAccount]:
    limited = LimitedAccount(StripeAccount(payments=payments, owners=100, latency=latency), in_all)
    async with listening(limited) as limited.port:
        yield limited
