"""Stripe as far as the sidecar asks it: customers and PaymentIntents, on the wire as documented.

- a key, and 401 without a good one: docs.stripe.com/api/authentication; error bodies: docs.stripe.com/api/errors
- lists newest first, `limit` 1 to 100, `starting_after`, `ending_before`, `has_more`: docs.stripe.com/api/pagination
- filters, `created[gte|gt|lte|lt]` among them: docs.stripe.com/api/payment_intents/list, …/customers/list
- a deleted customer is answered with `deleted`: docs.stripe.com/api/customers/retrieve
- `Request-Id` on every answer: docs.stripe.com/api/request_ids
- idempotency: see `Replays`

Objects have the shape of Stripe's own examples (fixtures.json). Every answer also carries headers that must
not travel on: a cookie, a location and Stripe's CORS.
"""

import asyncio
import copy
import json
import operator
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import parse_qsl

from aiohttp import web

from tests.doubles.server import Double, Recorded

Object = dict[str, object]
Result = tuple[int, Object]

CLIENT_SECRET = "_secret_MARKEDclientSECRET"
_TEMPLATES: dict[str, Object] = json.loads((Path(__file__).parent / "fixtures.json").read_text())
_NOT_OURS = {
    "Set-Cookie": "stripe_cookie=1; Path=/",
    "Location": "https://stripe.invalid/elsewhere",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
}
_BOUNDS = {"gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt}
_OF_EVERY_LIST = {"limit", "starting_after", "ending_before", *(f"created[{bound}]" for bound in _BOUNDS)}
_MEMBER = re.compile(r"(\w+)\[(\w+)\]")
_ATTRIBUTES = {"email", "name", "phone", "description", "address", "preferred_locales", "metadata"}


class StripeError(Exception):
    def __init__(self, status: int, message: str, **facts: str) -> None:
        super().__init__(message)
        self.result: Result = (status, {"error": {"type": "invalid_request_error", "message": message, **facts}})


@dataclass(slots=True)
class Replays:
    """Idempotency as docs.stripe.com/api/idempotent_requests has it: a key's first result, a 500 too, is given again.

    Keys have up to 255 characters. The same key with another endpoint or other parameters is an
    `idempotency_error`. Nothing is kept where a request failed validation or came while the first one with
    its key was under way. That is `idempotency_key_in_use` (docs.stripe.com/error-codes); its type is not documented.
    """

    results: dict[str, tuple[object, Result]] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)

    def recall(self, key: str, intent: object) -> Result | None:
        if len(key) > 255:
            raise StripeError(400, "Idempotency keys may have 255 characters at most.")
        if key in self.under_way:
            raise StripeError(409, "Another request with this key is in progress.", code="idempotency_key_in_use")
        if key not in self.results:
            return None
        first, result = self.results[key]
        if first != intent:
            raise StripeError(400, f"The key {key} was first used with other parameters.", type="idempotency_error")
        return result


class StripeDouble(Double):
    """`customers` and `payments` are newest first; every creation waits for `creating`, in its midst, to be set."""

    def __init__(self) -> None:
        super().__init__()
        self.key = "sk_test_double"
        self.customers: list[Object] = []
        self.payments: list[Object] = []
        self.replays = Replays()
        self.creating = asyncio.Event()
        self.creating.set()
        self._numbers = count(1)

    @property
    def asked(self) -> list[Recorded]:
        """All requests but the sidecar's own trial of its key."""
        return [request for request in self.requests if not is_probe(request)]

    def add_customer(self, **attributes: object) -> Object:
        return self._add(self.customers, "customer", f"cus_{next(self._numbers):014}", attributes)

    def add_payment(self, **attributes: object) -> Object:
        payment_id = f"pi_{next(self._numbers):024}"
        attributes = {"client_secret": payment_id + CLIENT_SECRET, **attributes}
        return self._add(self.payments, "payment_intent", payment_id, attributes)

    def add_payments(self, number: int, **attributes: object) -> list[str]:
        """Give the new IDs in the order of a list, newest first."""
        return [str(self.add_payment(**attributes)["id"]) for _ in range(number)][::-1]

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [
            web.get("/v1/customers", self._answering(self._list_customers)),
            web.post("/v1/customers", self._answering(self._create_customer)),
            web.get("/v1/customers/{id}", self._answering(self._retrieve_customer)),
            web.get("/v1/payment_intents", self._answering(self._list_payments)),
            web.route("*", "/{anything:.*}", self._answering(_unknown)),
        ]

    def _add(self, objects: list[Object], kind: str, identifier: str, attributes: Mapping[str, object]) -> Object:
        created = 1_700_000_000 + next(self._numbers)
        new = {**copy.deepcopy(_TEMPLATES[kind]), "id": identifier, "created": created, **attributes}
        objects.insert(0, new)
        return new

    def _answering(
        self, endpoint: Callable[[web.Request], Awaitable[Result]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Wrap an endpoint in what all of them share: the key, idempotency, error bodies, headers."""

        async def answer(request: web.Request) -> web.Response:
            replayed = False
            try:
                self._authenticate(request)
                result, replayed = await self._once(request, endpoint)
            except StripeError as error:
                result = error.result
            headers = {**_NOT_OURS, "Request-Id": f"req_{next(self._numbers):014}"}
            if replayed:
                headers["Idempotent-Replayed"] = "true"
            return web.json_response(result[1], status=result[0], headers=headers)

        return answer

    def _authenticate(self, request: web.Request) -> None:
        if request.headers.getall("Authorization", []) != [f"Bearer {self.key}"]:
            sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
            raise StripeError(401, f"Invalid API Key provided: {sent[:12]}****{sent[-4:]}")

    async def _once(
        self, request: web.Request, endpoint: Callable[[web.Request], Awaitable[Result]]
    ) -> tuple[Result, bool]:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST":
            return await endpoint(request), False
        intent = (request.raw_path, sorted(parse_qsl(await request.text(), keep_blank_values=True)))
        recalled = self.replays.recall(key, intent)
        if recalled is not None:
            return recalled, True
        self.replays.under_way.add(key)
        try:
            result = await endpoint(request)
        finally:
            self.replays.under_way.discard(key)
        self.replays.results[key] = (intent, result)
        return result, False

    async def _list_customers(self, request: web.Request) -> Result:
        return _page(self.customers, request, {"email"})

    async def _list_payments(self, request: web.Request) -> Result:
        return _page(self.payments, request, {"customer"})

    async def _retrieve_customer(self, request: web.Request) -> Result:
        wanted = request.match_info["id"]
        for customer in self.customers:
            if customer["id"] == wanted:
                deleted = {"id": wanted, "object": "customer", "deleted": True}
                return 200, deleted if customer.get("deleted") else customer
        raise StripeError(404, f"No such customer: '{wanted}'", code="resource_missing", param="id")

    async def _create_customer(self, request: web.Request) -> Result:
        if request.content_type != "application/x-www-form-urlencoded":
            raise StripeError(400, "Parameters come as a form.")
        attributes = _nested(parse_qsl(await request.text(), keep_blank_values=True))
        for name in set(attributes) - _ATTRIBUTES:
            raise StripeError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        await self.creating.wait()
        return 200, self.add_customer(**attributes)


def is_probe(request: Recorded) -> bool:
    """Tell the sidecar's trial of its key, at its start and while that key is refused, from a caller's request."""
    return request.method == "GET" and request.target == "/v1/customers?limit=1"


async def _unknown(request: web.Request) -> Result:
    raise StripeError(404, f"Unrecognized request URL ({request.method}: {request.path}).")


def _page(objects: Sequence[Object], request: web.Request, filters: set[str]) -> Result:
    query = request.query
    for name in set(query) - filters - _OF_EVERY_LIST:
        raise StripeError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    found = [entry for entry in objects if all(entry.get(name) == query[name] for name in filters & set(query))]
    found = [entry for entry in found if _in_time(entry, query)]
    limit = _number(query, "limit") if "limit" in query else 10
    if not 1 <= limit <= 100:
        raise StripeError(400, "Invalid integer", code="parameter_invalid_integer", param="limit")
    if "ending_before" in query:
        end = _place(found, query["ending_before"], "ending_before")
        start = max(0, end - limit)
        more = start > 0
    else:
        start = _place(found, query["starting_after"], "starting_after") + 1 if "starting_after" in query else 0
        end, more = start + limit, start + limit < len(found)
    return 200, {"object": "list", "url": request.path, "has_more": more, "data": found[start:end]}


def _in_time(entry: Object, query: Mapping[str, str]) -> bool:
    created = entry["created"]
    assert isinstance(created, int)
    return all(
        holds(created, _number(query, f"created[{bound}]"))
        for bound, holds in _BOUNDS.items()
        if f"created[{bound}]" in query
    )


def _number(query: Mapping[str, str], name: str) -> int:
    if not query[name].isdecimal():
        raise StripeError(400, f"Invalid integer: {query[name]}", code="parameter_invalid_integer", param=name)
    return int(query[name])


def _place(found: Sequence[Object], cursor: str, parameter: str) -> int:
    for index, entry in enumerate(found):
        if entry["id"] == cursor:
            return index
    raise StripeError(400, f"No such object: '{cursor}'", code="resource_missing", param=parameter)


def _nested(pairs: Sequence[tuple[str, str]]) -> Object:
    """Read Stripe's form: `metadata[item]=7` is a member of `metadata`."""
    values: Object = {}
    for name, value in pairs:
        member = _MEMBER.fullmatch(name)
        if member is None:
            values[name] = value
            continue
        inner = values.setdefault(member[1], {})
        assert isinstance(inner, dict)
        inner[member[2]] = value
    return values
