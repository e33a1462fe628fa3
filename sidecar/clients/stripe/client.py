"""Calls Stripe. Only this module, its transport and the signature check know the `stripe` library.

Works on bytes and parsed JSON. The library's typed objects cost some 29 ms of CPU for a page of a hundred, so only its
transport and its retry rules are used: connection errors, 409, 5xx and `Stripe-Should-Retry`. The library does not
retry a plain 429; this module does, within the same time budget (docs.stripe.com/rate-limits).
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import nullcontext
from http import HTTPStatus
from urllib.parse import urlencode

import aiohttp
import orjson
import stripe

from sidecar.clients.http import retry_after
from sidecar.clients.stripe.errors import failure
from sidecar.clients.stripe.rate import RateLimit
from sidecar.clients.stripe.transport import Transport, watched
from sidecar.context import request_id
from sidecar.core.interfaces import Page, Sent
from sidecar.core.operations.list_query import MOST
from sidecar.core.operations.resources import StripeObject
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeKeyRejected, StripeTimeout, StripeUnavailable
from sidecar.metrics import Metrics

_log = logging.getLogger(__name__)
_RETRIES = 2
_UNHURRIED = 10  # pages a second for one-off commands, which leave most of the limit to the service
_BACKOFF = 0.5  # seconds before the first repetition after a 429, doubled each time


class StripeClient:
    """`timeout` is the time budget of one call in seconds, with all its waits and retries.

    `changed` is called after each call that may have changed something at Stripe, also after a failed one.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base: str,
        key: str,
        version: str,
        timeout: float,
        budget: RateLimit | None = None,
        metrics: Metrics | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._transport = Transport(session)
        self._base = base
        self._headers = {"Authorization": f"Bearer {key}", "Stripe-Version": version}
        self._timeout = timeout
        self._budget = budget or RateLimit(_UNHURRIED, timeout)
        self._metrics = metrics or Metrics()
        self._changed = changed
        self.key_rejected = False

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:  # noqa: ARG002
        """Wait for a turn first: all lists share one rate limit."""
        async with self._budget.turn(path):
            content, body = await self._call("GET", f"{path}?{urlencode(parameters)}")
        match body:
            case {"data": list(data), "has_more": bool(more)} if all(isinstance(entry, dict) for entry in data):
                return Page(data, more, content)
            case _:
                raise StripeUnavailable("Stripe's answer is not a list. Ask again.", detail="no list")

    async def pages(self, path: str, filters: Mapping[str, str]) -> AsyncIterator[list[StripeObject]]:
        """Follow `has_more` to the end, each page with a time budget of its own.

        Raises StripeUnavailable where Stripe repeats a cursor or gives none: a list that was cut short must not look
        whole (docs.stripe.com/api/pagination).
        """
        cursors: set[str] = set()
        parameters = {**filters, "limit": str(MOST)}
        while True:
            page = await self.page(path, parameters)
            yield page.data
            if not page.more:
                return
            cursor = page.data[-1].get("id") if page.data else None
            if not isinstance(cursor, str) or cursor in cursors:
                raise StripeUnavailable("Stripe's list broke off in the middle. Ask again.", detail=f"cursor {cursor}")
            cursors.add(cursor)
            parameters["starting_after"] = cursor

    async def retrieve(self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL) -> StripeObject:  # noqa: ARG002
        return (await self._call("GET", f"{path}/{object_id}"))[1]

    async def send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object],
        idempotency_key: str | None = None,
        *,
        urgency: Urgency = Urgency.CALL,
    ) -> Sent:
        form = dict(_form(parameters)) if method == "POST" else None
        async with self._budget.turn(path) if urgency < Urgency.CALL else nullcontext():
            try:
                with watched() as attempts:
                    _, answered, headers = await self._exchange(
                        method, path, form=form, idempotency_key=idempotency_key
                    )
            finally:
                self._changed()
        if not (isinstance(answered.get("id"), str) and isinstance(answered.get("object"), str)):
            raise StripeUnavailable("Stripe's answer is not an object.", detail="no object")
        return Sent(answered, headers.get("Idempotent-Replayed") == "true", attempts.unanswered)

    async def probe(self, path: str = "/v1/customers") -> None:
        """Ask for a list's first object, which sets `key_rejected`. Raises StripeFailure."""
        await self._call("GET", f"{path}?limit=1")

    async def _call(self, method: str, target: str) -> tuple[bytes, StripeObject]:
        content, body, _ = await self._exchange(method, target)
        return content, body

    async def _exchange(
        self, method: str, target: str, *, form: Mapping[str, str] | None = None, idempotency_key: str | None = None
    ) -> tuple[bytes, StripeObject, Mapping[str, str]]:
        headers = dict(self._headers)
        if (identity := request_id.get()) is not None:
            headers["X-Request-Id"] = identity
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = None if form is None else urlencode(form)
        try:
            with self._metrics.timed("stripe"):
                async with asyncio.timeout(self._timeout):
                    content, status, answered = await self._repeatedly(method, self._base + target, headers, body)
        except TimeoutError:
            raise StripeTimeout("Stripe did not answer in time. Ask again.", detail=f"{method} timed out") from None
        except stripe.APIConnectionError as error:
            raise StripeUnavailable("Stripe could not be reached. Ask again.", detail=_cause(error)) from error
        return content, self._result(content, status, answered), answered

    async def _repeatedly(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Repeat after a 429, and while another request with the same idempotency key is under way.

        When the time budget leaves no room for another attempt, Stripe's last answer counts.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        wait = _BACKOFF
        while True:
            content, status, answered = await self._transport.request_with_retries_async(
                method, url, headers, body, max_network_retries=_RETRIES
            )
            pause = max(wait * random.uniform(0.5, 1.5), retry_after(answered) or 0)  # noqa: S311 - spreads load
            if not _says_later(status, content) or asyncio.get_running_loop().time() + pause >= deadline:
                return content, status, answered
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                self._heed_limit(answered, pause)
            await asyncio.sleep(pause)
            wait *= 2

    def _heed_limit(self, headers: Mapping[str, str], pause: float) -> None:
        self._metrics.rate_limited.inc()
        _log.warning(
            "Stripe's rate limit was hit", extra={"reason": headers.get("Stripe-Rate-Limited-Reason"), "pause": pause}
        )
        self._budget.pause(pause)

    def _result(self, content: bytes, status: int, headers: Mapping[str, str]) -> StripeObject:
        try:
            body = orjson.loads(content)
        except ValueError:
            body = None
        if status == HTTPStatus.OK and isinstance(body, dict):
            self.key_rejected = False
            return body
        error = failure(status, body, headers)
        if isinstance(error, StripeKeyRejected):
            self.key_rejected = status == HTTPStatus.UNAUTHORIZED  # 403: a restricted key lacks one right
            _log.error("Stripe does not accept our key for this call", extra={"detail": error.detail})
        raise error


def _says_later(status: int, content: bytes) -> bool:
    in_use = status == HTTPStatus.CONFLICT and b'"idempotency_key_in_use"' in content
    return in_use or status == HTTPStatus.TOO_MANY_REQUESTS


def _form(values: Mapping[str, object], within: str = "") -> Iterator[tuple[str, str]]:
    """Flatten as Stripe reads forms: `address[line1]`, `preferred_locales[0]` (docs.stripe.com/api).

    None becomes an empty text, by which Stripe unsets an attribute.
    """
    for name, value in values.items():
        key = f"{within}[{name}]" if within else name
        if isinstance(value, Mapping):
            yield from _form(value, key)
        elif isinstance(value, list | tuple):
            yield from _form({str(index): entry for index, entry in enumerate(value)}, key)
        else:
            yield key, _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _cause(error: BaseException) -> str:
    return type(error.__cause__ or error).__name__
