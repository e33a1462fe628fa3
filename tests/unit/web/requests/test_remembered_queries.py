"""Queries are read once for each text, bounded, and never kept with a token in them."""

import pytest
from aiohttp.test_utils import make_mocked_request

from sidecar.core.access.field_map import FieldMap
from sidecar.core.operations.rules import Rule
from sidecar.core.operations.table import OPERATIONS
from sidecar.errors import InvalidQuery
from sidecar.web.requests.bodies import Reader
from sidecar.web.requests.queries import Queries
from tests.doubles.running_app import CLERK, RunningApp

RULES = {operation.name: Rule(operation, "customers", operation.action, FieldMap({})) for operation in OPERATIONS}


def queries(name: str = "payments.list", most: int = 10) -> Queries:
    return Queries(Reader(RULES[name]), most)


def ask(remembered: Queries, text: str) -> object:
    return remembered.of(make_mocked_request("GET", f"/stripe/payments?{text}"))


def test_an_equal_text_is_read_once() -> None:
    """The same text gives the very same values, and another text its own."""
    remembered = queries()

    first, again, other = (ask(remembered, text) for text in ("limit=3", "limit=3", "limit=4"))

    assert first is again
    assert first != other
    assert len(remembered) == 2


def test_they_are_bounded() -> None:
    """F6: Neither many queries nor long ones take memory."""
    remembered = queries(most=3)

    for number in range(1, 20):
        ask(remembered, f"limit={number}")
    for number in range(1, 20):
        ask(remembered, f"limit={number}" + "&" * 500)

    assert len(remembered) == 3


@pytest.mark.parametrize("name", ["access_token", "access%5Ftoken", "%61ccess_token"])
def test_no_token_is_kept(name: str) -> None:
    """S1: However its name is written, a query with a token is read each time and not kept."""
    remembered = queries()

    ask(remembered, f"limit=3&{name}=MARKED")

    assert len(remembered) == 0


def test_a_refused_query_is_refused_again() -> None:
    """What is refused is not remembered, by no other operation's memory either."""
    remembered = queries()

    for _ in range(2):
        with pytest.raises(InvalidQuery):
            ask(remembered, "limit=101")

    assert len(remembered) == 0


async def test_two_tokens_stay_an_error(app: RunningApp) -> None:
    """A1: A query that was remembered without a token does not let one beside the header through."""
    await app.call(CLERK, "/stripe/payments?limit=3")

    answer = await app.call(CLERK, "/stripe/payments?limit=3&access_token=another")

    assert answer.status == 400
