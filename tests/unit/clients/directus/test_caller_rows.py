"""Checks R1 and R2: which customers a caller's own rows name."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from sidecar.clients.directus.caller_rows import DirectusRows
from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.http import open_session
from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.interfaces import Row
from sidecar.errors import DirectusUnavailable, ItemRefused, TooManyCustomers
from tests.aioresponses_compat import Reply, Request, Upstream, reply, upstream
from tests.doubles.collections import named
from tests.unit.clients.directus.sources import credential

CALLER = credential("the-token")
FIELDS = ("cus", "name", "email")
ALLOWED = AllowedFields(frozenset({"cus", "name", "owner"}))
EVERY = AllowedFields(frozenset({"*"}))


@asynccontextmanager
async def rows_of(collection: str = "customers", *, most: int = 200) -> AsyncIterator[DirectusRows]:
    async with open_session(total=1, connect=1, connections=2) as session:
        client = DirectusClient(session, "http://directus.test", address_header="X-Forwarded-For")
        yield DirectusRows(client, collection=named(collection), fields=FIELDS, most=most)


async def ids(directus: Upstream, *, most: int = 200, collection: str = "customers") -> Mapping[str, Row]:
    assert not directus.requests
    async with rows_of(collection, most=most) as rows:
        return await rows.find_all(CALLER, ALLOWED)


async def found(customer_id: str, answer: Reply, allowed: AllowedFields) -> Row | None:
    with upstream(answer) as directus:
        async with rows_of() as rows:
            row = await rows.find(CALLER, allowed, customer_id)
    (request,) = directus.requests
    query = query_of(request)
    assert query["fields"] == (["*"] if allowed.unrestricted else ["cus", "name"])
    assert query["sort"] == (["cus", "id"] if allowed.unrestricted else ["cus"])
    assert (query["filter"], query["limit"], query["offset"]) == ({"cus": {"_eq": customer_id}}, 100, 0)
    assert request.method == "SEARCH"
    assert request.headers["Authorization"] == "Bearer the-token"
    return row


def query_of(request: Request) -> dict[str, object]:
    query: dict[str, object] = json.loads(request.body or "")["query"]
    return query


def page(values: Sequence[object]) -> Reply:
    return reply({"data": [{"cus": value} for value in values]})


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([{"cus": "cus_1"}], True),
        ([], False),
        ([{"cus": None}], False),
        ([{}], False),
        ([{"cus": "cus_2"}], False),
        (["cus_1"], False),
        ([{"other": "cus_1"}], False),
        ([{"cus": {"id": "cus_1"}}], False),
    ],
)
async def test_the_value_counts(rows: object, *, counts: bool) -> None:
    """R1: A row is the caller's only if it shows exactly this ID; the number of rows does not matter."""
    assert (await found("cus_1", reply({"data": rows}), ALLOWED) is not None) is counts


@pytest.mark.parametrize(
    ("allowed", "row", "fields"),
    [
        (ALLOWED, {"cus": "cus_1", "name": "Ada"}, {"cus", "name"}),
        (ALLOWED, {"cus": "cus_1", "name": None}, {"cus"}),
        (ALLOWED, {"cus": "cus_1", "email": "not asked for"}, {"cus"}),
        (EVERY, {"cus": "cus_1", "name": "Ada", "tags": []}, {"*"}),
        (EVERY, {"cus": "cus_1", "name": None, "tags": []}, {"cus", "tags"}),
    ],
)
async def test_fields_count_where_the_row_shows_them(
    allowed: AllowedFields, row: dict[str, object], fields: set[str]
) -> None:
    """R6: Fields from several policies count only where this row shows them, and `*` only if nothing is missing."""
    assert await found("cus_1", reply({"data": [row]}), allowed) == Row(AllowedFields(frozenset(fields)))


@pytest.mark.parametrize(("key", "expected"), [(7, 7), ("a/b", "a/b"), (None, None), ({"id": 7}, None), (1.5, None)])
async def test_one_search_gives_the_primary_key_too(key: object, expected: object) -> None:
    """The row of a customer comes with its primary key, if the caller may read that key."""
    allowed = AllowedFields(frozenset({"id", "cus", "name"}))
    with upstream(reply({"data": [{"id": key, "cus": "cus_1", "name": "Ada"}]})) as directus:
        async with rows_of() as rows:
            row = await rows.find(CALLER, allowed, "cus_1")

    assert row is not None
    assert row.key == expected
    assert query_of(directus.requests[0])["fields"] == ["cus", "id", "name"]
    assert len(directus.requests) == 1


@pytest.mark.parametrize(
    ("data", "may"),
    [
        ({"update": {"access": True}}, True),
        ({"update": {"access": True, "fields": ["name"]}}, True),
        ({"update": {"access": False}}, False),
        ({"update": {}, "delete": {"access": True}}, False),
        ({"delete": {"access": True}}, False),
        ({"update": True}, False),
        ({}, False),
        ([], False),
        (None, False),
    ],
)
async def test_an_item_that_may_be_changed(data: object, *, may: bool) -> None:
    """An item may be changed only if Directus allows exactly this action."""
    with upstream(reply({"data": data})) as directus:
        async with rows_of() as rows:
            answer = await rows.may(CALLER, Action.UPDATE, "a/b")

    assert answer is may
    [request] = directus.requests
    assert (request.method, request.url.raw_path) == ("GET", "/permissions/me/customers/a%2Fb")


@pytest.mark.parametrize(("number", "fits"), [(0, True), (99, True), (100, True), (101, False), (300, False)])
async def test_there_is_a_bound(number: int, *, fits: bool) -> None:
    """R2: Up to the bound all customers are found; one more ends the request instead of cutting the list."""
    values = [f"cus_{one}" for one in range(number)]
    pages = [values[start : start + 100] for start in range(0, max(number, 1), 99)]

    with upstream(*map(page, pages)) as directus:
        if fits:
            assert len(await ids(directus, most=100)) == number
        else:
            with pytest.raises(TooManyCustomers):
                await ids(directus, most=100)


async def test_pages_that_never_end_do() -> None:
    """U1: The client gives up an endless list of rows after as many pages as the bound can fill."""
    for one in (None, "pi_1", "cus_1"):
        with upstream(page([one] * 100)) as directus, pytest.raises(TooManyCustomers):
            await ids(directus, most=1000)

        assert len(directus.requests) <= 14


async def test_a_system_collection_has_its_own_address() -> None:
    """The rows of directus_users are read at /users."""
    with upstream(page([])) as directus:
        await ids(directus, collection="directus_users")

    assert directus.requests[0].url.path == "/users"


@pytest.mark.parametrize("data", [None, {}, "cus_1", {"cus": "cus_1"}])
async def test_a_malformed_list_is_no_answer(data: object) -> None:
    """A malformed answer is neither "no rows" nor a refusal."""
    with upstream(reply({"data": data})) as directus, pytest.raises(DirectusUnavailable):
        await ids(directus)


async def test_a_field_that_may_not_be_read() -> None:
    """R6: A refusal by Directus is raised as a refusal."""
    answer = reply({"errors": [{"extensions": {"code": "FORBIDDEN"}}]}, status=403)
    with upstream(answer) as directus, pytest.raises(ItemRefused):
        await ids(directus)


@pytest.mark.parametrize(
    ("keys", "alone"), [([1], True), ([1, 2], False), ([1, 1], True), ([1, None], False), ([None, None], False)]
)
async def test_whether_one_row_alone_names_a_customer(keys: list[int | None], alone: bool) -> None:  # noqa: FBT001 - a case's value
    """Two rows that name one customer are two, unless their keys show that one was read twice."""
    answer = reply({"data": [{"cus": "cus_1", "id": key} for key in keys]})

    row = await found("cus_1", answer, EVERY)

    assert row is not None
    assert (row.key, row.alone) == (keys[0], alone)
