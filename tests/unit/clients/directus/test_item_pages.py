"""Lists of items that are longer than a page, in a Directus with limits of its own, while items change."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count, islice

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.item_pages import ItemPages
from sidecar.clients.http import open_session
from sidecar.errors import DirectusUnavailable, ItemRefused
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.doubles.faults import Fault, Handler
from tests.unit.clients.directus.sources import credential

ID = "stripe_customer_id"
SERVICE = credential("service")
EVERYTHING = {"fields": ["id", ID], "filter": {ID: {"_nnull": True}}, "sort": ["id"]}


@asynccontextmanager
async def pages_of(directus: DirectusDouble, *, of_a_share: bool = False) -> AsyncIterator[ItemPages]:
    directus.add_users([User("service", "service", grants(read=full()), of_a_share=of_a_share)])
    async with open_session(total=5, connect=1, connections=1) as session:
        client = DirectusClient(session, directus.url, address_header="X-Forwarded-For")
        yield ItemPages(client, "customers")


async def keys(pages: ItemPages, most: int | None = None) -> list[object]:
    """Give the primary keys of a whole list, as often as they came."""
    rows, found = pages.of(SERVICE, EVERYTHING, "read the items", most), []
    while not rows.ended:
        found += [row["id"] for row in await rows.next_page()]
    return found


def fill(directus: DirectusDouble, number: int) -> list[object]:
    return [directus.add_row(id=key, **{ID: f"cus_{key}"})["id"] for key in range(100, 100 + number)]


def afterwards(*changes: Callable[[], object]) -> Fault:
    """Answer each request, and then make the next of these changes."""
    left = list(changes)

    async def fault(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if left and request.path.startswith("/items"):
            left.pop(0)()
        return answer

    return fault


@pytest.mark.parametrize("most", [1, 2, 3, 99, 100, 101, None])
async def test_every_item_once(directus: DirectusDouble, most: int | None) -> None:
    """Every item comes once, whatever the limit is."""
    directus.limit_max = most
    there = fill(directus, 205)

    async with pages_of(directus) as pages:
        assert await keys(pages) == there
        assert pages.size == min(most or 100, 100)


@pytest.mark.parametrize("most", [None, 1])
async def test_no_list_at_all(directus: DirectusDouble, most: int | None) -> None:
    """With QUERY_LIMIT_MAX=0 nothing can be read, which is nobody's refusal and names the setting."""
    directus.limit_max = 0
    fill(directus, 5)

    async with pages_of(directus) as pages:
        with pytest.raises(DirectusUnavailable) as raised:
            await keys(pages, most)

    assert "QUERY_LIMIT_MAX" in str(raised.value.detail)


async def test_the_limit_is_told(directus: DirectusDouble) -> None:
    """Directus is asked for its limit once, and then has no reason to refuse one."""
    directus.limit_max = 30
    fill(directus, 5)

    async with pages_of(directus) as pages:
        await keys(pages)
        await keys(pages)

    items = "/items/customers"
    assert [request.path for request in directus.requests] == [items, "/server/info", items, items]


async def test_the_limit_is_not_told(directus: DirectusDouble) -> None:
    """Where Directus does not tell its limit, ever smaller ones are tried."""
    directus.limit_max = 30
    there = fill(directus, 40)

    async with pages_of(directus, of_a_share=True) as pages:
        assert await keys(pages) == there
        assert pages.size == 25


async def test_a_lower_limit_from_now_on(directus: DirectusDouble) -> None:
    """A Directus that is started again with a lower limit gives the rest of a list that began before."""
    there = fill(directus, 205)
    directus.fail(afterwards(lambda: setattr(directus, "limit_max", 7)))

    async with pages_of(directus) as pages:
        assert await keys(pages) == there
        assert pages.size == 7


@pytest.mark.parametrize("most", [None, 2, 50])
@pytest.mark.parametrize("of_a_share", [False, True])
async def test_another_reason_for_a_refusal(directus: DirectusDouble, most: int | None, *, of_a_share: bool) -> None:
    """A query that Directus refuses for another reason stays refused, and the next page is no smaller for it."""
    directus.limit_max = most
    there = fill(directus, 3)
    refusal = '{"errors": [{"extensions": {"code": "INVALID_QUERY"}}]}'

    async with pages_of(directus, of_a_share=of_a_share) as pages:
        await keys(pages)
        size = pages.size
        directus.fail(faults.answer(400, refusal), when=lambda request: request.method == "SEARCH")
        with pytest.raises(ItemRefused):
            await keys(pages)
        directus.recover()
        assert await keys(pages) == there
        assert pages.size == size


async def test_a_known_number_of_items(directus: DirectusDouble) -> None:
    """A list ends with as many items as there can be, and its small limit is not kept for others."""
    fill(directus, 205)

    async with pages_of(directus) as pages:
        assert len(await keys(pages, most=3)) == 3
        assert pages.size == 100

    [request] = directus.requests
    assert json.loads(request.body)["query"]["limit"] == 3


@pytest.mark.parametrize("most", [2, 10, 100])
@pytest.mark.parametrize("deleted", [1, 2, 50, 99, 100, 149])
async def test_items_deleted_meanwhile(directus: DirectusDouble, most: int, deleted: int) -> None:
    """Items that are deleted behind the reader make it skip no other item."""
    directus.limit_max = most
    there = fill(directus, 205)
    rows = directus.rows["customers"]

    def delete() -> None:
        for key in there[:deleted]:
            del rows[str(key)]

    directus.fail(afterwards(*[lambda: None] * (150 // most), delete))

    async with pages_of(directus) as pages:
        found = await keys(pages)

    assert set(found) >= set(there[deleted:])
    assert len(set(found)) == len(found)


@given(
    most=st.integers(2, 6),
    changes=st.lists(
        st.tuples(st.sampled_from(("delete", "insert", "nothing")), st.integers(0, 60)), min_size=1, max_size=30
    ),
)
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_changes(most: int, changes: list[tuple[str, int]]) -> None:
    """Every item that is there from the beginning to the end is read, whatever else is inserted and deleted."""
    async with DirectusDouble.running() as directus:
        directus.limit_max = most
        rows = directus.rows["customers"]
        for key in range(0, 60, 2):
            directus.add_row(id=key, **{ID: f"cus_{key}"})
        before = set(rows)

        def change(what: str, key: int) -> None:
            if what == "delete":
                rows.pop(str(key), None)
            elif what == "insert" and str(key) not in before:
                directus.add_row(id=key, **{ID: f"cus_{key}"})

        directus.fail(afterwards(*[lambda one=one: change(*one) for one in changes]))
        async with pages_of(directus) as pages:
            found = {str(key) for key in await keys(pages)}

        assert found >= before & set(rows)


async def test_items_that_never_rest(directus: DirectusDouble) -> None:
    """A list in which every page begins with an unknown item ends as an outage."""
    fill(directus, 205)
    numbers = count()

    def replace_all() -> None:
        directus.rows["customers"].clear()
        for key in islice(numbers, 205):
            directus.add_row(id=key, **{ID: f"cus_{key}"})

    directus.fail(afterwards(*[replace_all] * 45))
    async with pages_of(directus) as pages:
        with pytest.raises(DirectusUnavailable):
            await keys(pages)
