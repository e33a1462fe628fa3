"""Check P1: an ID has the shape of its kind before any URL is built from it."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.operations.resources import is_customer_id
from sidecar.core.operations.row import named_object
from sidecar.core.operations.table import OPERATIONS
from sidecar.errors import RouteNotFound

BY_NAME = {operation.name: operation for operation in OPERATIONS}
FOR_CUSTOMER = BY_NAME["payments.list_for_customer"]
ATTACKS = ["..%2f..%2faccounts", "%252e%252e", "cus_1%3Flimit=1", "cus_1;x", "cus_1%00", "cus_1%0d%0aX: y", "cus_1%0a"]
OTHER_KINDS = ["", "cus_", "CUS_1", "pi_1", "cus_é", "cus_\uff11", " cus_1", "cus_1 ", "cus_" + "1" * 251]


def test_a_customer_in_the_path_is_found() -> None:
    """The path's customer ID is found if the operation has one."""
    assert named_object(FOR_CUSTOMER, {"customer_id": "cus_NffrFeUfNV2Hib"}) == "cus_NffrFeUfNV2Hib"
    assert named_object(BY_NAME["payments.list"], {}) is None


@pytest.mark.parametrize("value", [*ATTACKS, *map(unquote, ATTACKS), *OTHER_KINDS])
def test_other_shapes_are_no_route(value: str) -> None:
    """P1: Traversals, queries, parameters, control characters and other kinds' IDs are not found."""
    with pytest.raises(RouteNotFound):
        named_object(FOR_CUSTOMER, {"customer_id": value})


@given(st.text() | st.from_regex(r"cus_[A-Za-z0-9]+") | st.integers())
def test_only_letters_and_digits_pass(value: object) -> None:
    """P1: An accepted path contains nothing that changes the structure of a URL."""
    if is_customer_id(value):
        assert str(value).removeprefix("cus_").isascii()
        assert str(value).removeprefix("cus_").isalnum()


def test_every_row_is_a_route_of_its_own() -> None:
    """P3: Names and routes of the table are unique."""
    assert len(BY_NAME) == len(OPERATIONS) == len({(row.method, row.path) for row in OPERATIONS})
