"""One collection for all crash tests, emptied before each; each test has its own Stripe and proxy to Directus."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from tests.doubles.ledger import StripeLedger
from tests.doubles.proxy import proxy_for
from tests.integration.commands import Place, place, token_of
from tests.integration.crash.rig import Rig

Collection = tuple[Place, str, Person, Person]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def collection(stack: Stack) -> AsyncIterator[Collection]:
    """The place, the service token, and two clerks who may read, create and update all items."""
    async with place(stack, prefix="books") as buyers:
        token = token_of(await buyers.provision())
        rules = [Rule(buyers.collection, action) for action in ("read", "create", "update")]
        policy = await stack.admin.policy(f"{buyers.collection}_clerks", rules)
        clerks = [await stack.admin.person(f"{buyers.collection}_{name}", [policy]) for name in ("first", "second")]
        yield buyers, token, clerks[0], clerks[1]
        for clerk in clerks:
            await stack.admin.request("DELETE", f"/users/{clerk.id}")
            await stack.admin.request("DELETE", f"/roles/{clerk.role}")
        await stack.admin.request("DELETE", f"/policies/{policy}")


@pytest.fixture
def second_clerk(collection: Collection) -> Person:
    return collection[3]


@pytest.fixture
async def rig(collection: Collection) -> AsyncIterator[Rig]:
    buyers, token, clerk, _ = collection
    await buyers.stack.admin.request(
        "DELETE", buyers.items, {"query": {"filter": {"id": {"_nnull": True}}, "limit": -1}}
    )
    async with StripeLedger.running() as stripe, proxy_for(buyers.stack.directus.url) as proxy:
        yield Rig(buyers, token, clerk, proxy, stripe)
