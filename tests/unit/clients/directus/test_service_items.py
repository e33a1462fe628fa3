"""Items by their customer: the service reads them, and changes an item only while it is linked to that customer."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.clients.directus.service_items import DirectusItemLists, DirectusLinkedItems
from sidecar.clients.http import open_session
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.permissions import AllowedFields
from sidecar.core.flows.follow_customer import LinkedItem, Rights
from sidecar.errors import CredentialRefused, DirectusUnavailable, ItemRefused
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, Grant, User, full, grants, partial

SERVICE = Credential("service", Source.SERVICE, None)
EVENTS = grants(
    read=full("id", "stripe_customer_id", "name", "email"), update=full("stripe_customer_id", "name", "email")
)
NAME = AllowedFields(frozenset({"stripe_customer_id", "name"}))
FORMER = "cus_1"
FORBIDDEN = '{"errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]}'


@asynccontextmanager
async def items_of(directus: DirectusDouble, collection: str = "customers") -> AsyncIterator[DirectusLinkedItems]:
    async with open_session(total=0.5, connect=0.5, connections=1) as session:
        client = DirectusClient(session, directus.url, address_header="X-Forwarded-For")
        yield DirectusLinkedItems(
            client,
            DirectusPermissions(client, {collection}),
            SERVICE,
            collection=CustomersCollection(collection, "id", "stripe_customer_id"),
            fields=("name", "email", "phone"),
        )


@pytest.fixture
async def linked_items(directus: DirectusDouble) -> AsyncIterator[DirectusLinkedItems]:
    directus.add_users([User("service", "service", EVENTS)])
    async with items_of(directus) as items:
        yield items


def row(directus: DirectusDouble, **values: object) -> dict[str, object]:
    return directus.add_row(**{"stripe_customer_id": FORMER, "name": "Ada", "email": "a@b.c", "note": "n", **values})


@pytest.mark.parametrize(
    ("grant", "names"),
    [
        (full("id", "name"), {"id", "name"}),
        (partial("name"), {"name"}),
        (full(), {"*"}),
        ({"access": "none"}, set()),
        ({"access": "full"}, set()),
    ],
)
@pytest.mark.parametrize("action", ["read", "update"])
async def test_fields_that_the_service_may_use(
    directus: DirectusDouble, action: str, grant: Grant, names: set[str]
) -> None:
    """The fields to read and those to update are Directus's word, each time anew; an unclear grant is no grant."""
    directus.add_users([User("service", "service", grants(read=full("a"), update=full("a")))])
    async with items_of(directus) as items:
        before = await items.rights()
        granted: dict[str, Any] = {"read": full("a"), "update": full("a"), action: grant}
        directus.users["service"].permissions = grants(**granted)

        assert before == Rights(AllowedFields(frozenset({"a"})), AllowedFields(frozenset({"a"})))
        assert getattr(await items.rights(), action) == AllowedFields(frozenset(names))


async def test_items_linked_to_a_customer(directus: DirectusDouble, linked_items: DirectusLinkedItems) -> None:
    """The primary key, the ID and the mapped fields of an item are requested, and nothing else."""
    there = row(directus)
    row(directus, stripe_customer_id="cus_2")
    row(directus, stripe_customer_id=None)

    found = await linked_items.linked(FORMER, NAME)

    assert found == [LinkedItem(1, {name: there[name] for name in ("id", "stripe_customer_id", "name")})]
    assert json.loads(directus.requests[-1].body)["query"]["fields"] == ["id", "name", "stripe_customer_id"]
    assert directus.requests[-1].values("Authorization") == ["Bearer service"]


async def test_a_token_that_may_do_everything(directus: DirectusDouble) -> None:
    """If all fields are granted, all are read, since nothing tells which of the mapped fields exist."""
    directus.add_users([User("service", "service", grants(read=full(), update=full()))])
    row(directus)

    async with items_of(directus) as items:
        [found] = await items.linked(FORMER, (await items.rights()).read)

    assert (found.values["name"], "phone" in found.values) == ("Ada", False)
    assert json.loads(directus.requests[-1].body)["query"]["fields"] == ["*"]


async def test_another_customers_item(directus: DirectusDouble, linked_items: DirectusLinkedItems) -> None:
    """A case-insensitive database finds another customer's item, which does not count."""
    directus.fail(faults.answer(200, '{"data": [{"id": 1, "stripe_customer_id": "CUS_1"}]}'))

    assert await linked_items.linked(FORMER, NAME) == []


async def test_changed(directus: DirectusDouble, linked_items: DirectusLinkedItems) -> None:
    """Only the given values are written."""
    there = row(directus)

    assert await linked_items.change(1, FORMER, {"name": "Ida"})
    assert await linked_items.change(1, FORMER, {"stripe_customer_id": None})

    assert (there["name"], there["email"], there["note"], there["stripe_customer_id"]) == ("Ida", "a@b.c", "n", None)


@pytest.mark.parametrize("other", ["cus_2", None])
async def test_not_its_customer_any_more(
    directus: DirectusDouble, linked_items: DirectusLinkedItems, other: str | None
) -> None:
    """W4: An item that is by now linked to another customer, or to none, is not changed."""
    there = dict(row(directus, stripe_customer_id=other))

    assert not await linked_items.change(1, FORMER, {"stripe_customer_id": None, "name": "Ida"})
    assert not await linked_items.change(2, FORMER, {"name": "Ida"})

    assert directus.rows["customers"]["1"] == there


@pytest.mark.parametrize("empty", [None, ""])
async def test_only_while_it_is_nobodys(
    directus: DirectusDouble, linked_items: DirectusLinkedItems, empty: str | None
) -> None:
    """An item without a customer is changed as such, and not once it has one."""
    there, other = row(directus, stripe_customer_id=empty), row(directus)

    assert await linked_items.change(1, None, {"name": None})
    assert not await linked_items.change(2, None, {"name": None})

    assert (there["name"], other["name"]) == (None, "Ada")


async def test_types_of_fields(directus: DirectusDouble, linked_items: DirectusLinkedItems) -> None:
    """Each field's type is asked for by itself; one that the token may not read, or that is missing, has none."""
    directus.fail(faults.answer(200, '{"data": {"type": "timestamp"}}'), when=lambda request: "until" in request.path)
    directus.fail(faults.answer(403, FORBIDDEN), when=lambda request: "secret" in request.path)

    assert await linked_items.types(["until", "secret"]) == {"until": "timestamp"}
    assert {request.path for request in directus.requests} == {"/fields/customers/until", "/fields/customers/secret"}


@pytest.mark.parametrize("answer", [faults.answer(200, '{"data": {}}'), faults.answer(503, "{}"), faults.half_json])
async def test_types_that_are_not_told(
    directus: DirectusDouble, linked_items: DirectusLinkedItems, answer: faults.Fault
) -> None:
    """U1: A malformed answer is an outage, and no field without a type."""
    directus.fail(answer)

    with pytest.raises(DirectusUnavailable):
        await linked_items.types(["until"])


async def test_on_users(directus: DirectusDouble) -> None:
    """Items of `directus_users` are at /users."""
    payload = grants("directus_users", read=full(), update=full())
    directus.add_users([User("service", "service", payload)])
    directus.add_row("directus_users", id="a-user", stripe_customer_id=FORMER, name="Ada")

    async with items_of(directus, "directus_users") as items:
        [found] = await items.linked(FORMER, (await items.rights()).read)
        changed = await items.change(found.key, FORMER, {"name": "Ida"})

    assert (found.key, changed) == ("a-user", True)
    assert {request.path for request in directus.requests} == {"/permissions/me", "/users"}


async def test_refused(directus: DirectusDouble) -> None:
    """A missing permission gives Directus's refusal, and an invalid token an error of its own."""
    directus.add_users([User("service", "service", grants(read=full("id"), update=partial("name")))])
    row(directus)

    async with items_of(directus) as items:
        with pytest.raises(ItemRefused) as reading:
            await items.linked(FORMER, NAME)
        with pytest.raises(ItemRefused) as writing:
            await items.change(1, FORMER, {"stripe_customer_id": None})
        directus.users.pop("service")
        with pytest.raises(CredentialRefused) as nobody:
            await items.rights()

    assert (reading.value.code, writing.value.code, nobody.value.code) == (
        "FORBIDDEN",
        "FORBIDDEN",
        "INVALID_CREDENTIALS",
    )


async def test_a_value_that_a_database_refuses(directus: DirectusDouble, linked_items: DirectusLinkedItems) -> None:
    """A 500 with Directus's code refuses these values: so it passes on an unknown error of its database."""
    row(directus)
    error = {"errors": [{"message": "An unexpected error occurred.", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
    directus.fail(faults.answer(500, json.dumps(error)), times=1)
    with pytest.raises(ItemRefused) as refused:
        await linked_items.change(1, FORMER, {"name": "Ida"})

    directus.fail(faults.answer(500, "<html>", "text/html"), times=1)
    with pytest.raises(DirectusUnavailable):
        await linked_items.change(1, FORMER, {"name": "Ida"})

    assert refused.value.code == "INTERNAL_SERVER_ERROR"


@pytest.mark.parametrize(
    "fault",
    [
        faults.answer(503, '{"errors": []}'),
        faults.answer(200, '{"data": {"id": 1}}'),
        faults.answer(200, '{"data": [{"stripe_customer_id": "cus_1"}]}'),
        faults.answer(200, '{"data": [{"id": null, "stripe_customer_id": "cus_1"}]}'),
        faults.reset_after_work,
        faults.half_json,
        faults.hang,
    ],
)
async def test_directus_away(directus: DirectusDouble, linked_items: DirectusLinkedItems, fault: faults.Fault) -> None:
    """U1: A malformed answer of Directus is reported as an outage, not as "no item is linked to the customer"."""
    row(directus)
    directus.fail(fault)

    with pytest.raises(DirectusUnavailable):
        await linked_items.linked(FORMER, NAME)


@asynccontextmanager
async def lists_of(directus: DirectusDouble) -> AsyncIterator[DirectusItemLists]:
    directus.add_users([User("service", "service", EVENTS)])
    async with open_session(total=5, connect=0.5, connections=1) as session:
        client = DirectusClient(session, directus.url, address_header="X-Forwarded-For")
        yield DirectusItemLists(
            client, SERVICE, collection=CustomersCollection("customers", "id", "stripe_customer_id")
        )


LIMITS = pytest.mark.parametrize("most", [1, 2, 50, 100, None])


@LIMITS
async def test_named(directus: DirectusDouble, most: int | None) -> None:
    """A hundred items named by their keys are read with any limit, also those without an ID."""
    directus.limit_max = most
    expected = {
        str(row(directus, stripe_customer_id=f"cus_{key}" if key % 2 else None)["id"]): key for key in range(100)
    }

    async with lists_of(directus) as lists:
        found = await lists.named([*expected, "1000"])

    assert found == {item: f"cus_{key}" if key % 2 else None for item, key in expected.items()}


async def test_named_in_one_question(directus: DirectusDouble) -> None:
    """As many items as Stripe lists customers on a page are one question."""
    items = [str(row(directus, stripe_customer_id=None)["id"]) for _ in range(100)]

    async with lists_of(directus) as lists:
        assert len(await lists.named(items)) == 100
        assert await lists.named(["1000"]) == {}
        assert await lists.named([]) == {}

    assert len(directus.requests) == 2


@LIMITS
async def test_all_linked(directus: DirectusDouble, most: int | None) -> None:
    """Every item with an ID comes once; empty ones do not."""
    directus.limit_max = most
    expected = [str(row(directus, stripe_customer_id=f"cus_{key}")["id"]) for key in range(210)]
    for empty in (None, ""):
        row(directus, stripe_customer_id=empty)

    async with lists_of(directus) as lists:
        found = [key async for page in lists.linked() for key in page]

    assert found == expected


async def test_a_status_of_nobody(directus: DirectusDouble) -> None:
    """Items without a customer that hold something in one of these fields are found, and no others."""
    held = [row(directus, stripe_customer_id=empty, name=name) for empty in (None, "") for name in ("Ada", None)]
    row(directus)

    async with lists_of(directus) as lists:
        assert await lists.unlinked(["name"]) == [str(held[0]["id"]), str(held[2]["id"])]


@LIMITS
async def test_many_items_of_one_customer(directus: DirectusDouble, most: int | None) -> None:
    """An ID field that is not unique may link more items to a customer than one page has."""
    directus.limit_max = most
    expected = [row(directus)["id"] for _ in range(130)]

    async with items_of(directus) as items:
        directus.add_users([User("service", "service", EVENTS)])
        assert [item.key for item in await items.linked(FORMER, NAME)] == expected


async def test_no_search_gets_through(directus: DirectusDouble) -> None:
    """The lists of `reconcile` are whole behind a proxy without SEARCH, and no address is longer than proxies take."""
    directus.fail(faults.answer(405, "<html>", "text/html"), when=lambda request: request.method == "SEARCH")
    keys = [f"Müller & Co 名 {number:04} {'x' * 40}" for number in range(100)]
    for key in keys:
        row(directus, id=key, stripe_customer_id=f"cus_{keys.index(key)}")

    async with lists_of(directus) as lists:
        assert list(await lists.named(keys)) == keys
        assert [key async for page in lists.linked() for key in page] == keys

    assert max(len(request.target) for request in directus.requests) < 7000


async def test_a_singleton_is_named(directus: DirectusDouble, linked_items: DirectusLinkedItems) -> None:
    """A singleton answers a list with one item; the log says so instead of a missing list."""
    directus.fail(faults.answer(200, '{"data": {"id": null}}'), when=lambda request: request.path.startswith("/items/"))

    with pytest.raises(DirectusUnavailable) as unavailable:
        await linked_items.linked(FORMER, NAME)

    assert "singleton" in str(unavailable.value.detail)
