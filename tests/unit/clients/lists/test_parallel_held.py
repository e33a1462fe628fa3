"""Whole lists fetch ahead of their readers as far as there is room, and always what a reader waits for."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.lists.held import HeldBytes
from sidecar.clients.lists.parallel import Fetch, ParallelList
from sidecar.core.operations.list_query import RenderedPage, Span
from sidecar.errors import StripeUnavailable
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.lists.paged_account import KINDS, Account, in_time_order, times

PAGE = 1_000  # bytes


def fetching(account: Account, size: int = PAGE) -> Fetch:
    async def fetch(parameters: Mapping[str, str]) -> RenderedPage:
        page = await account.fetch(parameters)
        return RenderedPage(b"x" * size, page.ids, page.more, page.newest, page.oldest, page.in_order)

    return fetch


def opened(account: Account, held: HeldBytes, concurrency: int = 6) -> AsyncGenerator[RenderedPage]:
    return ParallelList(fetching(account), concurrency, held=held).pages(Span())


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(KINDS)),
    st.integers(0, 3_000),
    st.integers(0, 1_000_000),
    st.sampled_from([0, 1, PAGE, 3 * PAGE, 20 * PAGE]),
    st.sampled_from([1, 2, 6, 32]),
)
def test_whole_with_any_room(kind: str, number: int, seed: int, most: int, concurrency: int) -> None:
    """F5: With any room a list is whole, and it holds no more than its room and the page that its reader waits for."""

    @in_virtual_time
    async def test() -> None:
        account, held = Account(in_time_order(times(kind, number, seed))), HeldBytes(most)
        found: list[str] = []
        async for page in opened(account, held, concurrency):
            found += page.ids
            assert held.total <= max(most // 2, PAGE) + PAGE

        assert [identifier for _, identifier in account.rows] == found
        assert held.total == 0

    test()


@in_virtual_time
async def test_many_slow_readers() -> None:
    """F5: However many readers stop, their lists hold no more than the most, and one more reader gets its list."""
    held = HeldBytes(100 * PAGE)
    lists = [opened(Account(in_time_order(times("even", 5_000, seed))), held) for seed in range(40)]

    await asyncio.gather(*(anext(pages) for pages in lists))
    for _ in range(3):
        await asyncio.gather(*(anext(pages) for pages in lists))
        await asyncio.sleep(100)
        assert held.total <= held.most

    more = Account(in_time_order(times("even", 5_000, 100)))
    found = [name for page in [page async for page in opened(more, held)] for name in page.ids]

    assert [identifier for _, identifier in more.rows] == found
    for pages in lists:
        await pages.aclose()
    assert held.total == 0


@in_virtual_time
async def test_one_list_has_all_its_speed() -> None:
    """One list alone fetches as far ahead as without a bound, if half of the bytes are enough."""
    account, held = Account(in_time_order(times("even", 10_000, 1))), HeldBytes(2 * 60 * PAGE)

    async with aclosing(opened(account, held)) as pages:
        [_ async for _ in pages]

    assert asyncio.get_running_loop().time() <= 24


@pytest.mark.parametrize("fails", [1, 2, 9])
@in_virtual_time
async def test_list_that_fails(fails: int) -> None:
    """F5: A list that ends in an error gives everything back."""

    def fail(_account: Account, _parameters: Mapping[str, str]) -> None:
        raise StripeUnavailable("down")

    account, held = Account(in_time_order(times("even", 3_000, 1)), {fails: fail}), HeldBytes()

    with pytest.raises(StripeUnavailable):
        [_ async for _ in opened(account, held)]

    assert (held.total, account.under_way) == (0, 0)
