"""A collection whose items follow Stripe's customers on a real Directus, and the sidecars that see to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from deploy.demo.admin import DirectusAdmin
from deploy.demo.processes import Server
from deploy.demo.progress import Fault
from deploy.demo.stack import Stack
from tests.doubles.events import PATH, SECRET, headers
from tests.doubles.pause import Pause
from tests.doubles.proxy import Proxy, proxy_for
from tests.doubles.server import Recorded
from tests.doubles.stripe import Object, StripeDouble
from tests.doubles.wire import Answer, exchange, request_bytes
from tests.integration.asking import served
from tests.integration.commands import Place, place, token_of

UPDATED, DELETED = "customer.updated", "customer.deleted"
FIELD_MAP = json.dumps({"name": "name", "email": "email", "home": "address", "label": "preferred_locales"})


@dataclass(frozen=True, slots=True)
class WebhookRig:
    """A collection with the service that updates it from events: in this process, or with `process` in its own.

    Items have the texts `name`, `email`, `label` and `note` and the JSON `home`. `directus` is the sidecars' proxy.
    """

    place: Place
    token: str
    directus: Proxy
    stripe: StripeDouble
    url: str = ""

    @property
    def settings(self) -> dict[str, str]:
        return {
            **self.place.settings,
            "DIRECTUS_URL": self.directus.url,
            "DIRECTUS_SERVICE_TOKEN": self.token,
            "DIRECTUS_SERVICE_TOKEN_FILE": "",
            "DIRECTUS_TIMEOUT": "15",  # a busy machine is no outage; tests make outages on purpose
            "STRIPE_API_BASE": self.stripe.url,
            "STRIPE_LIVE_SECRET_KEY": self.stripe.key,
            "STRIPE_FIELD_MAP": FIELD_MAP,
            "STRIPE_OPERATIONS": "",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_WRITE_BACK": "true",
            "TRUSTED_PROXIES": "127.0.0.1",
        }

    @property
    def admin(self) -> DirectusAdmin:
        return self.place.stack.admin

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Server]:
        """One more sidecar, killed at the end."""
        async with AsyncExitStack() as exits:
            server = await self._started(exits)
            exits.callback(server.popen.kill)
            yield server

    async def post_twice(self, body: bytes, pause: Pause) -> tuple[Answer, Answer]:
        """Send an event to a process that is killed at the pause, then to the one of the rig."""
        async with self.process() as first:
            sent = asyncio.create_task(self.post(body, first.url))
            await pause.reached.wait()
            first.popen.kill()
            killed = await sent
        pause.release()
        return killed, await self.post(body)

    async def _started(self, exits: AsyncExitStack) -> Server:
        """Try another port if another process took the free one meanwhile."""
        with suppress(Fault):
            return await exits.enter_async_context(self.place.stack.sidecar(**self.settings))
        return await exits.enter_async_context(self.place.stack.sidecar(**self.settings))

    async def post(self, body: bytes, url: str | None = None, *, at: int | None = None) -> Answer:
        """Send an event that was signed `at` a Unix time, by default now."""
        port = urlsplit(url or self.url).port
        assert port is not None
        signed = headers(body) if at is None else headers(body, at=at)
        return await exchange(port, request_bytes("POST", PATH, signed, body))

    @asynccontextmanager
    async def granting(self, **permissions: Mapping[str, object]) -> AsyncIterator[None]:
        """Change the service's permission of each named action, and change it back afterwards."""
        there = {row["action"]: row for row in (await self.place.policy())["permissions"] if self._on_items(row)}
        for action, changes in permissions.items():
            await self.admin.request("PATCH", f"/permissions/{there[action]['id']}", changes)
        try:
            yield
        finally:
            for action, changes in permissions.items():
                former = {name: there[action][name] for name in changes}
                await self.admin.request("PATCH", f"/permissions/{there[action]['id']}", former)

    def _on_items(self, permission: Mapping[str, object]) -> bool:
        return permission["collection"] == self.place.collection

    async def known(self, **values: object) -> tuple[Object, Any]:
        """Create a customer, and an item with the same values or with these; give the customer and the item's key."""
        customer = self.stripe.add_customer(name="Ada", email="ada@example.com", address=None, preferred_locales=[])
        item = {"name": "Ada", "email": "ada@example.com", "label": "[]", "note": "ours", "home": None}
        row = await self.admin.request("POST", self.place.items, {**item, self.place.field: customer["id"], **values})
        return customer, row["id"]

    async def may_repeat_ids(self) -> None:
        """Let several items have one customer, as where the ID field was made by hand."""
        field = f"/fields/{self.place.collection}/{self.place.field}"
        await self.admin.request("PATCH", field, {"schema": {"is_unique": False}})

    async def linked(self, customer: Object, **values: object) -> Any:  # noqa: ANN401 - as Directus gives it
        """Add an item of this customer and give its key."""
        row = await self.admin.request("POST", self.place.items, {self.place.field: customer["id"], **values})
        return row["id"]

    async def read(self, item: object) -> dict[str, Any]:
        row = await self.admin.request("GET", f"{self.place.items}/{item}")
        assert isinstance(row, dict)
        return row

    async def change(self, item: object, **values: object) -> None:
        """Change an item as an editor."""
        await self.admin.request("PATCH", f"{self.place.items}/{item}", values)

    async def revisions(self, item: object) -> int:
        query = f"filter[collection][_eq]={self.place.collection}&filter[item][_eq]={item}&limit=-1&fields=id"
        return len(await self.admin.request("GET", f"/revisions?{query}"))

    def pause_writing(self, *, after: bool = False) -> Pause:
        pause = Pause(after=after)
        self.directus.fail(pause, when=is_write, times=1)
        return pause


def is_write(request: Recorded) -> bool:
    return request.method == "PATCH"


async def add_fields(buyers: Place) -> None:
    kinds = {"home": "json", "label": "string", "note": "string"}
    for name, kind in kinds.items():
        field = {"field": name, "type": kind, "schema": {}, "meta": {}}
        await buyers.stack.admin.request("POST", f"/fields/{buyers.collection}", field)


@asynccontextmanager
async def provisioned_place(stack: Stack) -> AsyncIterator[tuple[Place, str]]:
    """The collection, and the token of a service that may update it."""
    async with place(stack, prefix="kept") as buyers:
        token = token_of(await buyers.provision())
        await add_fields(buyers)
        ended = await buyers.provision(STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_FIELD_MAP=FIELD_MAP)
        assert ended.code == 0
        yield buyers, token


@asynccontextmanager
async def rig_of(buyers: Place, token: str, stripe: StripeDouble) -> AsyncIterator[WebhookRig]:
    """A sidecar in this process, on a collection without items."""
    everything = {"query": {"filter": {"id": {"_nnull": True}}, "limit": -1}}
    await buyers.stack.admin.request("DELETE", buyers.items, everything)
    async with proxy_for(buyers.stack.directus.url) as directus:
        opened = WebhookRig(buyers, token, directus, stripe)
        async with served(opened.settings) as url:
            yield WebhookRig(buyers, token, directus, stripe, url)
