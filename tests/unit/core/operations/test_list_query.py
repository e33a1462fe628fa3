"""The parameters of a list, and spans of time (V4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.operations.list_query import ListQuery, Span, parse_list_query
from sidecar.core.operations.table import OPERATIONS
from sidecar.errors import InvalidQuery

[PAYMENTS] = [row for row in OPERATIONS if row.name == "payments.list"]
BOUND = st.none() | st.integers(0, 30)


def parsed(parameters: list[tuple[str, str]]) -> ListQuery:
    query, others = parse_list_query(parameters, PAYMENTS)
    assert others == {}
    return query


@given(BOUND, BOUND, BOUND, BOUND, st.integers(0, 30))
def test_bounds(gte: int | None, gt: int | None, lte: int | None, lt: int | None, moment: int) -> None:
    """The four bounds together admit exactly the seconds that each of them admits."""
    bounds = {"gte": gte, "gt": gt, "lte": lte, "lt": lt}

    span = parsed([(f"created[{name}]", str(value)) for name, value in bounds.items() if value is not None]).span

    expected = [
        gte is None or moment >= gte,
        gt is None or moment > gt,
        lte is None or moment <= lte,
        lt is None or moment < lt,
    ]
    assert span.contains(moment) is all(expected)


@given(BOUND, BOUND, st.integers(-1, 31), st.integers(-1, 31))
def test_neighbouring_spans(since: int | None, until: int | None, border: int, moment: int) -> None:
    """Two adjacent spans share no second and miss none."""
    newer, older, whole = Span(border, until), Span(since, border), Span(since, until)

    assert newer.contains(moment) + older.contains(moment) <= 1 or not whole.contains(moment)
    if whole.contains(moment):
        assert newer.contains(moment) + older.contains(moment) == 1


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
def test_page_parameters(name: str) -> None:
    """A page is requested from Stripe with the limit, the cursor and the bounds, in Stripe's names."""
    query = parsed([("limit", "100"), (name, "pi_1"), ("created[gt]", "4"), ("created[lte]", "9")])

    assert query.page_parameters() == {"limit": "100", name: "pi_1", "created[gte]": "5", "created[lt]": "10"}


def test_nothing_is_the_whole_list() -> None:
    """Without parameters a query means everything."""
    assert parsed([]) == ListQuery()


@pytest.mark.parametrize("limit", ["1", "100", "007"])
def test_limits(limit: str) -> None:
    """`limit` is 1 to 100."""
    assert parsed([("limit", limit)]).limit == int(limit)


@given(st.sampled_from(["limit", "created[gt]", "starting_after"]), st.text(max_size=6))
def test_values_are_taken_or_refused(name: str, value: str) -> None:
    """Any value is taken unchanged or refused by its parameter's name; there is no third outcome."""
    try:
        query = parsed([(name, value)])
    except InvalidQuery as refusal:
        assert refusal.message.startswith(name)  # noqa: PT017 - one of two outcomes
    else:
        assert value.isascii()
        assert query != ListQuery()


@given(st.text(max_size=20))
def test_unknown_names(name: str) -> None:
    """V4, R4: every parameter that is not in the list is refused, and the message does not repeat it."""
    known = {"limit", "starting_after", "ending_before", *(f"created[{bound}]" for bound in ("gte", "gt", "lte", "lt"))}
    if name in known:
        return
    with pytest.raises(InvalidQuery, match="This list takes"):
        parsed([(name, "1")])
