"""The benchmarks' Stripe, whose list of payments grows."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.upstream import NEWEST, Objects

_OWNERS = 3
_MOMENTS = st.integers(NEWEST - 2_000, NEWEST + 1_000).map(str)


@given(
    growths=st.lists(st.integers(0, 4), max_size=3),
    bounds=st.dictionaries(st.sampled_from(["created[gt]", "created[gte]", "created[lt]", "created[lte]"]), _MOMENTS),
    owner=st.none() | st.integers(0, _OWNERS - 1),
    cursor=st.none() | st.tuples(st.sampled_from(["starting_after", "ending_before"]), st.integers(0, 11)),
    limit=st.integers(1, 20),
)
def test_pages_of_a_list_that_grew(
    growths: list[int], bounds: dict[str, str], owner: int | None, cursor: tuple[str, int] | None, limit: int
) -> None:
    """A page has what its filters choose, next to its cursor, whatever the list has grown by."""
    objects = Objects("payment_intent", "pi", 12, _OWNERS)
    for number in growths:
        objects.grow(number)
    everything = listed(objects, {"limit": "100"})["data"]
    query = {**bounds, "limit": str(limit)}
    if owner is not None:
        query["customer"] = f"cus_{owner:014}"
    if cursor is not None:
        query[cursor[0]] = objects.identifier(cursor[1])

    page = listed(objects, query)

    chosen = [one for one in beside(everything, query) if chooses(query, one)]
    shown = chosen[-limit:] if "ending_before" in query else chosen[:limit]
    assert page["data"] == shown
    assert page["has_more"] == (len(chosen) > limit)


def test_growth() -> None:
    """What a list grows by is newer than all that was there, which stays as it was."""
    objects = Objects("payment_intent", "pi", 5, _OWNERS)
    before = listed(objects, {})["data"]
    objects.grow(2)
    objects.grow(3)
    after = listed(objects, {})["data"]

    assert after[5:] == before
    assert len({one["id"] for one in after}) == 10
    assert [one["created"] for one in after] == sorted((one["created"] for one in after), reverse=True)
    assert len({one["created"] for one in after[:6]}) == 6


def listed(objects: Objects, query: dict[str, str]) -> Any:  # noqa: ANN401 - a list object, in JSON
    return json.loads(objects.page("/v1/payment_intents", query))


def beside(everything: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    names = [one["id"] for one in everything]
    start = names.index(query["starting_after"]) + 1 if "starting_after" in query else 0
    end = names.index(query["ending_before"]) if "ending_before" in query else len(everything)
    return everything[start:end]


def chooses(query: dict[str, str], payment: dict[str, Any]) -> bool:
    created = payment["created"]
    bounds = {
        "created[gt]": created.__gt__,
        "created[gte]": created.__ge__,
        "created[lt]": created.__lt__,
        "created[lte]": created.__le__,
    }
    in_time = all(keeps(int(query[name])) for name, keeps in bounds.items() if name in query)
    return in_time and query.get("customer") in (None, payment["customer"])
