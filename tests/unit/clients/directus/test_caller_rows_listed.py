"""The rows of callers in a Directus with many rows, low limits, and policies that show the same row differently."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.clients.directus.caller_rows import DirectusRows
from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.http import open_session
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.permissions import EVERY_FIELD, AllowedFields
from sidecar.core.interfaces import Row
from sidecar.errors import TooManyCustomers
from tests.doubles.directus import DirectusDouble, User, grants, partial
from tests.unit.clients.directus.sources import credential

ID = "stripe_customer_id"
CALLER = credential("the-token")
OWN = AllowedFields(frozenset({"id", ID}))
BOTH = AllowedFields(OWN.names | {"name"})
EVERY = AllowedFields(frozenset({"*"}))
ONE_POLICY = User("ada", "the-token", grants(read=partial("id", ID, "name")))
TWO_POLICIES = User("ada", "the-token", grants(read=partial("id", ID, "name")), everywhere=("name",))


@asynccontextmanager
async def rows_of(
    directus: DirectusDouble, user: User = ONE_POLICY, *, most: int = 1000
) -> AsyncIterator[DirectusRows]:
    directus.add_users([user])
    async with open_session(total=5, connect=1, connections=2) as session:
        client = DirectusClient(session, directus.url, address_header="X-Forwarded-For")
        collection = CustomersCollection("customers", "id", ID)
        yield DirectusRows(client, collection=collection, fields=("name", "email"), most=most)


def fill(directus: DirectusDouble, own: int, foreign: int = 0) -> list[str]:
    """Store rows, the foreign ones in between; give the IDs in the own ones."""
    for number in range(own + foreign):
        owner = "ada" if number * own // (own + foreign) != (number + 1) * own // (own + foreign) else "bob"
        directus.add_row(owner=owner, name=f"n{number}", **{ID: f"cus_{number:05}"})
    return [str(row[ID]) for row in directus.rows["customers"].values() if row["owner"] == "ada"]


def shown(*names: str) -> AllowedFields:
    return AllowedFields(frozenset(names))


@pytest.mark.parametrize(
    ("own", "most", "questions"),
    [(0, None, 1), (5, None, 1), (99, None, 1), (100, None, 2), (200, None, 3), (1000, None, 11), (5, 100, 1)],
)
async def test_questions_for_a_caller_of_one_policy(
    directus: DirectusDouble, own: int, most: int | None, questions: int
) -> None:
    """A few rows are one question, and 200 rows are three."""
    directus.limit_max = most
    mine = fill(directus, own)

    async with rows_of(directus) as rows:
        assert list(await rows.find_all(CALLER, BOTH)) == mine

    assert len(directus.requests) == questions


@pytest.mark.parametrize(("own", "foreign", "questions"), [(2, 97, 1), (2, 398, 3), (2, 3000, 3), (200, 400, 7)])
async def test_rows_without_an_id_do_not_count(
    directus: DirectusDouble, own: int, foreign: int, questions: int
) -> None:
    """R1: However many rows show a name and no ID, the caller has the customers of its own rows, with their names."""
    mine = fill(directus, own, foreign)

    async with rows_of(directus, TWO_POLICIES, most=200) as rows:
        found = await rows.find_all(CALLER, BOTH)

    assert sorted(found) == mine
    assert {row.fields for row in found.values()} == {shown("id", ID, "name")}
    assert len(directus.requests) == questions


@pytest.mark.parametrize(
    ("own", "foreign", "first", "questions"),
    [
        (0, 0, None, 1),
        (2, 0, 2, 1),
        (99, 0, 99, 1),
        (100, 0, 100, 1),
        (5000, 0, 100, 1),
        (0, 99, None, 1),
        (0, 3000, None, 2),
        (2, 3000, 0, 2),
        (300, 600, 33, 1),
    ],
)
async def test_the_first_rows(
    directus: DirectusDouble, own: int, foreign: int, first: int | None, questions: int
) -> None:
    """F5: Whether a caller has a customer takes a question, two if rows without an ID fill the page; never a bound."""
    mine = fill(directus, own, foreign)

    async with rows_of(directus, TWO_POLICIES if foreign else ONE_POLICY, most=10) as rows:
        found = await rows.find_first(CALLER, BOTH)

    assert found.name_any is (own > 0)
    assert (sorted(found.rows), found.whole) == (mine[: first or 0], own + foreign < 100 or own == 0)
    assert len(directus.requests) == questions


@pytest.mark.parametrize("junk", [0, 150])
async def test_ids_that_are_no_customers(directus: DirectusDouble, junk: int) -> None:
    """F3: Rows with other IDs than customers' name nobody, and hide none behind them."""
    for number in range(junk):
        directus.add_row(owner="ada", name="n", **{ID: f"a_{number}"})

    async with rows_of(directus) as rows:
        before = await rows.find_first(CALLER, BOTH)
        directus.add_row(owner="ada", name="n", **{ID: "cus_1"})
        after = await rows.find_first(CALLER, BOTH)

    assert (before.name_any, after.name_any) == (False, True)


async def test_the_first_rows_with_a_low_limit(directus: DirectusDouble) -> None:
    """F5: With QUERY_LIMIT_MAX=10 the first rows of 200 are still one question, and all of them are 23."""
    directus.limit_max = 10
    fill(directus, 200)

    async with rows_of(directus) as rows:
        await rows.find_first(CALLER, BOTH)  # finds the limit out
        numbers = []
        for ask in (rows.find_first, rows.find_all):
            directus.requests.clear()
            await ask(CALLER, BOTH)
            numbers.append(len(directus.requests))

    assert numbers == [1, 23]


async def test_the_bound_counts_customers(directus: DirectusDouble) -> None:
    """R2: Of rows with an ID one more than the bound is refused, with or without other rows."""
    fill(directus, 11, 500)

    async with rows_of(directus, TWO_POLICIES, most=10) as rows:
        with pytest.raises(TooManyCustomers):
            await rows.find_all(CALLER, BOTH)


async def test_empty_ids_do_not_count(directus: DirectusDouble) -> None:
    """Rows with an empty text in the ID field are not read, as those with null."""
    for _ in range(500):
        directus.add_row(owner="ada", name="n", **{ID: ""})
    mine = directus.add_row(owner="ada", name="n", **{ID: "cus_1"})

    async with rows_of(directus, most=10) as rows:
        assert list(await rows.find_all(CALLER, BOTH)) == [mine[ID]]

    assert len(directus.requests) == 1


@pytest.mark.parametrize("most", [1, 2, 100])
async def test_two_rows_name_one_customer(directus: DirectusDouble, most: int) -> None:
    """A caller that sees two rows of one customer sees the fields of both, and acts with the first row's key."""
    directus.limit_max = most
    first = directus.add_row(owner="ada", name="Ada", email=None, note=None, **{ID: "cus_1"})
    directus.add_row(owner="ada", name=None, email="a@b.c", note=None, **{ID: "cus_1"})
    whole = {"name": "Ada", "email": "a@b.c", "note": "n"}
    directus.add_row(owner="ada", **whole, **{ID: "cus_2"})
    directus.add_row(owner="ada", **{**whole, "note": None}, **{ID: "cus_2"})

    async with rows_of(directus, User("ada", "the-token", grants(read=partial()))) as rows:
        found = await rows.find_all(CALLER, EVERY)
        one = await rows.find(CALLER, EVERY, "cus_1")

    both = Row(shown("id", "owner", ID, "name", "email"), int(str(first["id"])), alone=False)
    assert one == found["cus_1"] == both
    assert found["cus_2"].fields == EVERY_FIELD


@pytest.mark.parametrize("most", [1, 2, None])
async def test_a_customer_behind_others(directus: DirectusDouble, most: int | None) -> None:
    """R1: A customer is found behind rows that differ in case, and behind one that does not show its ID."""
    directus.limit_max, directus.case_matters = most, False
    directus.add_row(owner="ada", name="another", **{ID: "cus_A"})
    directus.add_row(owner="bob", name="hidden", **{ID: "cus_a"})
    directus.add_row(owner="ada", name="found", **{ID: "cus_a"})

    async with rows_of(directus, TWO_POLICIES) as rows:
        row = await rows.find(CALLER, BOTH, "cus_a")

    assert row == Row(shown("id", ID, "name"), 3)


@pytest.mark.parametrize("of_a_share", [False, True])
@pytest.mark.parametrize("most", [1, 2, 3, 50, 99, 101])
async def test_any_limit(directus: DirectusDouble, most: int, *, of_a_share: bool) -> None:
    """With any QUERY_LIMIT_MAX the list is whole; it is found out once, also where Directus does not tell it."""
    directus.limit_max = most
    mine = fill(directus, 120)
    user = User("ada", "the-token", grants(read=partial("id", ID, "name")), of_a_share=of_a_share)

    async with rows_of(directus, user) as rows:
        found = await rows.find_all(CALLER, BOTH)
        told = sum(request.path == "/server/info" for request in directus.requests)
        directus.requests.clear()
        again = await rows.find_all(CALLER, BOTH)

    assert list(found) == list(again) == mine
    assert (told > 0) is (most < 100)
    assert {request.method for request in directus.requests} == {"SEARCH"}


@given(
    most=st.one_of(st.none(), st.integers(1, 12)),
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "owner": st.sampled_from(("ada", "ada", "bob")),
                "name": st.sampled_from(("Ada", None)),
                ID: st.sampled_from((None, "", "pi_1", *(f"cus_{number}" for number in range(12)))),
            }
        ),
        max_size=40,
    ),
    two=st.booleans(),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_seen(most: int | None, rows: list[Mapping[str, object]], *, two: bool) -> None:
    """R1: For any rows and limit, the caller has the customers that its own rows name, each with its fields."""
    expected: dict[object, set[str]] = {}
    async with DirectusDouble.running() as directus:
        directus.limit_max = most
        for row in rows:
            directus.add_row(**row)
            if row["owner"] == "ada" and str(row[ID]).startswith("cus_"):
                names = {"id", ID, *(["name"] if row["name"] else [])}
                expected[row[ID]] = expected.get(row[ID], set()) | names

        async with rows_of(directus, TWO_POLICIES if two else ONE_POLICY) as listed:
            found = await listed.find_all(CALLER, BOTH)
            alone = await listed.find(CALLER, BOTH, "cus_1")

    assert {name: set(row.fields.names) for name, row in found.items()} == expected
    assert (None if alone is None else set(alone.fields.names)) == expected.get("cus_1")


async def test_ids_in_one_query(directus: DirectusDouble) -> None:
    """The fields of many rows are asked for by their IDs, at most one page of them at a time."""
    directus.limit_max = 50
    fill(directus, 120, 200)

    async with rows_of(directus, TWO_POLICIES) as rows:
        assert len(await rows.find_all(CALLER, BOTH)) == 120

    queries = [json.loads(request.body)["query"] for request in directus.requests if request.method == "SEARCH"]
    assert [len(query["filter"][ID]["_in"]) for query in queries if "_in" in query["filter"][ID]] == [49, 49, 22]


async def test_many_rows_name_one_customer(directus: DirectusDouble) -> None:
    """O2: Customers that were asked for by their IDs are found, however many rows of a shop name each."""
    for number in range(350):
        directus.add_row(owner="ada", name="n", **{ID: f"cus_{number % 2}"})

    async with rows_of(directus) as rows:
        found = await rows.find_these(CALLER, shown("name", ID), ["cus_0", "cus_1"])

    assert sorted(found) == ["cus_0", "cus_1"]
