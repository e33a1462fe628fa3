"""A sidecar with everything on: write-back, the change feed and Stripe's events."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.demo.admin import Person, Rule
from deploy.demo.progress import Fault
from deploy.demo.stack import Stack
from sidecar.commands.preparing import NO_PROJECT
from tests.doubles.events import SECRET
from tests.doubles.waiting import eventually
from tests.integration.asking import ask
from tests.integration.commands import Ended, run

# A change that is felt before these end is felt because the feed told of it.
_LIFETIMES = {"PERMISSIONS_CACHE_TTL": "3600", "PERMISSIONS_DENIED_TTL": "0.05"}


@dataclass(frozen=True, slots=True)
class Whole:
    """A sidecar of its own, not behind nginx; `collection` are the customers'."""

    stack: Stack
    settings: Mapping[str, str]
    collection: str
    url: str

    @property
    def items(self) -> str:
        return "/users" if self.collection == "directus_users" else f"/items/{self.collection}"

    async def person(self, name: str, *rules: Rule) -> Person:
        admin = self.stack.admin
        return await admin.person(name, [await admin.policy(name, rules)])

    async def item(self, key: object) -> Any:  # noqa: ANN401 - whatever JSON Directus answers
        return await self.stack.admin.request("GET", f"{self.items}/{key}")

    async def change(self, key: object, **values: object) -> None:
        await self.stack.admin.request("PATCH", f"{self.items}/{key}", values)

    async def at_stripe(self, method: str, path: str, **values: str) -> Any:  # noqa: ANN401 - one of Stripe's objects
        """Change something at Stripe without the sidecar."""
        headers = {"Authorization": f"Bearer {self.settings['STRIPE_LIVE_SECRET_KEY']}"}
        async with (
            aiohttp.ClientSession(self.stack.stripe_url, headers=headers) as session,
            session.request(method, f"/v1{path}", data=values or None, raise_for_status=True) as answer,
        ):
            return await answer.json()


@asynccontextmanager
async def whole(stack: Stack, **settings: str) -> AsyncIterator[Whole]:
    """Provision for everything and start a sidecar that has it on. Raises Fault if provisioning fails."""
    everything = {"STRIPE_WRITE_BACK": "true", "DIRECTUS_REALTIME": "true", "STRIPE_WEBHOOK_SECRET": SECRET}
    merged = {**stack.settings, **everything, **_LIFETIMES, **settings}
    collection = merged["STRIPE_CUSTOMERS_COLLECTION"]
    if collection != stack.settings["STRIPE_CUSTOMERS_COLLECTION"]:
        merged["DIRECTUS_SERVICE_TOKEN_FILE"] = str(stack.state / f"token-{collection}")
    ended = await provision(stack, merged)
    if ended.code:
        raise Fault(f"provision failed:\n{ended.out}{ended.err}")
    if NO_PROJECT in ended.texts("note"):
        merged["DIRECTUS_PROJECT"] = "matrix"
    async with stack.sidecar(**merged) as server:
        await eventually(lambda: _connected(server.url))
        yield Whole(stack, merged, collection, server.url)


async def provision(stack: Stack, settings: Mapping[str, str]) -> Ended:
    """Run `provision`. A new token goes into the file that the settings name for it; the secret is there."""
    given = {**settings, "DIRECTUS_ADMIN_TOKEN": stack.people["administrator"].token}
    files = [given.pop(f"{name}_FILE") for name in ("DIRECTUS_SERVICE_TOKEN", "SIDECAR_SECRET")]
    places = ("--token-file", files[0], "--secret-file", files[1])
    return await run("provision", "--yes", "--create-collection", *places, **given)


async def _connected(url: str) -> bool:
    return bool((await ask(url, "/readyz")).json().get("realtime") == "connected")
