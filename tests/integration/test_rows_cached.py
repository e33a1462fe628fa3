"""A Directus with a response cache (`CACHE_ENABLED`), which by default is not purged when an item changes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.admin import DirectusAdmin
from deploy.demo.stack import Stack, running_stack
from tests.doubles.running_app import PATIENT_WITH_DIRECTUS
from tests.integration.asking import ask
from tests.integration.nginx import without_search

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


async def test_without_search(caching: Stack, tmp_path: Path) -> None:
    """R1: where no SEARCH gets through, no cache of Directus or in between answers for a row that was taken away."""
    member, customer = caching.people["member"], caching.customers["Grace Hopper"]
    query = {"filter": {"stripe_customer_id": {"_eq": customer}}}
    address = f"{ROWS}&filter[stripe_customer_id][_eq]={customer}"
    await caching.admin.request("PATCH", "/items/customers", {"query": query, "data": {"owner": member.id}})
    async with (
        without_search(tmp_path, caching.directus.url) as between,
        caching.sidecar(DIRECTUS_URL=between.url) as sidecar,
    ):
        directus = DirectusAdmin(between.url, member.token)
        shown = await directus.request("GET", address)
        before = await ask(sidecar.url, "/stripe/customers", member.token)
        one = await ask(sidecar.url, f"/stripe/payments/{customer}", member.token)
        await caching.admin.request("PATCH", "/items/customers", {"query": query, "data": {"owner": None}})

        assert await directus.request("GET", address) == shown == [{"stripe_customer_id": customer}]
        assert customer in {entry["id"] for entry in before.json()}
        assert one.status == 200
        assert customer not in {
            entry["id"] for entry in (await ask(sidecar.url, "/stripe/customers", member.token)).json()
        }
        assert (await ask(sidecar.url, f"/stripe/payments/{customer}", member.token)).status == 401
