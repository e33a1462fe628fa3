"""Which bodies are events of Stripe, and which events concern us."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.flows.events import DELETED, PING, UPDATED, Event, ObjectReference, foreign, parse_event
from sidecar.errors import InvalidPayload
from tests.doubles.events import event, ping, thin

CUSTOMER = ObjectReference("customer", "cus_1")
BORN = {event: 1_700_000_000, thin: "2023-11-14T22:13:20.123Z"}  # as each shape writes it
UPDATE = Event("evt_1", UPDATED, livemode=False, object=CUSTOMER, customer="cus_1", created=1_700_000_000)
PAID = "invoice.paid"
INVOICE = {"id": "in_1", "object": "invoice", "customer": "cus_1"}
NESTED = json.loads("[" * 500 + "]" * 500)

Make = Callable[..., bytes]
SHAPES = pytest.mark.parametrize("make", [event, thin])


def body(kind: str = UPDATED, **attributes: object) -> dict[str, object]:
    return {**json.loads(event(UPDATED, "cus_1", created=BORN[event])), "id": "evt_1", "type": kind, **attributes}


def read(make: Make, kind: str, about: Any) -> Event:  # noqa: ANN401 - an object or an ID
    return parse_event(json.loads(make(kind, about, id="evt_1", created=BORN[make])))


def thin_body(kind: str = UPDATED, **attributes: object) -> dict[str, object]:
    return {**json.loads(thin(kind, "cus_1")), "id": "evt_1", **attributes}


def related(**changes: object) -> dict[str, object]:
    return {"related_object": {"id": "cus_1", "type": "customer", "url": "/v1/customers/cus_1", **changes}}


@SHAPES
@pytest.mark.parametrize("kind", [UPDATED, DELETED])
def test_customers_are_named(make: Make, kind: str) -> None:
    """A thin event about a customer says the same as its snapshot: the type, the customer, and nothing of its URL."""
    assert read(make, kind, "cus_1") == replace(UPDATE, type=kind)


METHOD = {"id": "pm_1", "object": "payment_method", "customer": None}


@pytest.mark.parametrize(
    ("now", "before", "customer"),
    [
        (None, {"customer": "cus_1"}, "cus_1"),
        ("cus_2", {"customer": "cus_1"}, "cus_2"),
        (None, {"customer": None}, None),
        (None, {"customer": "no customer's ID"}, None),
        (None, {}, None),
        (None, None, None),
        ("cus_2", [], "cus_2"),
    ],
)
def test_a_method_that_was_detached(now: object, before: object, customer: str | None) -> None:
    """What was taken from a customer names it only among the attributes of before; a customer of now comes first."""
    data = {"object": {**METHOD, "customer": now}, "previous_attributes": before}

    assert parse_event(body("payment_method.detached", data=data)).customer == customer


@pytest.mark.parametrize("customer", ["cus_1", {"id": "cus_1", "object": "customer"}])
def test_a_snapshot_tells_its_customer(customer: object) -> None:
    """A snapshot tells the object and its customer, expanded or not."""
    found = read(event, PAID, {**INVOICE, "customer": customer})

    assert found == replace(UPDATE, type=PAID, object=ObjectReference("invoice", "in_1"))


def test_a_thin_event_tells_no_customer() -> None:
    """A thin event tells the object alone, unless that is a customer."""
    found = read(thin, PAID, INVOICE)

    assert found == replace(UPDATE, type=PAID, object=ObjectReference("invoice", "in_1"), customer=None)


@pytest.mark.parametrize("customer", [None, 7, "", "cus_1/../x", ["cus_1"], {"id": None}, {}, NESTED])
def test_what_is_no_customer(customer: object) -> None:
    """P1: What has not the shape of a customer's ID is no customer."""
    assert parse_event(json.loads(event(PAID, {**INVOICE, "customer": customer}))).customer is None


def test_an_object_without_an_id() -> None:
    """An event about what has no ID, such as an invoice to come, still tells the customer."""
    found = parse_event(json.loads(event("invoice.upcoming", {"object": "invoice", "customer": "cus_1"})), {PAID})

    assert (found.object, found.customer) == (None, "cus_1")


@pytest.mark.parametrize(
    "reference",
    [
        {"id": "in_1", "object": "unknown.kind"},
        {"id": "in_1/../x", "object": "invoice"},
        {"id": "i" * 5000, "object": "invoice"},
        {"id": "cus_1", "object": "invoice"},
        {"id": ["in_1"], "object": "invoice"},
        {"id": "in_1", "object": ["invoice"]},
        {"id": "in_1", "object": {}},
        {"id": NESTED, "object": NESTED},
        {},
    ],
    ids=lambda reference: str(reference)[:60],
)
@SHAPES
def test_what_cannot_be_asked_for(make: Make, reference: Any) -> None:  # noqa: ANN401 - any JSON
    """P1: What has not the shape of a known kind's ID is no object; a followed event without its object is no event."""
    whole = json.loads(make(PAID, {"id": None, "object": None, **reference}))

    assert parse_event(whole).object is None
    with pytest.raises(InvalidPayload, match="event"):
        parse_event(whole, {PAID})


@SHAPES
def test_another_kind_than_the_types(make: Make) -> None:
    """A followed event about an object of another kind than its type's is no event."""
    with pytest.raises(InvalidPayload, match="event"):
        parse_event(json.loads(make(PAID, {"id": "ch_1", "object": "charge"})), {PAID})


@pytest.mark.parametrize("kind", ["customer.created", "customer.subscription.updated", "source.canceled", "ping"])
@pytest.mark.parametrize("data", [{"object": {}}, {"object": None}, {}, None, "x", NESTED])
def test_other_types_need_no_object(kind: str, data: object) -> None:
    """An event that is not followed may be about anything."""
    assert parse_event(body(kind, data=data)) == replace(UPDATE, type=kind, object=None, customer=None)


def test_a_ping() -> None:
    """The ping of a destination is an event about nothing that could be asked for."""
    assert parse_event(json.loads(ping(id="evt_1", created=None))) == Event("evt_1", PING, livemode=False)


@pytest.mark.parametrize("written", [None, True, "", "yesterday", "9999999999", "0001-01-01T00:00:00", [1], {}, 1.5])
@SHAPES
def test_what_is_no_time(make: Make, written: object) -> None:
    """What is neither a Unix time nor one of RFC 3339 is no time, and no fault either."""
    assert parse_event(json.loads(make(UPDATED, "cus_1", created=written))).created is None


@pytest.mark.parametrize("kind", ["v2.core.account.updated", "v3.new.thing"])
def test_events_of_other_apis(kind: str) -> None:
    """Thin events of other versions of the API keep their version, so that they are never taken for ours."""
    assert parse_event(thin_body(type=kind), {"core.account.updated", "new.thing"}).type == kind


@pytest.mark.parametrize(
    "changes",
    [
        {"object": "v3.core.event"},
        {"type": UPDATED},
        {"type": "v1."},
        {"type": "v1"},
        {"type": "v1.customer updated"},
        {"type": "v1." + "x" * 101},
        {"id": "evt_"},
        {"livemode": None},
        {"context": 7},
        {"context": {"id": "acct_1"}},
        {"related_object": None},
        {"related_object": "cus_1"},
        related(id="cus_"),
        related(id="cus_1/../x"),
        related(type="invoice"),
        related(type="v2.core.account"),
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_bodies_that_are_no_thin_event(changes: dict[str, object]) -> None:
    """P1: A malformed part makes the body no event, also where it looks like a mixture of both shapes."""
    with pytest.raises(InvalidPayload, match="event"):
        parse_event({**thin_body(), **changes})


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


@given(_json, st.sampled_from(["id", "object", "type", "livemode", "account", "context", "data", "related_object"]))
def test_any_value_anywhere(value: object, name: str) -> None:
    """V1: Any value in any part gives an event or a refusal, and an event's customer is a customer."""
    for whole in (value, {**body(), name: value}, {**thin_body(), name: value}):
        try:
            found = parse_event(whole)
        except InvalidPayload:
            continue
        assert found.customer == "cus_1" or found.type not in {UPDATED, DELETED}
        assert found.object in {None, CUSTOMER}


@pytest.mark.parametrize(("livemode", "key"), [(True, False), (False, True)])
def test_the_other_mode(livemode: bool, key: bool) -> None:  # noqa: FBT001 - pytest's way to give parameters
    """Test data and real money never mix, in either mode of the key."""
    assert foreign(replace(UPDATE, livemode=livemode), livemode=key) == "another mode than the key's"
    assert foreign(replace(UPDATE, livemode=livemode), livemode=livemode) is None


@SHAPES
@pytest.mark.parametrize("context", ["acct_1", "acct_1/acct_2", "org_1/acct_1", ""])
def test_connected_accounts(make: Make, context: str) -> None:
    """A connected account's customers are not ours, in either mode; one account may be ours, none that contains it."""
    connected = parse_event(json.loads(make(UPDATED, "cus_1", context=context)))

    assert foreign(connected, livemode=False) == foreign(connected, livemode=True) == "another account's"
    assert (foreign(connected, livemode=False, own_account="acct_1") is None) is (context == "acct_1")


@SHAPES
def test_the_own_account(make: Make) -> None:
    """Events of the key's own account name none; they are foreign where Stripe is asked about a connected one."""
    own = parse_event(json.loads(make(UPDATED, "cus_1", account=None)))

    assert foreign(own, livemode=False) is None
    assert foreign(own, livemode=False, own_account="acct_1") == "another account's"


def test_a_snapshot_of_an_account_in_another() -> None:
    """A snapshot may name its account twice; both must be ours."""
    names = [("acct_1", None), ("acct_1", "acct_1"), ("acct_1", "acct_2"), (None, "acct_1")]
    found = [parse_event(body(account=account, context=context)) for account, context in names]

    assert [foreign(each, livemode=False, own_account="acct_1") is None for each in found] == [True, True, False, True]
