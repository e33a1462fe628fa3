"""The stripe library's aiohttp transport with our rules: a turn first, whole bodies of bounded length, no redirects.

The library hides its attempts, and Stripe counts each: so each waits for its turn here. It reads a body after its
retry loop has ended, so a body that breaks off escapes both its retries and its error classes; here reading the body is
part of the attempt.
"""

import asyncio
import math
from collections.abc import Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType

import aiohttp
import stripe
from yarl import URL

from sidecar.clients.http import read_bounded, traced_call
from sidecar.clients.stripe.governor import Governor
from sidecar.core.urgency import Urgency
from sidecar.metrics import Metrics

_ADVICE = "Stripe-Should-Retry"
_NOTHING_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_ANSWER_LIMIT = 16 * 1024 * 1024  # a page of a hundred objects is some 0.3 MiB


@dataclass(slots=True)
class Call:
    """One call, which may take several attempts; its time budget of `seconds` begins when the first has its turn.

    `deadline` is the loop's time by which it must have ended. `unanswered`: an attempt was sent and got no answer, or
    one that leaves open what was done (docs.stripe.com/error-low-level), so Stripe may have done what it asks for.
    """

    endpoint: str
    urgency: Urgency
    seconds: float
    attempts: int = 0
    deadline: float = math.inf
    unanswered: bool = False
    _budget: asyncio.Timeout | None = None
    _before: "Token[Call] | None" = None

    async def __aenter__(self) -> None:
        """Let the attempts that are made in the block be this call's; raise TimeoutError beyond the deadline."""
        self._budget = await asyncio.timeout(None).__aenter__()
        self._before = _call.set(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The loop keeps a canceled timer for some time, with its context. That leads to this call, and from the
        # budget to the task and its result, a whole page.
        budget, before, self._budget, self._before = self._budget, self._before, None, None
        assert budget is not None and before is not None  # noqa: S101, PT018 - the block was entered
        _call.reset(before)
        await budget.__aexit__(kind, error, trace)

    def attempt(self) -> None:
        """Count an attempt that has its turn."""
        self.attempts += 1
        if self.attempts == 1 and self._budget is not None:
            self.deadline = asyncio.get_running_loop().time() + self.seconds
            self._budget.reschedule(self.deadline)


_call: ContextVar[Call] = ContextVar("call")  # the library passes nothing on to its attempts


class Transport(stripe.AIOHTTPClient):
    """Makes one attempt of a call; the library's `request_with_retries_async` decides whether there is another."""

    def __init__(self, session: aiohttp.ClientSession, governor: Governor, metrics: Metrics) -> None:
        super().__init__(timeout=None, session=session)
        self._pool = session
        self._governor = governor
        self._metrics = metrics

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Raises stripe.APIConnectionError, marked as worth a retry, unless a whole answer comes.

        Only a call's first attempt may be refused its turn, by StripeRateLimited: of a later one Stripe may already
        have done what it asks for.
        """
        call = _call.get()
        async with self._governor.turn(call.endpoint, call.urgency, refusable=call.attempts == 0):
            call.attempt()
            with traced_call(call.endpoint, method, URL(url, encoded=True)) as span, self._metrics.timed("stripe"):
                span.set("http.request.resend_count", call.attempts - 1)
                answer = await self._attempt(call, method, url, headers, post_data)
                span.answered(answer[1])
                return answer

    async def _attempt(
        self, call: Call, method: str, url: str, headers: Mapping[str, str], post_data: str | None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        before, call.unanswered = call.unanswered, True  # also where it is cut off by the time budget
        try:
            async with self._pool.request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=post_data,
                allow_redirects=False,
                middlewares=() if method == "GET" else (_Once(),),
            ) as response:
                content = await read_bounded(response, _ANSWER_LIMIT)
                call.unanswered = before or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
                return content, response.status, _for_library(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error, _NOTHING_SENT):
                call.unanswered = before
            raise stripe.APIConnectionError("not reached", should_retry=True) from error  # type: ignore[no-untyped-call]  # the library has no annotations here


class _Once:
    """Keeps aiohttp from sending a DELETE again by itself: that would take no turn, and would hide the lost answer."""

    def __init__(self) -> None:
        self._sent = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._sent:
            raise aiohttp.ClientConnectionError("the answer was lost")
        self._sent = True
        return await handler(request)


def _for_library(response: aiohttp.ClientResponse) -> Mapping[str, str]:
    """Keep from the library that a 429 is worth a retry: our client repeats those, and lets others wait meanwhile."""
    if response.status != HTTPStatus.TOO_MANY_REQUESTS or response.headers.get(_ADVICE) != "true":
        return response.headers
    headers = response.headers.copy()
    headers.popall(_ADVICE)
    return headers
