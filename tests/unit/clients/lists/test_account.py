"""The account's lists: pages, whole lists shared by callers with the same view, and plain pagination as a fallback."""

import asyncio

import pytest

from sidecar.clients.lists.account import AccountLists, rendered
from sidecar.clients.lists.shared import SharedStreams
from sidecar.core.operations.list_query import ListQuery, RenderedPage, Span
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.views import OneView, View
from sidecar.errors import StripeUnavailable
from sidecar.web.answers.rendering import Rendering
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.paged_account import Account, in_time_order, times

PAYMENTS = "/v1/payment_intents"
WHOLE = ListQuery()
ALL = Rendering(OneView(View(everything=True)))


def account_lists(account: Account) -> AccountLists:
    return AccountLists(account, 6, SharedStreams(), account)


async def whole(
    lists: AccountLists, query: ListQuery = WHOLE, render: Rendering = ALL, *, customer: str = "", pause: float = 0
) -> list[str]:
    filters = {"customer": customer} if customer else {}
    found: list[str] = []
    async for page in lists.whole(PAYMENTS, filters, query, render):
        found += page.ids
        await asyncio.sleep(pause)
    return found


@in_virtual_time
async def test_one_page() -> None:
    """A page is requested with the caller's parameters and nothing else."""
    account = Account(in_time_order(times("even", 250, 1)))
    query = ListQuery(limit=7, starting_after="pi_9", span=Span(5, 2_000_000_000))

    page = await account_lists(account).page(PAYMENTS, {"customer": "cus_1"}, query)

    assert [entry["id"] for entry in page.data] == [f"pi_{number}" for number in range(10, 17)]
    assert page.more
    assert account.parameters == [
        {
            "customer": "cus_1",
            "limit": "7",
            "starting_after": "pi_9",
            "created[gte]": "5",
            "created[lt]": "2000000000",
        }
    ]


@in_virtual_time
async def test_whole_list_from_a_cursor() -> None:
    """A whole list may start after an object, and its filters are in every request."""
    account = Account(in_time_order(times("even", 1_500, 1)))

    found = await whole(account_lists(account), ListQuery(starting_after="pi_99"), customer="cus_1")

    assert found == [f"pi_{number}" for number in range(100, 1_500)]
    assert {parameters["customer"] for parameters in account.parameters} == {"cus_1"}


@in_virtual_time
async def test_same_list_at_once() -> None:
    """Callers with the same view that ask for the same list at once share its requests."""
    account = Account(in_time_order(times("even", 1_500, 1)))
    lists = account_lists(account)

    results = await asyncio.gather(*(whole(lists) for _ in range(20)))
    alone = account.asked
    again = await whole(lists)

    assert {len(found) for found in [*results, again]} == {1_500}
    assert alone < 2 * 15
    assert account.asked > alone


@in_virtual_time
async def test_a_list_that_was_forgotten_is_not_joined() -> None:
    """C7: A list started before a change at Stripe is not given to callers that ask after the change."""
    account = Account(in_time_order(times("even", 50, 1)))
    shared = SharedStreams[RenderedPage]()
    lists = AccountLists(account, 6, shared, account)
    before = asyncio.ensure_future(whole(lists))
    await asyncio.sleep(0)

    shared.forget()
    after = await whole(lists)

    assert await before == after
    assert account.asked == 2


@pytest.mark.parametrize(
    "other",
    [
        {"query": ListQuery(span=Span(since=5))},
        {"query": ListQuery(starting_after="pi_1")},
        {"render": Rendering(OneView(View(everything=True)), lines=True)},
        {"render": Rendering(OneView(View(everything=True, secrets=True)))},
        {"render": Rendering(OneView(View(attributes=frozenset({"email"}))))},
        {"customer": "cus_1"},
    ],
)
@in_virtual_time
async def test_other_lists_are_not_shared(other: dict[str, str]) -> None:
    """Another query, view, form or customer makes another list."""
    account = Account(in_time_order(times("even", 50, 1)))
    lists = account_lists(account)

    await asyncio.gather(whole(lists), whole(lists, **other))  # type: ignore[arg-type]  # each of its own type

    assert account.asked == 2


@in_virtual_time
async def test_slow_reader_goes_on_alone() -> None:
    """A reader that fell behind gets the rest from after its last object, even if that object was deleted."""
    account = Account(in_time_order(times("even", 3_000, 1)))
    lists = account_lists(account)
    slow = asyncio.ensure_future(whole(lists, pause=50))

    quick = await whole(lists)
    account.delete(99)
    rest = await slow

    assert len(quick) == 3_000
    assert set(quick) - account.deleted <= set(rest)
    assert len(set(rest)) == len(rest)


@in_virtual_time
async def test_list_out_of_order() -> None:
    """A list that is not ordered by time ends in an error once, and uses plain pagination from then on."""
    rows = in_time_order(times("even", 2_000, 1))
    rows.insert(900, rows.pop(5))
    account = Account(rows)
    lists = account_lists(account)

    with pytest.raises(StripeUnavailable, match="not in order"):
        await whole(lists)
    asked = account.asked

    assert await whole(lists) == [identifier for _, identifier in rows]
    assert account.asked - asked == 20


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "pi_1"},
        {"created": 1},
        {"id": 7, "created": 1},
        *({"id": "pi_1", "created": created} for created in ("1", 1.0, True, -1, 10**12)),
    ],
)
async def test_object_that_cannot_be_ordered(entry: StripeObject) -> None:
    """An object without ID or proper date is an error: pagination could not continue after it."""
    with pytest.raises(StripeUnavailable):
        await rendered(Page([entry], more=False), ALL)
