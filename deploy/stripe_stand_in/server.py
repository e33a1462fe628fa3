"""Routes for all calls of all kinds of object in `kinds`, as Stripe documents them.

- the key, and 401 without a valid one: docs.stripe.com/api/authentication; error bodies: docs.stripe.com/api/errors
- parameters: in a form with POST, otherwise in the query, by the API version that the service uses: see `parameters`
- lists and their filters: see `lists`; effects of calls: see `effects`
- `Request-Id` in every answer: docs.stripe.com/api/request_ids; Stripe's own CORS headers as well
- idempotency of every POST: see `idempotency`
- what a browser asks, with a publishable key: see `browsers`; the bank's pages: see `bank_pages`
- a connected account, in the header `Stripe-Account`: docs.stripe.com/connect/authentication
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from urllib.parse import parse_qsl

from aiohttp import web

from deploy.stripe_stand_in import billing, browsers, effects, searches
from deploy.stripe_stand_in.account import Account, Making
from deploy.stripe_stand_in.bank_pages import bank_pages
from deploy.stripe_stand_in.deliveries import Deliveries
from deploy.stripe_stand_in.errors import Object, Result, StripeError, missing_object
from deploy.stripe_stand_in.events import happened, picture
from deploy.stripe_stand_in.expansions import expanded
from deploy.stripe_stand_in.idempotency import Replays
from deploy.stripe_stand_in.kinds import KINDS, Kind
from deploy.stripe_stand_in.limits import ObjectLimits
from deploy.stripe_stand_in.lists import page
from deploy.stripe_stand_in.methods import known
from deploy.stripe_stand_in.parameters import decoded, read, sent_by
from deploy.stripe_stand_in.rights import require_right, right_for

Endpoint = Callable[[web.Request], Awaitable[Result]]
Handler = Callable[[web.Request], Awaitable[web.Response]]

_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"}


class StandIn:
    """Serves one account to requests with `key`. `headers` are added to every answer.

    `rights` are those of a restricted key, None for a key without restrictions. `connected` is the account's ID where
    it is a connected one of the key's platform, and `name` what it is called: then every request must name it. None is
    the key's own account, which no request names. `deliveries` are told of every event; None where there is no webhook
    endpoint.
    """

    def __init__(self, key: str, making: Making | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.key = key
        self.replaced: set[str] = set()  # keys that were rolled and have not expired yet
        self.deliveries: Deliveries | None = None
        self.rights: frozenset[str] | None = None
        self.connected: str | None = None
        self.name = "Bakery"
        self.account = Account(making or Making())
        self.limits = ObjectLimits(self.account.making.now)
        self._replays = Replays(self.account.making.now)
        self._headers = {**_CORS, **(headers or {})}

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [
            *(route for kind in KINDS.values() for route in self._routes_of(kind)),
            *bank_pages(self.account, self._telling),
            browsers.script(),
            browsers.preflights(),
            web.get("/v1/accounts/{id}", self._answering(self._account)),
            web.route("*", "/{anything:.*}", self._answering(_unknown)),
        ]

    def _routes_of(self, kind: Kind) -> Iterator[web.RouteDef]:
        one, several = f"{kind.path}/{{id}}", kind.below or kind.path
        for call in kind.calls:
            answering = partial(self._answering, right=right_for(kind, call))
            change = answering(partial(self._change, kind, call))
            match call:
                case "list":
                    yield web.get(several, answering(partial(self._list, kind)))
                case "search":
                    yield web.get(f"{kind.path}/search", answering(partial(self._search, kind)))
                case "retrieve":
                    own = answering(partial(self._retrieve, kind))
                    yield web.get(one, self._also_for_browsers(kind, call, own))
                case "create":
                    yield web.post(several, answering(partial(self._create, kind)))
                case "create_preview":
                    yield web.post(f"{kind.path}/create_preview", answering(partial(self._preview, kind)))
                case "update":
                    yield web.post(one, change)
                case "delete":
                    yield web.delete(one, change)
                case _:
                    yield web.post(f"{one}/{call}", self._also_for_browsers(kind, call, change))

    def _also_for_browsers(self, kind: Kind, call: str, own: Handler) -> Handler:
        """Answer a publishable key too, where Stripe has the call for browsers; `own` answers the secret one."""
        if (kind.name, call) not in browsers.CALLS:
            return own
        for_browsers = self._answering(partial(browsers.answer, self.account, kind, call), secret=False)

        async def answer(request: web.Request) -> web.Response:
            return await (for_browsers if await browsers.is_one(request) else own)(request)

        return answer

    def _answering(self, endpoint: Endpoint, *, right: str = "", secret: bool = True) -> Handler:
        """Add to an endpoint what all of them share: the key and its right, idempotency, error bodies, headers.

        `secret`: it takes the secret key.
        """

        async def answer(request: web.Request) -> web.Response:
            replayed, extra = False, {}
            self.account.address = str(request.url.origin())
            try:
                if secret:
                    self._authenticate(request)
                    require_right(self.rights if right else None, right, self.key)
                with self._telling():
                    result, replayed = await self.once(request, endpoint)
            except StripeError as error:
                result, extra = error.result, error.headers
            headers = {**self._headers, **extra, "Request-Id": f"req_{self.account.making.token(14)}"}
            if replayed:
                headers["Idempotent-Replayed"] = "true"
            return web.json_response(result[1], status=result[0], headers=headers)

        return answer

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell of what happens to the account while the block runs."""
        if self.deliveries is None:
            yield
            return
        before = picture(self.account)
        try:
            yield
        finally:
            for kind, about in happened(before, picture(self.account)):
                self.deliveries.add(kind, about)

    def _authenticate(self, request: web.Request) -> None:
        if request.headers.getall("Authorization", []) not in [[f"Bearer {key}"] for key in (self.key, *self.replaced)]:
            sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
            raise StripeError(401, f"Invalid API Key provided: {sent[:12]}****{sent[-4:]}")

        named = request.headers.getall("Stripe-Account", [])
        if named != ([] if self.connected is None else [self.connected]):
            raise StripeError(403, f"The key has no access to account {named}.", code="account_invalid")

    async def _account(self, request: web.Request) -> Result:
        if request.match_info["id"] != self.connected:
            raise StripeError(403, "The key has no access to this account.", code="account_invalid")
        named = {"business_profile": {"name": None}, "settings": {"dashboard": {"display_name": self.name}}}
        return 200, {"id": self.connected, "object": "account", **named}

    async def once(self, request: web.Request, endpoint: Endpoint) -> tuple[Result, bool]:
        """Answer a request, or repeat the first answer to its key; the flag tells a repeated answer."""
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST":
            return await endpoint(request), False
        intent = (request.raw_path, sorted(parse_qsl(await request.text(), keep_blank_values=True)))
        recalled = self._replays.recall(key, intent)
        if recalled is not None:
            return recalled, True
        with self._replays.working(key):
            result = await endpoint(request)
        self._replays.keep(key, intent, result)
        return result, False

    async def _list(self, kind: Kind, request: web.Request) -> Result:
        query, expand = await read_request(kind, "list", request)
        self.account.check_filters(query)
        listed = page(self.account.objects[kind.name], query | self._owner(request), request.path)
        return 200, expanded(self.account, listed, expand)

    async def _search(self, kind: Kind, request: web.Request) -> Result:
        query, _ = await read_request(kind, "search", request)
        now = self.account.making.now()
        return 200, searches.found(kind.name, self.account.objects[kind.name], query, request.path, now)

    def _owner(self, request: web.Request) -> Object:
        """Give the customer that the path names. Raises StripeError for one that is not known."""
        named = {name: value for name, value in request.match_info.items() if name == "customer"}
        for customer in named.values():
            self.account.find("customer", customer, "customer", 404)
        return named

    async def _retrieve(self, kind: Kind, request: web.Request) -> Result:
        _, expand = await read_request(kind, "retrieve", request)
        found = effects.shown(self.account.find(kind.name, request.match_info["id"], "id", 404))
        return 200, expanded(self.account, found, expand)

    async def _create(self, kind: Kind, request: web.Request) -> Result:
        values, expand = await read_request(kind, "create", request)
        if kind.name == "ephemeral_key" and "Stripe-Version" not in request.headers:
            raise StripeError(400, "Ephemeral keys are made for one version of the API: pass it in Stripe-Version.")
        status, made = await self.create(kind, values | self._owner(request))
        return status, expanded(self.account, made, expand)

    async def create(self, kind: Kind, values: Object) -> Result:
        return 200, effects.create(self.account, kind.name, values)

    async def _preview(self, kind: Kind, request: web.Request) -> Result:
        values, expand = await read_request(kind, "create_preview", request)
        return 200, expanded(self.account, billing.preview(self.account, values), expand)

    async def _change(self, kind: Kind, call: str, request: web.Request) -> Result:
        values, expand = await read_request(kind, call, request)
        object_id = request.match_info["id"]
        named = known(self.account, object_id) if (kind.name, call) == ("payment_method", "attach") else object_id
        found = self.account.find(kind.name, named, "id", 404)
        if found.get("deleted"):
            raise missing_object(kind.name, found["id"], "id", 404)
        self.limits.count(kind.name, found["id"])
        return 200, expanded(self.account, effects.change(self.account, kind.name, call, found, values), expand)


async def read_request(kind: Kind, call: str, request: web.Request) -> tuple[Object, list[str]]:
    """Read a call's parameters, and what to write out in its answer. Raises StripeError."""
    values = decoded(await sent_by(request))
    expand = values.pop("expand", [])
    return read(kind.takes(call), values), expand if isinstance(expand, list) else [str(expand)]


async def _unknown(request: web.Request) -> Result:
    raise StripeError(404, f"Unrecognized request URL ({request.method}: {request.path}).")
