"""One question for items: by SEARCH, and by GET where a proxy or a CDN lets no SEARCH through."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.item_search import ItemSearch, chunks
from sidecar.clients.http import open_session
from sidecar.errors import DirectusUnavailable, ItemRefused
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, Row, User, full, grants
from tests.unit.clients.directus.sources import credential

ID = "stripe_customer_id"
SERVICE = credential("service")
CDN = faults.answer(405, "<html>Method Not Allowed</html>", "text/html")
QUERY = {
    "fields": ["id", ID],
    "filter": {"id": {"_in": ["1", "2", "a&b=c#ü"]}},
    "sort": ["id"],
    "limit": 5,
    "offset": 0,
}
ROWS: list[Row] = [{"id": 1, ID: None}, {"id": 2, ID: "cus_2"}]


@asynccontextmanager
async def search_of(directus: DirectusDouble) -> AsyncIterator[ItemSearch]:
    directus.add_users([User("service", "service", grants(read=full()))])
    for row in (*ROWS, {"id": 3, ID: "cus_3"}):
        directus.add_row(**row)
    async with open_session(total=0.5, connect=0.5, connections=1) as session:
        client = DirectusClient(session, directus.url, address_header="X-Forwarded-For")
        yield ItemSearch(client, "customers")


def methods(directus: DirectusDouble) -> list[str]:
    return [request.method for request in directus.requests]


def no_search(directus: DirectusDouble, fault: faults.Fault = CDN) -> None:
    directus.fail(fault, when=lambda request: request.method == "SEARCH")


async def test_by_search(directus: DirectusDouble) -> None:
    """A question is a SEARCH with the query as it is."""
    async with search_of(directus) as search:
        assert await search.items(SERVICE, QUERY, "read") == ROWS

    [request] = directus.requests
    assert (request.method, json.loads(request.body)) == ("SEARCH", {"query": QUERY})


@pytest.mark.parametrize(
    "fault",
    [
        CDN,
        faults.answer(501, "<html>", "text/html"),
        faults.answer(403, '{"message": "Missing Authentication Token"}'),
        faults.answer(404, '{"message": "no Route matched"}'),
        faults.answer(400),
    ],
)
async def test_by_get(directus: DirectusDouble, fault: faults.Fault) -> None:
    """Where SEARCH is refused by something that is not Directus, a GET gives the same rows, from then on at once."""
    no_search(directus, fault)

    async with search_of(directus) as search:
        assert [await search.items(SERVICE, QUERY, "read") for _ in range(2)] == [ROWS, ROWS]
        assert search.by_get

    assert methods(directus) == ["SEARCH", "GET", "GET"]
    assert directus.requests[-1].values("Authorization") == ["Bearer service"]


async def test_no_cache_can_answer(directus: DirectusDouble) -> None:
    """No two questions by GET have the same address, and Directus stores no answer to them."""
    no_search(directus)

    async with search_of(directus) as search:
        for _ in range(3):
            await search.items(SERVICE, QUERY, "read")

    asked = [request for request in directus.requests if request.method == "GET"]
    assert len({request.target for request in asked}) == 3
    assert {request.query["export"] for request in asked} == {"json"}


@pytest.mark.parametrize("fault", [faults.reset_before_headers, faults.close_at_once])
async def test_connections_that_break_off(directus: DirectusDouble, fault: faults.Fault) -> None:
    """A SEARCH whose connection breaks off is asked by GET; after three in a row no SEARCH is sent any more."""
    async with search_of(directus) as search:
        directus.fail(fault, when=lambda request: request.method == "SEARCH", times=2)
        for _ in range(3):
            assert await search.items(SERVICE, QUERY, "read") == ROWS
        gave_up_after_two = search.by_get
        no_search(directus, fault)
        for _ in range(4):
            assert await search.items(SERVICE, QUERY, "read") == ROWS

    assert (gave_up_after_two, search.by_get) == (False, True)
    assert methods(directus) == ["SEARCH", "GET"] * 2 + ["SEARCH"] + ["SEARCH", "GET"] * 3 + ["GET"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "FORBIDDEN"), (400, "INVALID_QUERY"), (401, "TOKEN_EXPIRED"), (404, "NOT_FOUND")],
)
async def test_directus_refuses(directus: DirectusDouble, status: int, code: str) -> None:
    """R1: A refusal of Directus itself is its word, and is not asked about again."""
    no_search(directus, faults.answer(status, json.dumps({"errors": [{"extensions": {"code": code}}]})))

    async with search_of(directus) as search:
        with pytest.raises(ItemRefused, match=code):
            await search.items(SERVICE, QUERY, "read")

    assert methods(directus) == ["SEARCH"]


async def test_a_route_that_directus_does_not_have(directus: DirectusDouble) -> None:
    """Where Directus itself knows no such route, the set-up is at fault: nobody is refused, and no GET is tried."""
    error = {"errors": [{"extensions": {"code": "ROUTE_NOT_FOUND"}}]}
    no_search(directus, faults.answer(404, json.dumps(error)))

    async with search_of(directus) as search:
        with pytest.raises(DirectusUnavailable):
            await search.items(SERVICE, QUERY, "read")

    assert methods(directus) == ["SEARCH"]


@pytest.mark.parametrize(
    "fault",
    [
        faults.answer(200, "<html>Are you human?</html>", "text/html"),
        faults.answer(200, '{"data": null}'),
        faults.answer(200, '{"data": {}}'),
        faults.answer(204),
        faults.answer(302, Location="/login"),
        faults.answer(429, '{"errors": [{"extensions": {"code": "REQUESTS_EXCEEDED"}}]}'),
        faults.answer(502, "<html>", "text/html"),
        faults.answer(503, '{"errors": []}'),
        faults.half_json,
        faults.hang,
        faults.not_http,
    ],
)
async def test_neither_kind(directus: DirectusDouble, fault: faults.Fault) -> None:
    """U1: An answer that neither Directus nor a proxy's refusal of SEARCH explains is an outage."""
    no_search(directus, fault)

    async with search_of(directus) as search:
        with pytest.raises(DirectusUnavailable):
            await search.items(SERVICE, QUERY, "read")
        assert not search.by_get

    assert "GET" not in methods(directus)


@pytest.mark.parametrize("fault", [CDN, faults.reset_before_headers, faults.answer(200, "[]", "text/html")])
async def test_get_is_let_through_no_more(directus: DirectusDouble, fault: faults.Fault) -> None:
    """U1: If no GET gets through either, that is an outage, and SEARCH is tried again at the next question."""
    no_search(directus)
    directus.fail(fault, when=lambda request: request.method == "GET")

    async with search_of(directus) as search:
        with pytest.raises(DirectusUnavailable):
            await search.items(SERVICE, QUERY, "read")
        directus.recover()
        assert await search.items(SERVICE, QUERY, "read") == ROWS

    assert methods(directus)[-1] == "SEARCH"


async def test_refused_by_get(directus: DirectusDouble) -> None:
    """R1: Directus's refusal of a GET is a refusal."""
    no_search(directus)

    async with search_of(directus) as search:
        directus.users["service"].permissions = grants(read=full("id"))
        with pytest.raises(ItemRefused, match="FORBIDDEN"):
            await search.items(SERVICE, QUERY, "read")


@given(values=st.lists(st.text(min_size=1, max_size=300), max_size=40), most=st.integers(1, 100))
def test_chunks(values: list[str], most: int) -> None:
    """Each list of values fits into a page and into a URL, and together they are all values in order."""
    lists = list(chunks(values, most))

    assert [value for chunk in lists for value in chunk] == values
    assert all(1 <= len(chunk) <= most for chunk in lists)
    assert all(len(chunk) == 1 or len(quote(json.dumps(chunk, ensure_ascii=False))) <= 4096 for chunk in lists)
