"""The crash tests' equipment: real sidecar processes, a real Directus, and a Stripe that honors idempotency keys."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from deploy.demo import children
from deploy.demo.admin import Person
from deploy.demo.processes import Server, environment
from deploy.demo.progress import Fault
from tests.doubles.ledger import StripeLedger
from tests.doubles.proxy import Proxy
from tests.integration.commands import PROJECT, ROOT, Ended, Place

_TRIES = 2
_DEADLINE = aiohttp.ClientTimeout(total=60)


@dataclass(frozen=True, slots=True)
class Answer:
    """A caller's answer; `status` 0 means that the connection ended without an answer."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def customer(self) -> str:
        return str(self.body["id"])

    @property
    def outcome(self) -> str:
        """Give the status, and the code and message of an error."""
        if "errors" in self.body:
            return f"{self.status} {self.error['code']} {self.body['errors'][0]['message']}"
        return str(self.status or "cut off")

    @property
    def error(self) -> dict[str, Any]:
        extensions: dict[str, Any] = self.body["errors"][0]["extensions"]
        return extensions


@dataclass(frozen=True, slots=True)
class Rig:
    """The sidecars reach Directus through `proxy`; the tests reach it directly."""

    place: Place
    service_token: str
    clerk: Person
    proxy: Proxy
    stripe: StripeLedger
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        return {
            **self.place.settings,
            "DIRECTUS_URL": self.proxy.url,
            "DIRECTUS_SERVICE_TOKEN": self.service_token,
            "DIRECTUS_SERVICE_TOKEN_FILE": "",
            "STRIPE_API_BASE": self.stripe.url,
            "STRIPE_LIVE_SECRET_KEY": self.stripe.key,
            "STRIPE_OPERATIONS": "",  # the demo's settings are for its own collection
            "STRIPE_WRITE_BACK": "true",
            "DIRECTUS_PROJECT": PROJECT,
            "DIRECTUS_TIMEOUT": "15",  # a busy machine is no outage; tests make outages on purpose
            "DIRECTUS_CONNECT_TIMEOUT": "5",
            **self.extra,
        }

    @asynccontextmanager
    async def sidecar(self, **settings: str) -> AsyncIterator[Server]:
        """Start a sidecar; it is killed at the end, since these tests are not about a graceful shutdown."""
        async with AsyncExitStack() as exits:
            server = await self._started(exits, self.settings | settings)
            exits.callback(server.popen.kill)
            yield server

    async def _started(self, exits: AsyncExitStack, settings: dict[str, str]) -> Server:
        """Try another port if another process took the free one: with hundreds of sidecars that happens."""
        for _ in range(_TRIES):
            with suppress(Fault):
                return await exits.enter_async_context(self.place.stack.sidecar(**settings))
        return await exits.enter_async_context(self.place.stack.sidecar(**settings))

    async def reconciling(self, *arguments: str, **settings: str) -> asyncio.subprocess.Process:
        return await children.spawn(
            [sys.executable, "-m", "sidecar", "reconcile", *arguments],
            env=environment({"PYTHONPATH": str(ROOT), **self.settings, **settings}),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def reconcile(self, *arguments: str, **settings: str) -> Ended:
        process = await self.reconciling(*arguments, **settings)
        try:
            out, err = await asyncio.wait_for(process.communicate(), 60)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def create(
        self,
        server: Server,
        *,
        item: object = None,
        email: str = "ada@example.com",
        by: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """POST a customer as the clerk, or with the token `by`; `key` is the client's Idempotency-Key."""
        headers = {"Authorization": f"Bearer {by or self.clerk.token}"} | ({"Idempotency-Key": key} if key else {})
        body = {"email": email} if item is None else {"email": email, "item": item}
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=_DEADLINE) as session,
                session.post(f"{server.url}/stripe/customers", json=body) as answer,
            ):
                return Answer(answer.status, await answer.json(), dict(answer.headers))
        except aiohttp.ClientError:
            return Answer(0, {}, {})

    async def new_item(self, **values: object) -> Any:  # noqa: ANN401 - a primary key is a number or a text
        row = await self.place.stack.admin.request("POST", self.place.items, values)
        return row["id"]

    async def put(self, item: object, customer: str | None) -> None:
        """Write the ID field as an administrator."""
        change = {self.place.field: customer}
        await self.place.stack.admin.request("PATCH", f"{self.place.items}/{item}", change)

    def customer_of(self, item: object, *, project: str = PROJECT, **attributes: object) -> str:
        """Add a customer whose metadata names an item of the collection."""
        return str(self.stripe.add_customer(metadata=self.place.signed(item, project), **attributes)["id"])

    async def customers_by_item(self) -> dict[Any, str | None]:
        """Read every item with its customer's ID."""
        query = f"?fields=id,{self.place.field}&limit=-1&sort=id"
        rows = await self.place.stack.admin.request("GET", self.place.items + query)
        return {row["id"]: row[self.place.field] for row in rows}

    def named(self) -> dict[str, str]:
        """Give the named item of each customer that is not deleted."""
        return {str(one["id"]): _item_of(one) for one in self.stripe.alive}

    async def assert_one_to_one(self) -> None:
        """W1: every customer is in exactly one item, the one it names; no item has two customers, and none is lost."""
        linked = {customer: str(item) for item, customer in (await self.customers_by_item()).items() if customer}
        assert linked == self.named()
        assert len(set(linked.values())) == len(linked)


def _item_of(customer: Mapping[str, object]) -> str:
    metadata = customer["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["directus_item"])
