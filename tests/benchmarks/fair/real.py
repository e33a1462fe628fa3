"""The callers at a real Directus. Each is deleted at the end, with its role, its policy and its items."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.demo.admin import DirectusAdmin, Person, Rule
from deploy.demo.people import COLLECTION
from deploy.demo.stack import Stack
from tests.benchmarks.fair.account import customer_id

_OWN = {"owner": {"_eq": "$CURRENT_USER"}}
_ITSELF = {"id": {"_eq": "$CURRENT_USER"}}


@asynccontextmanager
async def owner_of(stack: Stack, rows: int) -> AsyncIterator[Person]:
    """Give a caller who owns the customers 0 to `rows` - 1, and may change their names."""
    rules = [Rule(COLLECTION, "read", ("id", "stripe_customer_id"), _OWN), Rule(COLLECTION, "update", ("name",), _OWN)]
    async with _person(stack.admin, rules) as person:
        items = [{"stripe_customer_id": customer_id(number), "owner": person.id} for number in range(rows)]
        made = await stack.admin.request("POST", f"/items/{COLLECTION}", items)
        try:
            yield person
        finally:
            await stack.admin.request("DELETE", f"/items/{COLLECTION}", [item["id"] for item in made])


@asynccontextmanager
async def editor(stack: Stack) -> AsyncIterator[Person]:
    """Give a user who may change its own first name, as users of Directus's app may."""
    rules = [Rule("directus_users", action, ("id", "first_name"), _ITSELF) for action in ("read", "update")]
    async with _person(stack.admin, rules) as person:
        yield person


async def edit(stack: Stack, person: Person, times: int, within: float) -> None:
    """Change the person's name as itself, evenly over `within` seconds."""
    itself, loop = DirectusAdmin(stack.directus.url, person.token), asyncio.get_running_loop()
    began = loop.time()
    for number in range(times):
        await asyncio.sleep(began + number * within / times - loop.time())
        await itself.request("PATCH", "/users/me", {"first_name": f"Ada {number}"})


@asynccontextmanager
async def _person(admin: DirectusAdmin, rules: list[Rule]) -> AsyncIterator[Person]:
    policy = await admin.policy("benchmark", rules)
    person = await admin.person(f"benchmark-{secrets.token_hex(4)}", [policy])
    try:
        yield person
    finally:
        await admin.request("DELETE", f"/users/{person.id}")
        await admin.request("DELETE", f"/roles/{person.role}")
        await admin.request("DELETE", f"/policies/{policy}")
