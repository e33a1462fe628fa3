"""Bytes held ready are counted over all lists, and shared between them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.lists.held import HeldBytes

STEPS = st.lists(st.tuples(st.integers(0, 7), st.integers(-500, 500)), max_size=200)


@given(STEPS)
def test_never_more_than_the_most(steps: list[tuple[int, int]]) -> None:
    """F5: Whatever lists fetch ahead and give in any order, together they hold no more than the most."""
    held = HeldBytes(2_000)
    accounts = [held.account() for _ in range(8)]

    for index, count in steps:
        if count < 0:
            accounts[index].remove(min(-count, accounts[index].own))
        elif accounts[index].has_room_for(count):
            accounts[index].add(count)

        assert held.total == sum(account.own for account in accounts) <= held.most


@pytest.mark.parametrize("lists", [1, 2, 7, 100])
def test_lists_that_take_all_they_can(lists: int) -> None:
    """F5: However many lists take all they can, each has an equal part, and as much is left for one more."""
    held = HeldBytes(1_000_000)
    accounts = [held.account() for _ in range(lists)]

    for _ in range(1_000_000):
        taking = [account for account in accounts if account.has_room_for(100)]
        if not taking:
            break
        for account in taking:
            account.add(100)

    part = held.most / (lists + 1)
    assert all(abs(account.own - part) <= 200 for account in accounts)
    assert held.account().has_room_for(int(part) // 2 - 200)


def test_everything_is_given_back() -> None:
    """F5: A list that ends gives everything back, also what it only expected and what was being sent."""
    held = HeldBytes(1_000)
    account = held.account()
    account.add(300)

    with suppress(ZeroDivisionError), account.expecting(200), held.holding(100):
        assert (held.total, account.own) == (600, 500)
        raise ZeroDivisionError
    account.close()

    assert (held.total, account.own) == (0, 0)
