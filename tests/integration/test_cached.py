"""A Directus with a response cache (`CACHE_ENABLED`), which by default is not purged when anything changes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.admin import DirectusAdmin, Rule
from deploy.demo.stack import Stack, running_stack
from tests.doubles.events import event
from tests.doubles.running_app import PATIENT_WITH_DIRECTUS
from tests.doubles.stripe import StripeDouble
from tests.integration.asking import ask
from tests.integration.commands import place, run
from tests.integration.nginx import without_search
from tests.integration.webhook_rig import DELETED, UPDATED, provisioned_place, rig_of

CACHE = {
    "CACHE_ENABLED": "true",
    "CACHE_AUTO_PURGE": "false",
    "CACHE_STORE": "memory",
    "CACHE_TTL": "5m",
    "PRESSURE_LIMITER_ENABLED": "false",
}
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


async def test_a_right_to_a_row_taken_away(caching: Stack) -> None:
    """R1: no customer is created for an item that was taken from its caller, though Directus still caches its right."""
    admin, own = caching.admin, {"owner": {"_eq": "$CURRENT_USER"}}
    rules = [Rule("customers", "read", item=own), Rule("customers", "update", item=own), Rule("customers", "create")]
    owner = await admin.person("owner", [await admin.policy("owner", rules)])
    item = (await admin.request("POST", "/items/customers", {"owner": owner.id}))["id"]
    directus = DirectusAdmin(caching.directus.url, owner.token)
    paths = [f"/permissions/me/customers/{item}", f"/items/customers/{item}?fields=id,stripe_customer_id"]
    before = [await directus.request("GET", path) for path in paths]

    await admin.request("PATCH", f"/items/customers/{item}", {"owner": None})
    async with caching.sidecar(STRIPE_WRITE_BACK="true", **PATIENT_WITH_DIRECTUS) as sidecar:
        answer = await ask(sidecar.url, "/stripe/customers", owner.token, new={"email": "a@example.com", "item": item})

    assert before == [await directus.request("GET", path) for path in paths]
    assert (answer.status, answer.code) == (403, "FORBIDDEN")


async def test_an_id_just_written(caching: Stack) -> None:
    """W4: an ID just written is not taken for pending, and the item's next creation finds it."""
    admin, token = caching.admin, caching.people["administrator"].token
    row = await admin.request("POST", "/items/customers", {"name": "Ada"})
    asked = {"email": "ada@example.com", "item": row["id"]}
    async with caching.sidecar(STRIPE_WRITE_BACK="true", **PATIENT_WITH_DIRECTUS) as sidecar:
        await admin.request("GET", f"/items/customers/{row['id']}?fields=id,stripe_customer_id")
        first = await ask(sidecar.url, "/stripe/customers", token, new=asked)
        second = await ask(sidecar.url, "/stripe/customers", token, new=asked)

    assert (first.status, second.status) == (201, 200)
    assert (first.header("X-Write-Back"), second.header("X-Write-Back")) == (None, None)
    assert first.json()["id"] == second.json()["id"]


async def test_events(caching: Stack, stripe: StripeDouble) -> None:
    """Events are worked on as items and rights are now, however often they were asked for before."""
    async with provisioned_place(caching) as (buyers, token), rig_of(buyers, token, stripe) as rig:
        customer, item = await rig.known(name="Eva")
        answers = []
        for name in ("Ada", "Ida", "Ada"):
            customer["name"] = name
            answers.append(await rig.post(event(UPDATED, customer)))
            assert await now(caching, rig.place.items, item, "name") == name
        customer["deleted"] = True
        answers.append(await rig.post(event(DELETED, customer)))
        cleared = await now(caching, rig.place.items, item, rig.place.field)

    assert [answer.status for answer in answers] == [200] * 4
    assert cleared is None


async def test_provision_again(caching: Stack) -> None:
    """A second `provision` sees what the first has made, and makes nothing twice."""
    async with place(caching) as buyers:
        first = await buyers.provision()
        second = await buyers.provision()

    assert (first.code, second.code) == (0, 0), second.out
    assert {word for word, _ in second.lines} == {"unchanged"}, second.out


async def test_check(caching: Stack) -> None:
    """`check` finds the cache, and says what it means and what to set."""
    ended = await run("check", **caching.settings)

    assert "no answer to the sidecar comes from a cache" in ended.texts("ok")
    assert "set CACHE_AUTO_PURGE=true" in ended.texts("note")


async def now(caching: Stack, path: str, item: object, field: str) -> object:
    """Read a field past Directus's cache."""
    query = {"filter": {"id": {"_eq": item}}, "fields": [field]}
    [row] = await caching.admin.request("SEARCH", path, {"query": query})
    return row[field]
