"""A Directus with a response cache (`CACHE_ENABLED`), which by default is not purged when an item changes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo.admin import DirectusAdmin
from deploy.demo.stack import Stack, running_stack
from tests.doubles.running_app import PATIENT_WITH_DIRECTUS
from tests.integration.asking import ask

CACHE = {"CACHE_ENABLED": "true", "CACHE_STORE": "memory", "CACHE_TTL": "5m", "PRESSURE_LIMITER_ENABLED": "false"}
ROWS = "/items/customers?fields=stripe_customer_id"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def caching(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    state = tmp_path_factory.mktemp("caching")
    async with running_stack(state, directus_settings=CACHE, sidecar_settings=PATIENT_WITH_DIRECTUS) as running:
        yield running


async def test_row_taken_away_from_a_directus_that_caches(caching: Stack) -> None:
    """R1: a revoked row is gone at the next request, while Directus still shows it to a GET."""
    member = caching.people["member"]
    directus = DirectusAdmin(caching.directus.url, member.token)
    sidecar = caching.main_sidecar.url
    shown = await directus.request("GET", ROWS)
    before = await ask(sidecar, "/stripe/customers", member.token)
    [customer] = [entry["id"] for entry in before.json()]

    query = {"filter": {"stripe_customer_id": {"_eq": customer}}}
    await caching.admin.request("PATCH", "/items/customers", {"query": query, "data": {"owner": None}})

    assert await directus.request("GET", ROWS) == shown
    assert [customer] == [row["stripe_customer_id"] for row in shown]
    assert (await ask(sidecar, "/stripe/customers", member.token)).json() == []
    assert (await ask(sidecar, f"/stripe/payments/{customer}", member.token)).status == 401
