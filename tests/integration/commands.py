"""The sidecar's commands as an operator runs them: each in its own process, with its own settings."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deploy.demo import children
from deploy.demo.admin import DirectusAdmin
from deploy.demo.processes import environment
from deploy.demo.stack import Stack
from sidecar.core.flows.item_links import ItemLinks

ROOT = Path(__file__).parents[2]
_DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Give each line as (word, text), without the line that contains the token."""
        pairs = (line.partition(" ") for line in self.out.splitlines() if "=" not in line.split(" ")[0])
        return [(word, text.strip()) for word, _, text in pairs]

    def texts(self, word: str) -> str:
        return "\n".join(text for found, text in self.lines if found == word)


async def run(command: Literal["provision", "check", "reconcile"], *arguments: str, **settings: str) -> Ended:
    process = await children.spawn(
        [sys.executable, "-m", "sidecar", command, *arguments],
        env=environment({"PYTHONPATH": str(ROOT), **settings}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), _DEADLINE)
    finally:
        if process.returncode is None:
            process.kill()
    return Ended(process.returncode or 0, out.decode(), err.decode())


PROJECT = "of-the-tests"
SECRET = "of-the-integration-tests-32-bytes-long"


@dataclass(frozen=True, slots=True)
class Place:
    """Names in Directus that only one test uses."""

    stack: Stack
    admin_token: str
    collection: str
    field: str = "stripe_customer_id"

    @property
    def items(self) -> str:
        return "/users" if self.collection == "directus_users" else f"/items/{self.collection}"

    @property
    def policy_name(self) -> str:
        return f"Stripe sidecar ({self.collection})"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DIRECTUS_URL": self.stack.directus.url,
            "STRIPE_CUSTOMERS_COLLECTION": self.collection,
            "STRIPE_CUSTOMER_ID_FIELD": self.field,
            "SIDECAR_SECRET": SECRET,
            "SIDECAR_SECRET_FILE": "",
        }

    async def provision(self, *arguments: str, **settings: str) -> Ended:
        given = self.settings | {"DIRECTUS_ADMIN_TOKEN": self.admin_token} | settings
        return await run("provision", "--yes", "--create-collection", *arguments, **given)

    async def provisioned(self) -> DirectusAdmin:
        """Provision, and give a client with the service's own token."""
        return DirectusAdmin(self.stack.directus.url, token_of(await self.provision()))

    def signed(self, item: object, project: str = PROJECT) -> dict[str, str]:
        """Give the metadata of a customer that this place's service created for an item."""
        return ItemLinks(project, self.collection, (SECRET,)).metadata(str(item))

    async def policy(self) -> dict[str, Any]:
        """Read the service policy with its permissions and the IDs of its users."""
        query = f"filter[name][_eq]={self.policy_name}&fields=*,permissions.*,users.user"
        [policy] = await self.stack.admin.request("GET", f"/policies?{query}")
        assert isinstance(policy, dict)
        return policy


def token_of(ended: Ended) -> str:
    """Find the one line that contains the token."""
    [token] = [
        line.removeprefix("DIRECTUS_SERVICE_TOKEN=")
        for line in ended.out.splitlines()
        if line.startswith("DIRECTUS_SERVICE_TOKEN=")
    ]
    return token


@asynccontextmanager
async def place(stack: Stack, *, prefix: str = "buyers") -> AsyncIterator[Place]:
    """Give an unused name of a collection, and delete everything with that name afterwards."""
    new = Place(stack, stack.people["administrator"].token, f"{prefix}_{secrets.token_hex(4)}")
    try:
        yield new
    finally:
        await _delete_account(new)
        if new.collection in {row["collection"] for row in await stack.admin.request("GET", "/collections")}:
            await stack.admin.request("DELETE", f"/collections/{new.collection}")


@asynccontextmanager
async def place_on_users(stack: Stack) -> AsyncIterator[Place]:
    """Give the same for a project with Stripe's IDs on its users: an unused name of a field."""
    token = stack.people["administrator"].token
    new = Place(stack, token, "directus_users", f"stripe_{secrets.token_hex(4)}")
    try:
        yield new
    finally:
        await _delete_account(new)
        if new.field in {row["field"] for row in await stack.admin.request("GET", "/fields/directus_users")}:
            await stack.admin.request("DELETE", f"/fields/directus_users/{new.field}")


async def _delete_account(place: Place) -> None:
    admin = place.stack.admin
    query = f"filter[name][_eq]={place.policy_name}&fields=id,users.user"
    for policy in await admin.request("GET", f"/policies?{query}"):
        await admin.request("DELETE", f"/policies/{policy['id']}")
        for user in policy["users"]:
            await admin.request("DELETE", f"/users/{user['user']}")
