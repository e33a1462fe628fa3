"""What is copied of an object's text is what the view shows of the parsed object."""

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clients.stripe.skim import skimmed
from sidecar.core.operations.resources import RESOURCES, StripeObject, customer_of
from sidecar.core.pages import Page, listed_in
from sidecar.core.reduced import reduced, view_of_all
from sidecar.core.views import View, ViewByCustomer

KINDS = st.sampled_from([*sorted(RESOURCES), "unknown"])
NAMES = st.sampled_from(
    [
        "id",
        "amount",
        "status",
        "customer",
        "metadata",
        "next_action",
        "client_secret",
        "card",
        "items",
        "email",
        "a.b",
        "payment_method_details",
        "hosted_invoice_url",
        "data",
        'a"b',
        "é",
        "object",
    ]
)
TEXTS = st.sampled_from(["", "usd", "{", "[", "{}", "é", "\\", '"', "pi_1_secret_0123456789abcdef", "client_secret"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.just(0.5) | TEXTS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(NAMES, children, max_size=3),
)
CUSTOMERS = st.sampled_from(["cus_1", "cus_2", {"id": "cus_1", "object": "customer"}, None])


@st.composite
def entries(draw: st.DrawFn) -> list[StripeObject]:
    kind = draw(KINDS)
    members = st.dictionaries(NAMES.filter(lambda name: name != "object"), VALUES, max_size=6)
    marks = st.fixed_dictionaries({"id": st.sampled_from(["x_1", "cus_1"]), "customer": CUSTOMERS})
    every = st.builds(lambda one, other: {"object": kind, **one, **other}, members, marks)
    return draw(st.lists(every, max_size=4))


ONE = st.builds(
    View,
    everything=st.booleans(),
    secrets=st.booleans(),
    customer_ids=st.booleans(),
    attributes=st.frozensets(NAMES, max_size=4),
    own=st.booleans(),
)


def skimmed_page(data: list[StripeObject]) -> Page | None:
    return skimmed(json.dumps({"object": "list", "data": data, "has_more": False}, ensure_ascii=False).encode())


@settings(max_examples=400)
@given(entries(), ONE | st.builds(ViewByCustomer, st.dictionaries(st.sampled_from(["cus_1", "cus_2"]), ONE), ONE))
def test_the_copy_is_the_projection(data: list[StripeObject], view: View | ViewByCustomer) -> None:
    """R6, O4: For any object, kind and view, the copy is what the view shows, or there is none."""
    page = skimmed_page(data)
    if page is None:
        return

    written = reduced(page, view)

    if written is not None:
        assert orjson.loads(b"[" + written + b"]") == [view.project(entry) for entry in data]


@settings(max_examples=300)
@given(entries(), st.dictionaries(st.sampled_from(["cus_1", "cus_2"]), ONE), ONE)
def test_one_view_of_all(data: list[StripeObject], views: dict[str, View], other: View) -> None:
    """R6: The one view of a page is that of the customer of each of its objects."""
    page = skimmed_page(data)
    if page is None:
        return

    found = view_of_all(page, ViewByCustomer(views, other))

    if isinstance(found, View):
        assert {views.get(str(customer_of(entry)), other) for entry in data} == {found}


CARD = {"brand": "visa", "last4": "4242", "fingerprint": "f"}
FULL = View(attributes=frozenset({"metadata", "items"}), own=True)


@pytest.mark.parametrize("kind", [*RESOURCES, "unknown"])
def test_whose_an_object_of_each_kind_is(kind: str) -> None:
    """R6: Where a kind names its customer in another place than most do, `customer` decides on no view of it."""
    entry: StripeObject = {"id": "x_1", "object": kind, "customer": "cus_1"}
    page, views = skimmed_page([entry]), ViewByCustomer({"cus_1": View(own=True)}, View())
    assert page is not None

    assert view_of_all(page, views) in (views, views.of_customer(customer_of(entry)))


@pytest.mark.parametrize(
    "value",
    [
        {"object": "charge", "payment_method_details": {"type": "card", "card": CARD}},
        {"object": "charge", "payment_method_details": None},
        {"object": "charge", "payment_method_details": "card"},
        {"object": "payment_intent", "metadata": {"customer": "cus_9", "a": "b"}},
        {"object": "payment_intent", "items": [{"object": "charge", "amount": 1, "other": 2}, "{"]},
        {"object": "payment_intent", "metadata": {}, "items": [], "customer": {"id": "cus_1", "object": "customer"}},
        {"object": "invoice", "hosted_invoice_url": "https://pay", "lines": {"object": "list", "data": [{"a": 1}]}},
    ],
)
@pytest.mark.parametrize("view", [FULL, ViewByCustomer({"cus_1": FULL}, View())])
def test_what_holds_an_object(value: StripeObject, view: View | ViewByCustomer) -> None:
    """R6: Of what a shown member holds the copy has what the view shows of it, and beside it what is plain."""
    data = [value | {"id": "x_1", "amount": 5}, value | {"id": "x_2", "amount": 6}]
    page = skimmed_page(data)
    assert page is not None

    written = reduced(page, view)

    assert written is not None
    assert orjson.loads(b"[" + written + b"]") == [view.project(entry) for entry in data]


def test_a_name_that_is_escaped() -> None:
    """A member counts by its name, however the name is written."""
    written = rb'{"object":"charge","\u0061mount":1,"x\u0061mount":2}'
    page = Page.skimmed(written, listed_in(b"[" + written + b"]"), more=False)

    assert reduced(page, View()) == b'{"object":"charge","amount":1}'


def test_an_object_that_shows_nothing() -> None:
    """R6: Beside an object of which nothing is shown, what is within another one is reduced all the same."""
    data: list[StripeObject] = [{"amount": 1}, {"metadata": {"object": "charge", "id": "ch_1", "email": "a@b.c"}}]
    page, view = skimmed_page(data), View(attributes=frozenset({"metadata"}))
    assert page is not None

    assert b"a@b.c" not in (reduced(page, view) or b"")
    assert view.project(data[1]) == {"metadata": {"object": "charge", "id": "ch_1"}}


def test_a_secret_in_what_is_shown() -> None:
    """O4: Where what is shown may hold a secret, nothing is copied."""
    data: list[StripeObject] = [
        {"id": "ch_1", "object": "charge", "receipt_url": "https://a/?k=pi_1_secret_0123456789"}
    ]
    page = skimmed_page(data)
    assert page is not None

    assert reduced(page, View(own=True)) is None
