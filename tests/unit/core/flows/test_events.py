"""Which bodies are events of Stripe, and which events concern us."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.flows.events import DELETED, UPDATED, Event, foreign, parse_event
from sidecar.errors import InvalidPayload
from tests.doubles.events import event

UPDATE = Event("evt_1", UPDATED, livemode=False, customer="cus_1")


def body(kind: str = UPDATED, **attributes: object) -> dict[str, object]:
    return {**json.loads(event(UPDATED, "cus_1")), "id": "evt_1", "type": kind, **attributes}


@pytest.mark.parametrize("kind", [UPDATED, DELETED])
def test_customers_are_named(kind: str) -> None:
    """From an event about a followed object the customer's ID is read."""
    assert parse_event(body(kind)) == replace(UPDATE, type=kind)


@pytest.mark.parametrize(
    "kind", ["customer.created", "customer.subscription.updated", "payment_intent.succeeded", "ping"]
)
@pytest.mark.parametrize("data", [{"object": {"id": "cus_1", "object": "customer"}}, {"object": {}}, None, "x"])
def test_other_types_are_not_looked_into(kind: str, data: object) -> None:
    """From any other event nothing of the payload is read."""
    assert parse_event(body(kind, data=data)) == replace(UPDATE, type=kind, customer=None)


@pytest.mark.parametrize(
    "changes",
    [
        {"object": "v2.core.event"},
        {"object": None},
        {"id": None},
        {"id": 7},
        {"id": ""},
        {"id": "evt_"},
        {"id": "evt_1\n"},
        {"id": "cus_1"},
        {"id": "evt_" + "1" * 300},
        {"type": None},
        {"type": ""},
        {"type": "customer updated"},
        {"type": ["customer.updated"]},
        {"livemode": None},
        {"livemode": 0},
        {"livemode": "false"},
        {"account": 7},
        {"account": {"id": "acct_1"}},
        {"data": None},
        {"data": {}},
        {"data": {"object": None}},
        {"data": {"object": {"object": "customer"}}},
        {"data": {"object": {"id": "cus_1"}}},
        {"data": {"object": {"id": "cus_1", "object": "discount"}}},
        {"data": {"object": {"id": "cus_", "object": "customer"}}},
        {"data": {"object": {"id": "cus_1/../x", "object": "customer"}}},
        {"data": {"object": {"id": ["cus_1"], "object": "customer"}}},
    ],
    ids=lambda changes: str(changes).replace("\\", ""),  # pytest escapes them again at a second collection
)
def test_bodies_that_are_no_event(changes: dict[str, object]) -> None:
    """P1: A malformed part makes the body no event, and an ID that could change a path is never read from it."""
    with pytest.raises(InvalidPayload, match="event"):
        parse_event({**body(), **changes})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "object", "x"]), inner, max_size=3)
    ),
)


@given(_json, st.sampled_from(["id", "object", "type", "livemode", "account", "data"]))
def test_any_value_anywhere(value: object, name: str) -> None:
    """V1: Any value in any part gives an event or a refusal, and an event's customer is a customer."""
    for whole in (value, {**body(), name: value}):
        try:
            found = parse_event(whole)
        except InvalidPayload:
            continue
        assert found.customer in {"cus_1", None} or str(found.customer).startswith("cus_")
        assert (found.customer is None) is (found.type not in {UPDATED, DELETED})


@pytest.mark.parametrize(("livemode", "key"), [(True, False), (False, True)])
def test_the_other_mode(livemode: bool, key: bool) -> None:  # noqa: FBT001 - pytest's way to give parameters
    """Test data and real money never mix, in either mode of the key."""
    assert foreign(replace(UPDATE, livemode=livemode), livemode=key) == "another mode than the key's"
    assert foreign(replace(UPDATE, livemode=livemode), livemode=livemode) is None


def test_connected_accounts() -> None:
    """A connected account's customers are not ours, in either mode."""
    connected = parse_event(body(account="acct_1"))

    assert foreign(connected, livemode=False) == foreign(connected, livemode=True) == "another account's"
    assert foreign(parse_event(body(account=None)), livemode=False) is None


@pytest.mark.parametrize(("account", "ours"), [("acct_1", True), ("acct_2", False), (None, False)])
def test_the_own_account(account: str | None, *, ours: bool) -> None:
    """Where Stripe is asked about a connected account, its events are ours, and neither others' nor the key's."""
    found = foreign(parse_event(body(account=account)), livemode=False, own_account="acct_1")

    assert found == (None if ours else "another account's")
