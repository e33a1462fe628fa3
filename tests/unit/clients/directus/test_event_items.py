"""The items that events ask for: found by the exact ID, created once, changed by the service."""

import json
from collections.abc import AsyncIterator

import pytest

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.event_items import DirectusEventItems
from sidecar.clients.http import open_session
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.flows.event_rules import ItemTarget
from sidecar.errors import DirectusUnavailable, ItemRefused
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, User, full, grants

SERVICE = Credential("service", Source.SERVICE, None)
ORDERS = ItemTarget("orders", "session")
MINE = dict.fromkeys(("read", "create", "update"), full("session", "total"))


@pytest.fixture
async def items(directus: DirectusDouble) -> AsyncIterator[DirectusEventItems]:
    directus.add_users([User("service", "service", grants("orders", **MINE))])
    directus.rows["orders"] = {}
    directus.unique.add("session")
    async with open_session(total=0.5, connect=0.5, connections=1) as session:
        yield DirectusEventItems(DirectusClient(session, directus.url, address_header="X-Forwarded-For"), SERVICE)


async def test_found_by_the_exact_id(directus: DirectusDouble, items: DirectusEventItems) -> None:
    """Of the items that the database finds those count that have this very ID; other fields are not asked for."""
    directus.case_matters = False
    for session in ("cs_1a", "cs_1A", "cs_2"):
        directus.add_row("orders", session=session, total=5, note="ours")

    assert await items.find(ORDERS, "cs_1a", ["total"]) == [{"session": "cs_1a", "total": 5}]


async def test_created_once(directus: DirectusDouble, items: DirectusEventItems) -> None:
    """A second item with the same ID is refused by Directus, and said not to be created."""
    created = [await items.create(ORDERS, "cs_1", {"total": total}) for total in (5, 6)]

    assert created == [True, False]
    assert [(row["session"], row["total"]) for row in directus.rows["orders"].values()] == [("cs_1", 5)]


async def test_created_by_one_who_may_not_read(directus: DirectusDouble, items: DirectusEventItems) -> None:
    """An item counts as created also where Directus does not show it."""
    directus.users["service"].permissions = grants("orders", create=full())

    assert await items.create(ORDERS, "cs_1", {"total": 5})


async def test_changed(directus: DirectusDouble, items: DirectusEventItems) -> None:
    """The item with this ID is changed, and no other; without one nothing is."""
    for session in ("cs_1", "cs_2"):
        directus.add_row("orders", session=session, total=5)

    for session in ("cs_1", "cs_3"):
        await items.change(ORDERS, session, {"total": 6})

    assert [(row["session"], row["total"]) for row in directus.rows["orders"].values()] == [("cs_1", 6), ("cs_2", 5)]
    assert all(request.values("Authorization") == ["Bearer service"] for request in directus.requests)


async def test_what_the_service_may_not_write(directus: DirectusDouble, items: DirectusEventItems) -> None:
    """A field that the service may not write is a refusal with Directus's code."""
    with pytest.raises(ItemRefused) as refused:
        await items.create(ORDERS, "cs_1", {"note": "x"})

    assert (refused.value.code, directus.rows["orders"]) == ("FORBIDDEN", {})


@pytest.mark.parametrize("fault", [faults.answer(500), faults.answer(200, "<html>", "text/html"), faults.hang])
async def test_no_answer(directus: DirectusDouble, items: DirectusEventItems, fault: faults.Fault) -> None:
    """No clear answer is none: the event has to come again."""
    directus.fail(fault)

    for asked in (
        items.find(ORDERS, "cs_1", ["total"]),
        items.create(ORDERS, "cs_1", {}),
        items.change(ORDERS, "c", {}),
    ):
        with pytest.raises(DirectusUnavailable):
            await asked


async def test_values_arrive_as_they_are(directus: DirectusDouble, items: DirectusEventItems) -> None:
    """V3: Whatever a value is, it arrives as JSON and cannot become another field or filter."""
    value = {"a": [1, None, "x' OR 1=1; \u2028 $NOW"]}

    await items.create(ORDERS, "cs_1", {"total": value})

    assert json.loads(directus.requests[-1].body) == {"session": "cs_1", "total": value}
