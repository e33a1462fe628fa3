"""A customer portal on the real Directus: items that belong to people and to organizations, and their customers.

Each test has its own sidecar in this process, a Stripe double, and a proxy to Directus that records the requests.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from tests.doubles.invariants import directus_saw_one_credential, stripe_saw_the_key_alone
from tests.doubles.proxy import Proxy, proxy_for
from tests.doubles.server import Recorded
from tests.doubles.stripe import Object, StripeDouble
from tests.doubles.wire import Answer
from tests.integration.asking import Headers, ask, served

ID = "stripe_customer_id"
Action = Literal["create", "read", "update", "delete", "share"]
Item = Mapping[str, object]

OWN: Item = {"owner": {"_eq": "$CURRENT_USER"}}
ORGANIZATIONS: Item = {"organization": {"manager": {"_eq": "$CURRENT_USER"}}}

_KEY = {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}}
_TEXTS = ("name", "email", "phone")


@dataclass(frozen=True, slots=True)
class Collections:
    """The names of two collections: the customers' items, and the organizations that they may belong to."""

    customers: str
    organizations: str

    def rule(self, action: Action, fields: tuple[str, ...] | None = ("*",), item: Item | None = None) -> Rule:
        return Rule(self.customers, action, fields, item)


@asynccontextmanager
async def collections(stack: Stack) -> AsyncIterator[Collections]:
    """Create both, the first with `owner` and `organization`, the second with `manager`."""
    mark = secrets.token_hex(4)
    names = Collections(f"portal_{mark}", f"organizations_{mark}")
    request, users = stack.admin.request, "directus_users"
    texts = [{"field": ID, "type": "string", "schema": {"is_unique": True}}]
    texts += [{"field": name, "type": "string", "schema": {}} for name in _TEXTS]
    links = [
        {"field": "owner", "type": "uuid", "schema": {}},
        {"field": "organization", "type": "integer", "schema": {}},
    ]
    manager = {"field": "manager", "type": "uuid", "schema": {}}
    try:
        await _create(stack, names.organizations, [_KEY, manager])
        await _create(stack, names.customers, [_KEY, *texts, *links])
        for collection, field_name, related in (
            (names.organizations, "manager", users),
            (names.customers, "owner", users),
            (names.customers, "organization", names.organizations),
        ):
            relation = {"collection": collection, "field": field_name, "related_collection": related}
            await request("POST", "/relations", relation)
        yield names
    finally:
        for collection in (names.customers, names.organizations):
            await request("DELETE", f"/collections/{collection}")


async def _create(stack: Stack, collection: str, fields: list[dict[str, Any]]) -> None:
    body = {"collection": collection, "schema": {}, "meta": {}, "fields": fields}
    await stack.admin.request("POST", "/collections", body)


@dataclass(frozen=True, slots=True)
class Portal:
    """`directus` records the sidecar's requests to Directus, `stripe` those to Stripe."""

    stack: Stack
    names: Collections
    directus: Proxy
    stripe: StripeDouble
    settings: Mapping[str, str]
    url: str
    tokens: set[str] = field(default_factory=set)

    async def ask(self, person: Person, target: str, *, headers: Headers = ()) -> Answer:
        self.tokens.add(person.token)
        return await ask(self.url, f"/stripe{target}", person.token, headers=headers)

    async def create(self, person: Person, **body: object) -> Answer:
        self.tokens.add(person.token)
        return await ask(self.url, "/stripe/customers", person.token, new={"email": "ada@example.com", **body})

    async def ids(self, person: Person, target: str) -> list[object]:
        """Give the IDs of a list's objects in order."""
        answer = await self.ask(person, target)
        assert answer.status == 200, answer.body
        return [entry["id"] for entry in answer.json()]

    async def customer(self, *, payments: int = 1, **values: object) -> str:
        """Create a customer with payments at Stripe, and the item that names it; give its ID."""
        who = {name: values.get(name, f"{name} of this customer") for name in _TEXTS}
        customer_id = str(self.stripe.add_customer(**who)["id"])
        self.stripe.add_payments(payments, customer=customer_id)
        await self.item(**{**who, **values, ID: customer_id})
        return customer_id

    async def item(self, **values: object) -> int:
        return int((await self.stack.admin.request("POST", self.path, values))["id"])

    async def change(self, customer_id: str, **values: object) -> None:
        """Change the item that names a customer, as an administrator."""
        query = {"filter": {ID: {"_eq": customer_id}}}
        [_] = await self.stack.admin.request("PATCH", self.path, {"query": query, "data": values})

    async def organization(self, manager: Person | None = None) -> int:
        body = {"manager": manager.id if manager else None}
        row = await self.stack.admin.request("POST", f"/items/{self.names.organizations}", body)
        return int(row["id"])

    @property
    def path(self) -> str:
        return f"/items/{self.names.customers}"

    @property
    def row_queries(self) -> list[Recorded]:
        return [request for request in self.directus.requests if request.path == self.path]

    def asked_by(self, person: Person) -> list[Recorded]:
        """Give the requests to Directus with this person's token; the service's own are others."""
        return [each for each in self.directus.requests if each.values("Authorization") == [f"Bearer {person.token}"]]

    def payments_of(self, *customers: str) -> list[Object]:
        return [payment for payment in self.stripe.payments if payment["customer"] in customers]

    def check_credentials(self) -> None:
        """Fail unless each request to an upstream had exactly the right credential."""
        for request in self.directus.requests:
            directus_saw_one_credential(request, self.tokens)
        for request in self.stripe.requests:
            if request.values("User-Agent") == ["directus-stripe-sidecar"]:  # the reference asks Stripe too
                stripe_saw_the_key_alone(request)

    def forget_requests(self) -> None:
        self.check_credentials()
        self.directus.requests.clear()
        self.stripe.requests.clear()

    async def empty(self) -> None:
        """Delete all items, since an owner of items cannot be deleted."""
        everything = {"query": {"filter": {"id": {"_nnull": True}}, "limit": -1}}
        for collection in (self.names.customers, self.names.organizations):
            await self.stack.admin.request("DELETE", f"/items/{collection}", everything)

    @asynccontextmanager
    async def other(self, **settings: str) -> AsyncIterator["Portal"]:
        """Give one more sidecar with the same Directus and Stripe, and other settings."""
        async with served({**self.settings, **settings}) as url:
            yield Portal(self.stack, self.names, self.directus, self.stripe, self.settings, url, self.tokens)


def _service_token(stack: Stack) -> str:
    return Path(stack.settings["DIRECTUS_SERVICE_TOKEN_FILE"]).read_text(encoding="ascii").strip()


@asynccontextmanager
async def open_portal(stack: Stack, names: Collections, stripe: StripeDouble) -> AsyncIterator[Portal]:
    """Open a portal that remembers no permission, so that a change in Directus counts at the next request."""
    service = _service_token(stack)
    async with proxy_for(stack.directus.url) as directus:
        settings = {
            **stack.settings,
            "DIRECTUS_URL": directus.url,
            "DIRECTUS_SERVICE_TOKEN": service,
            "STRIPE_API_BASE": stripe.url,
            "STRIPE_LIVE_SECRET_KEY": stripe.key,
            "STRIPE_CUSTOMERS_COLLECTION": names.customers,
            "STRIPE_MAX_RPS": "10000",
            "PERMISSIONS_CACHE_TTL": "0.001",
            "PERMISSIONS_DENIED_TTL": "0.001",
        }
        async with served(settings) as url:
            portal = Portal(stack, names, directus, stripe, settings, url, {service})
            try:
                yield portal
                portal.check_credentials()
            finally:
                await portal.empty()
