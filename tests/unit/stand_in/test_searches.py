"""Searches of the stand-in for Stripe: its query language, its pages, and how late it finds things."""

import pytest

from deploy.stripe_stand_in.errors import Object, StripeError
from deploy.stripe_stand_in.searches import LATE, found

NOW = 1_000
PEOPLE: list[Object] = [
    {"id": "cus_3", "name": "Ada", "email": "ada@example.com", "created": 900, "metadata": {"a": "1"}},
    {"id": "cus_2", "name": "Bob", "email": "bob@example.com", "created": 800, "metadata": {}},
    {"id": "cus_1", "name": "Ada", "email": None, "created": 700, "metadata": {"a": "2"}},
]


def ids(query: str, **more: object) -> list[str]:
    answer = found("customer", PEOPLE, {"query": query, **more}, "/v1/customers/search", NOW)
    assert answer["object"] == "search_result"
    return [each["id"] for each in answer["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('name:"Ada"', ["cus_3", "cus_1"]),
        ("name:'ada' AND created>750", ["cus_3"]),
        ('-name:"Ada"', ["cus_2"]),
        ('metadata["a"]:"2"', ["cus_1"]),
        ("created<=800", ["cus_2", "cus_1"]),
        ('email:"nobody@example.com"', []),
    ],
)
def test_clauses(query: str, expected: list[str]) -> None:
    """All clauses of a query must match; letters are compared without their case."""
    assert ids(query) == expected


@pytest.mark.parametrize("query", ["Ada", "name=Ada", 'name:"Ada" OR name:"Bob"', 'phone_number:"1"', ""])
def test_what_is_no_query(query: str) -> None:
    """An unknown field and anything that is no clause are refused."""
    with pytest.raises(StripeError):
        ids(query)


def test_pages_of_what_is_found() -> None:
    """Each page says how the next one is asked for, and the last one that there is none."""
    first = found("customer", PEOPLE, {"query": "created>0", "limit": 2}, "", NOW)
    last = found("customer", PEOPLE, {"query": "created>0", "limit": 2, "page": first["next_page"]}, "", NOW)

    assert [each["id"] for each in (*first["data"], *last["data"])] == ["cus_3", "cus_2", "cus_1"]
    assert (first["has_more"], last["has_more"], last["next_page"]) == (True, False, None)
    with pytest.raises(StripeError):
        ids("created>0", page="two")


def test_new_things_are_found_late() -> None:
    """What is younger than Stripe's delay is not found yet."""
    new: list[Object] = [{"id": "cus_4", "created": NOW - LATE + 1}, {"id": "cus_3", "created": NOW - LATE}]

    answer = found("customer", new, {"query": "created>0"}, "", NOW)

    assert [each["id"] for each in answer["data"]] == ["cus_3"]
