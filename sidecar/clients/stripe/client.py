"""Calls Stripe. Only this module, its transport and the signature check use the `stripe` library, beside its types.

Works on bytes and parsed JSON. The library's typed objects cost some 29 ms of CPU for a page of a hundred, so only its
transport and its retry rules are used: connection errors, 409, 5xx and `Stripe-Should-Retry`. The library does not
retry a 429; this module does, within the same time budget (docs.stripe.com/rate-limits). What the limit is about
pauses: the account, an endpoint, or this call alone.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlencode

import aiohttp
import stripe

from sidecar.clients.http import retry_after
from sidecar.clients.stripe.budgets import LONGEST_PAUSE
from sidecar.clients.stripe.errors import failure
from sidecar.clients.stripe.governor import Governor
from sidecar.clients.stripe.limits import Limit, limit_reached
from sidecar.clients.stripe.refusal_log import log_refusal
from sidecar.clients.stripe.skim import parsed_page, skimmed
from sidecar.clients.stripe.transport import Call, Transport
from sidecar.context import request_id
from sidecar.core.interfaces import ChangeRequest, Sent
from sidecar.core.operations.endpoints import endpoint
from sidecar.core.operations.form import flattened
from sidecar.core.operations.resources import RESOURCES, StripeObject, address, identity_of
from sidecar.core.pages import Page
from sidecar.core.stripe_json import parsed
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeFailure, StripeKeyRejected, StripeRejected, StripeTimeout, StripeUnavailable
from sidecar.metrics import Metrics

_log = logging.getLogger(__name__)
_RETRIES = 2
_BACKOFF = 0.5  # seconds before the first repetition after a 429, doubled each time
_TRIES = 3  # of a call that meets the limit of an object


class StripeClient:
    """`account` is the connected account on which every call is made, None for the key's own.

    `timeout` is the time budget of one call in seconds, with all its retries; it begins with the call's first turn.

    `changed` is awaited before the answer to each call that may have changed something at Stripe, also to a failed one;
    one that was never sent has not.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base: str,
        key: str,
        version: str,
        account: str | None = None,
        timeout: float,
        governor: Governor,
        metrics: Metrics | None = None,
        changed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._governor = governor
        self._transport = Transport(session, governor, self._metrics)
        self._base = base
        self._headers = {"Authorization": f"Bearer {key}", "Stripe-Version": version}
        if account is not None:
            self._headers["Stripe-Account"] = account
        self._timeout = timeout
        self._changed = changed
        self.key_rejected = False

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        call, content, status, headers = await self._get(path, urgency, parameters)
        page = skimmed(content) if status == HTTPStatus.OK else None
        if page is None:
            return parsed_page(content, self._result(call, content, status, headers))
        self.key_rejected = False
        return page

    async def retrieve(
        self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL, expand: Sequence[str] = ()
    ) -> StripeObject:
        return self._result(*await self._get(address(path, object_id), urgency, flattened({"expand": list(expand)})))

    async def send(self, request: ChangeRequest) -> Sent:
        path, form = request.path, flattened(request.parameters)
        target, body = (path, form) if request.method == "POST" else (_with_query(path, form), None)
        call = Call(endpoint(request.method, path), request.urgency, self._timeout)
        own = self._headers_of(body, request.key, request.version)
        try:
            content, status, headers = await self._exchange(call, request.method, target, own, body)
            answered = self._result(call, content, status, headers)
            _require_object(answered)
        except StripeFailure as failure:
            failure.uncertain |= call.unanswered
            raise
        finally:
            if call.attempts > 0 and self._changed is not None:
                await self._changed()
        return Sent(answered, headers.get("Idempotent-Replayed") == "true", call.unanswered)

    async def probe(self, path: str = "/v1/customers") -> None:
        """Ask for a list's first object, which sets `key_rejected`. Raises StripeFailure."""
        self._result(*await self._get(path, Urgency.CALL, {"limit": "1"}))

    async def _get(
        self, path: str, urgency: Urgency, parameters: Mapping[str, str]
    ) -> tuple[Call, bytes, int, Mapping[str, str]]:
        call = Call(endpoint("GET", path), urgency, self._timeout)
        return call, *await self._exchange(call, "GET", _with_query(path, parameters), self._headers_of())

    async def _exchange(
        self,
        call: Call,
        method: str,
        target: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        body = None if form is None else urlencode(form)
        try:
            async with call:
                return await self._repeatedly(call, method, self._base + target, headers, body)
        except TimeoutError:
            raise StripeTimeout("Stripe did not answer in time. Ask again.", detail=f"{method} timed out") from None
        except stripe.APIConnectionError as error:
            raise StripeUnavailable("Stripe could not be reached. Ask again.", detail=_cause(error)) from error

    def _headers_of(
        self, form: Mapping[str, str] | None = None, idempotency_key: str | None = None, version: str | None = None
    ) -> dict[str, str]:
        headers = dict(self._headers) if version is None else {**self._headers, "Stripe-Version": version}
        if (identity := request_id.get()) is not None:
            headers["X-Request-Id"] = identity
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return headers

    async def _repeatedly(
        self, call: Call, method: str, url: str, headers: Mapping[str, str], body: str | None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Repeat after a 429, and while another request with the same idempotency key is under way.

        Stripe's last answer counts where Stripe wants no other attempt, an object's limit was met some times, or the
        time budget leaves no room. All attempts of the library together count as one here.
        """
        wait, tries = _BACKOFF, 0
        while True:
            content, status, answered = await self._transport.request_with_retries_async(
                method, url, headers, body, max_network_retries=_RETRIES
            )
            tries += 1
            limit = _limit(status, content, answered)
            if limit is None and not _in_use(status, content):
                return content, status, answered
            pause = max(wait * random.uniform(0.5, 1.5), retry_after(answered) or 0)  # noqa: S311 - spreads load
            if limit is not None:
                await self._heed(limit, call, answered, pause)
            enough = limit is Limit.OBJECT and tries == _TRIES
            unwanted = answered.get("Stripe-Should-Retry") == "false"
            if enough or unwanted or _now() + pause >= call.deadline:
                return content, status, answered
            await asyncio.sleep(pause)
            wait *= 2

    async def _heed(self, limit: Limit, call: Call, headers: Mapping[str, str], pause: float) -> None:
        """Let those wait whom the limit is about; an object's is only this call's own matter."""
        self._metrics.rate_limited.labels(limit.name.lower()).inc()
        reason = headers.get("Stripe-Rate-Limited-Reason")
        facts = {"about": limit.name.lower(), "endpoint": call.endpoint, "reason": reason, "pause": pause}
        _log.warning("Stripe's rate limit was hit", extra=facts)
        if limit is not Limit.OBJECT:
            where = call.endpoint if limit is Limit.ENDPOINT else None
            await self._governor.pause(where, min(pause, LONGEST_PAUSE, self._timeout / 2))

    def _result(self, call: Call, content: bytes, status: int, headers: Mapping[str, str]) -> StripeObject:
        body = _parsed(content)
        if status == HTTPStatus.OK and isinstance(body, dict):
            self.key_rejected = False
            return body
        error = failure(status, body, headers)
        if isinstance(error, StripeKeyRejected):
            self.key_rejected = status == HTTPStatus.UNAUTHORIZED  # 403: a restricted key lacks one right
        if isinstance(error, StripeKeyRejected | StripeRejected):
            log_refusal(call.endpoint, status, body, headers, error.detail)
        raise error


def _require_object(answered: StripeObject) -> None:
    """Require a kind, and what names an object of that kind, which few kinds have not (their `identity` is empty)."""
    kind = answered.get("object")
    resource = RESOURCES.get(kind) if isinstance(kind, str) else None
    nameless = resource is not None and resource.identity == ""
    if not isinstance(kind, str) or (identity_of(answered) is None and not nameless):
        failure = StripeUnavailable("Stripe's answer is not an object.", detail="no object")
        failure.uncertain = True
        raise failure


def _now() -> float:
    return asyncio.get_running_loop().time()


def _with_query(path: str, parameters: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _limit(status: int, content: bytes, headers: Mapping[str, str]) -> Limit | None:
    return limit_reached(status, _parsed(content), headers) if status == HTTPStatus.TOO_MANY_REQUESTS else None


def _in_use(status: int, content: bytes) -> bool:
    return status == HTTPStatus.CONFLICT and b'"idempotency_key_in_use"' in content


def _parsed(content: bytes) -> object:
    """Parse a body, None where it is no JSON."""
    try:
        return parsed(content)
    except ValueError:
        return None


def _cause(error: BaseException) -> str:
    return type(error.__cause__ or error).__name__
