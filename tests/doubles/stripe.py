"""Stripe as far as the sidecar asks it: every kind of object in `stripe_kinds`, on the wire as documented.

- a key, and 401 without a good one: docs.stripe.com/api/authentication; error bodies: docs.stripe.com/api/errors
- lists and their filters, `created[gte|gt|lte|lt]` among them: see `stripe_lists`
- parameters, read as the API version that is asked for has them: see `stripe_parameters`
- what calls change: see `stripe_account` and `stripe_effects`
- a deleted customer is answered with `deleted`: docs.stripe.com/api/customers/retrieve
- `Request-Id` on every answer: docs.stripe.com/api/request_ids
- idempotency, of every POST: see `Replays`

Every answer also carries headers that must not travel on: a cookie, a location and Stripe's CORS.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from urllib.parse import parse_qsl

from aiohttp import web

from tests.doubles import stripe_effects as effects
from tests.doubles.server import Double, Recorded
from tests.doubles.stripe_account import CLIENT_SECRET, Account
from tests.doubles.stripe_errors import Object, Replays, Result, StripeError, missing_object
from tests.doubles.stripe_kinds import CUSTOMER, KINDS, PAYMENT, Kind
from tests.doubles.stripe_lists import page
from tests.doubles.stripe_parameters import decoded, read

__all__ = ["CLIENT_SECRET", "Object", "Result", "StripeDouble", "StripeError", "is_probe"]

Endpoint = Callable[[web.Request], Awaitable[Result]]
Change = Callable[[Account, Object, Object], Object]

_FORM = "application/x-www-form-urlencoded"
_NOT_OURS = {
    "Set-Cookie": "stripe_cookie=1; Path=/",
    "Location": "https://stripe.invalid/elsewhere",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
}
_CHANGES: dict[tuple[str, str], Change] = {
    ("customer", "update"): effects.update,
    ("subscription", "update"): effects.update,
    ("subscription", "delete"): effects.cancel_subscription,
    ("payment_intent", "cancel"): effects.cancel_payment,
    ("payment_method", "detach"): effects.detach,
}


class StripeDouble(Double):
    """`add` puts an object into the account, whose lists are newest first in `objects`.

    Every creation waits for `creating`, in its midst, to be set.
    """

    def __init__(self) -> None:
        super().__init__()
        self.key = "sk_test_double"
        self.account = Account()
        self.objects = self.account.objects
        self.replays = Replays()
        self.creating = asyncio.Event()
        self.creating.set()

    @property
    def customers(self) -> list[Object]:
        return self.objects[CUSTOMER.name]

    @property
    def payments(self) -> list[Object]:
        return self.objects[PAYMENT.name]

    @property
    def asked(self) -> list[Recorded]:
        """All requests but the sidecar's own trial of its key."""
        return [request for request in self.requests if not is_probe(request)]

    def add(self, kind: str, /, **attributes: object) -> Object:
        """Create an object as if it had been there; a refund that names no payment is of one made for it.

        A subscription has one item unless `items` says otherwise.
        """
        return self.add_customer(**attributes) if kind == CUSTOMER.name else self.account.add(kind, attributes)

    def add_customer(self, **attributes: object) -> Object:
        return self.account.add(CUSTOMER.name, attributes)

    def add_payment(self, **attributes: object) -> Object:
        return self.account.add(PAYMENT.name, attributes)

    def add_payments(self, number: int, **attributes: object) -> list[str]:
        """Give the new IDs in the order of a list, newest first."""
        return [str(self.add_payment(**attributes)["id"]) for _ in range(number)][::-1]

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [
            *(route for kind in KINDS.values() for route in self._routes_of(kind)),
            web.route("*", "/{anything:.*}", self._answering(_unknown)),
        ]

    def _routes_of(self, kind: Kind) -> Iterator[web.RouteDef]:
        one = f"{kind.path}/{{id}}"
        create = self._create_customer if kind is CUSTOMER else partial(self._create, kind)
        listed = self._list_customers if kind is CUSTOMER else partial(self._list, kind)
        for call in kind.calls:
            change = self._answering(partial(self._change, kind, call))
            match call:
                case "list":
                    yield web.get(kind.path, self._answering(listed))
                case "retrieve":
                    yield web.get(one, self._answering(partial(self._retrieve, kind)))
                case "create":
                    yield web.post(kind.path, self._answering(create))
                case "create_preview":
                    yield web.post(f"{kind.path}/create_preview", self._answering(partial(self._preview, kind)))
                case "update":
                    yield web.post(one, change)
                case "delete":
                    yield web.delete(one, change)
                case _:
                    yield web.post(f"{one}/{call}", change)

    def _answering(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Wrap an endpoint in what all of them share: the key, idempotency, error bodies, headers."""

        async def answer(request: web.Request) -> web.Response:
            replayed = False
            try:
                self._authenticate(request)
                result, replayed = await self._once(request, endpoint)
            except StripeError as error:
                result = error.result
            headers = {**_NOT_OURS, "Request-Id": f"req_{next(self.account.numbers):014}"}
            if replayed:
                headers["Idempotent-Replayed"] = "true"
            return web.json_response(result[1], status=result[0], headers=headers)

        return answer

    def _authenticate(self, request: web.Request) -> None:
        if request.headers.getall("Authorization", []) != [f"Bearer {self.key}"]:
            sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
            raise StripeError(401, f"Invalid API Key provided: {sent[:12]}****{sent[-4:]}")

    async def _once(self, request: web.Request, endpoint: Endpoint) -> tuple[Result, bool]:
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
        self.replays.results[key] = (intent, copy.deepcopy(result))  # the object may change, the result does not
        return result, False

    async def _list_customers(self, request: web.Request) -> Result:
        return await self._list(CUSTOMER, request)

    async def _create_customer(self, request: web.Request) -> Result:
        return await self._create(CUSTOMER, request)

    async def _list(self, kind: Kind, request: web.Request) -> Result:
        query = await _read(kind, "list", request)
        return 200, page(self.objects[kind.name], query, request.path)

    async def _retrieve(self, kind: Kind, request: web.Request) -> Result:
        await _read(kind, "retrieve", request)
        found = self.account.find(kind.name, request.match_info["id"], "id", 404)
        gone: Object = {"id": found["id"], "object": kind.name, "deleted": True}
        return 200, gone if found.get("deleted") else found

    async def _create(self, kind: Kind, request: web.Request) -> Result:
        values = await _read(kind, "create", request)
        attributes = effects.attributes(self.account, kind.name, values)
        await self.creating.wait()
        return 200, self.add(kind.name, **attributes)

    async def _preview(self, kind: Kind, request: web.Request) -> Result:
        return 200, effects.preview(self.account, await _read(kind, "create_preview", request))

    async def _change(self, kind: Kind, call: str, request: web.Request) -> Result:
        values = await _read(kind, call, request)
        found = self.account.find(kind.name, request.match_info["id"], "id", 404)
        if found.get("deleted"):
            raise missing_object(kind.name, found["id"], "id", 404)
        return 200, _CHANGES[kind.name, call](self.account, found, values)


async def _read(kind: Kind, call: str, request: web.Request) -> Object:
    """Read the parameters of a call, which stand in the query, or with POST in a form. Raises StripeError."""
    if request.method == "POST" and request.can_read_body and request.content_type != _FORM:
        raise StripeError(400, "Parameters come as a form.")
    sent = await request.text() if request.method == "POST" else request.rel_url.raw_query_string
    return read(kind.takes(call), decoded(sent))


def is_probe(request: Recorded) -> bool:
    """Tell the sidecar's trial of its key, at its start and while that key is refused, from a caller's request."""
    return request.method == "GET" and request.target == "/v1/customers?limit=1"


async def _unknown(request: web.Request) -> Result:
    raise StripeError(404, f"Unrecognized request URL ({request.method}: {request.path}).")
