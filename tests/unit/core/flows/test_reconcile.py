"""W1: which customer belongs in which item, and which cases are left to a person."""

from functools import reduce
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.permissions import Permissions
from sidecar.core.flows.customer_state import CustomerState
from sidecar.core.flows.reconcile import (
    Case,
    Fill,
    Finding,
    ListedCustomer,
    Problem,
    Seen,
    compare,
    decide,
    lacking,
    merge,
    unlisted,
)
from tests.doubles.collections import CUSTOMERS

A, B, C = "cus_A", "cus_B", "cus_C"
KEY = b"of these tests"


@pytest.mark.parametrize(
    ("stored", "cases"),
    [
        ({"7": None}, [Case("7", None, (A,))]),
        ({"7": A}, []),
        ({"7": B}, [Case("7", B, (A,))]),
        ({"7": ""}, [Case("7", "", (A,))]),
        ({"8": None}, []),
    ],
    ids=["empty", "its own", "another's", "an empty text", "not there"],
)
def test_one_customer_against_its_item(stored: dict[str, str | None], cases: list[Case]) -> None:
    """A customer is a case unless its item already contains its ID or does not exist."""
    assert list(compare([ListedCustomer(A, "7")], stored)) == cases


@pytest.mark.parametrize(
    ("case", "state", "verdict"),
    [
        (Case("7", None, (A,)), CustomerState.ALIVE, Fill("7", A)),
        (Case("7", None, (A, B)), CustomerState.ALIVE, Finding(Problem.SEVERAL, "7", (A, B))),
        (Case("7", A, (B,)), CustomerState.ALIVE, Finding(Problem.SEVERAL, "7", (A, B))),
        (Case("7", A, ()), CustomerState.ALIVE, None),
        (Case("7", A, ()), CustomerState.DELETED, Finding(Problem.DELETED, "7", (A,))),
        (Case("7", A, (B,)), CustomerState.DELETED, Finding(Problem.DELETED, "7", (A, B))),
        (Case("7", A, ()), CustomerState.UNKNOWN, Finding(Problem.UNKNOWN, "7", (A,))),
        (Case("7", "", (B,)), CustomerState.UNKNOWN, Finding(Problem.UNKNOWN, "7", ("", B))),
    ],
)
def test_verdicts(case: Case, state: CustomerState, verdict: Fill | Finding | None) -> None:
    """Only an empty item that one customer names is filled; every other mismatch is left to a person."""
    assert decide(case, state) == verdict


def test_a_later_look_counts() -> None:
    """An ID that another run wrote meanwhile is no second customer of its item."""
    earlier, later = Case("7", None, (A,)), Case("7", A, (B,))

    assert merge(earlier, later) == Case("7", A, (B,))
    assert merge(Case("7", None, (A,)), Case("7", None, (A, B))) == Case("7", None, (A, B))


ids = st.sampled_from([A, B, C, "cus_D", "cus_E"])
keys = st.sampled_from(["1", "2", "3"])
customers = st.lists(st.builds(ListedCustomer, ids, keys), unique_by=lambda customer: customer.id)
items = st.dictionaries(keys, st.none() | ids)
sizes = st.integers(1, 3)


def verdicts(
    listed: list[ListedCustomer], stored: dict[str, str | None], size: int
) -> dict[str, Fill | Finding | None]:
    """Judge page by page; every customer that an item can contain exists."""
    pages = [listed[start : start + size] for start in range(0, len(listed), size)]
    cases = sorted((case for page in pages for case in compare(page, stored)), key=lambda case: case.item)
    joined = {item: reduce(merge, group) for item, group in groupby(cases, key=lambda case: case.item)}
    return {item: decide(case, CustomerState.ALIVE) for item, case in joined.items()}


@given(customers, items, sizes)
def test_fills_are_safe_and_complete(listed: list[ListedCustomer], stored: dict[str, str | None], size: int) -> None:
    """W1: An item is filled if, and only if, it is empty and exactly one customer names it."""
    found = verdicts(listed, stored, size)

    for item, present in stored.items():
        naming = [customer.id for customer in listed if customer.item == item]
        expected = Fill(item, naming[0]) if present is None and len(naming) == 1 else None
        verdict = found.get(item)
        assert (verdict if isinstance(verdict, Fill) else None) == expected
        assert isinstance(verdict, Finding) == (len({*naming, *([present] if present else [])}) > 1 and bool(naming))


@given(customers, items, sizes, sizes)
def test_pages_do_not_matter(
    listed: list[ListedCustomer], stored: dict[str, str | None], first: int, second: int
) -> None:
    """The verdicts do not depend on how Stripe cuts its list into pages."""
    assert verdicts(listed, stored, first) == verdicts(listed, stored, second)


@given(customers, items, sizes)
def test_a_second_run_has_nothing_to_fill(
    listed: list[ListedCustomer], stored: dict[str, str | None], size: int
) -> None:
    """In the next run a filled item is in order, and the other cases are reported again."""
    found = verdicts(listed, stored, size)
    filled = stored | {fill.item: fill.customer for fill in found.values() if isinstance(fill, Fill)}

    again = verdicts(listed, filled, size)

    assert not [verdict for verdict in again.values() if isinstance(verdict, Fill)]
    findings = {item: verdict for item, verdict in found.items() if isinstance(verdict, Finding)}
    assert again.items() >= findings.items()


@given(st.lists(st.text(max_size=20), max_size=50))
def test_a_listed_customer_is_known(listed: list[str]) -> None:
    """A customer that Stripe listed is never reported as missing from the list."""
    seen = Seen(KEY)
    seen.update(listed)

    assert all(customer in seen for customer in listed)
    assert "cus_NeverListed" not in Seen(KEY)


def test_hardly_anything_else_is_known() -> None:
    """Next to a hundred thousand listed customers, of as many others none counts as listed; 0.00001 are expected."""
    seen = Seen(KEY)
    seen.update(f"cus_{number}" for number in range(100_000))

    assert all(f"cus_{number}" in seen for number in range(100_000))
    assert not [number for number in range(100_000) if f"cus_not{number}" in seen]


def claimed_by_a_full_one(key: bytes) -> set[int]:
    """Give those of a hundred thousand others that count as listed, with as little room for each as for ten million."""
    seen = Seen(key, places=1 << 14)
    seen.update(f"cus_{number}" for number in range(1_221))
    return {number for number in range(100_000) if f"cus_not{number}" in seen}


def test_each_run_errs_with_others() -> None:
    """With ten million listed, one in 230 others counts as listed, and with another key these are others."""
    first, second = claimed_by_a_full_one(KEY), claimed_by_a_full_one(b"of another run")

    assert 100_000 // 270 < len(first) < 100_000 // 190
    assert 100_000 // 270 < len(second) < 100_000 // 190
    assert len(first & second) < 20


def test_items_of_unlisted_customers() -> None:
    """An item is checked if Stripe did not list its customer, or if it contains no customer ID at all."""
    seen = Seen(KEY)
    seen.update([A, "../balance"])

    assert list(unlisted({"1": A, "2": B, "3": "../balance"}, seen)) == [Case("2", B, ()), Case("3", "../balance", ())]


def permissions(**actions: object) -> Permissions:
    return Permissions.from_directus({"customers": actions}, ["customers"])


READ = {"access": "full", "fields": ["id", "cus"]}
UPDATE = {"access": "partial", "fields": ["cus"]}


@pytest.mark.parametrize(
    ("granted", "needs"),
    [
        (permissions(read=READ, update=UPDATE), []),
        (permissions(read={"access": "full", "fields": ["*"]}, update={"access": "full", "fields": ["*"]}), []),
        (permissions(read={**READ, "access": "partial"}, update=UPDATE), ["read all items of customers"]),
        (permissions(read={**READ, "fields": ["id"]}, update=UPDATE), ["read customers.id and .cus"]),
        (permissions(read=READ), ["update customers.cus"]),
        (permissions(read=READ, update={**UPDATE, "fields": ["name"]}), ["update customers.cus"]),
    ],
)
def test_rights_that_are_needed(granted: Permissions, needs: list[str]) -> None:
    """A caller that does not see every item cannot tell which one is gone."""
    assert lacking(granted, CUSTOMERS) == needs


def test_nothing_granted_names_every_need() -> None:
    """A token without any right is told everything that it lacks."""
    assert len(lacking(permissions(), CUSTOMERS)) == 3


@pytest.mark.parametrize(
    ("update", "needs"),
    [
        ({"access": "full", "fields": ["cus", "state"]}, []),
        ({"access": "partial", "fields": ["cus", "state"]}, ["read and update customers.state of every item"]),
        ({"access": "full", "fields": ["cus"]}, ["read and update customers.state of every item"]),
    ],
)
def test_rights_to_repair(update: object, needs: list[str]) -> None:
    """Where fields repeat what belongs to a customer, the service must be allowed to change them in every item."""
    read = {"access": "full", "fields": ["id", "cus", "state"]}
    granted = Permissions.from_directus({"customers": {"read": read, "update": update}}, {"customers"})

    assert lacking(granted, CUSTOMERS, ["state"]) == needs
