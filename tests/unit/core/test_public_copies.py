"""Copies of Stripe's answers that hold no secret, and are as good as the answers for who sees none."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.stripe.skim import skimmed
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.public_copies import public_object, public_page
from sidecar.core.views import View
from tests.doubles.secret_spellings import CLIENT_SECRETS, CODE, KEYS, PUBLIC, decoded, spellings

VIEW = View(everything=True, customer_ids=True)
NAMES = st.sampled_from(["metadata", "client_secret", "next_action", "payment_intent", "note"])
LEAVES = st.none() | st.integers(-5, 5) | st.sampled_from(PUBLIC)
SECRETS = st.sampled_from(CLIENT_SECRETS + KEYS).flatmap(spellings)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | SECRETS, inner | SECRETS, max_size=3)
)
OBJECTS = st.builds(
    lambda number, kind, rest: {"id": f"x_{number}", "object": kind, "created": number} | rest,
    st.integers(0, 9),
    st.sampled_from(["payment_intent", "customer", "ephemeral_key", "checkout.session"]),
    st.dictionaries(NAMES, VALUES | SECRETS, max_size=4),
)


def answered(data: list[StripeObject]) -> Page:
    """Give a page as the client of Stripe reads it."""
    raw = orjson.dumps({"object": "list", "data": data, "has_more": True, "url": "/v1/x"})
    return skimmed(raw) or Page(data, more=True, raw=raw)


@given(st.lists(OBJECTS, max_size=3))
def test_a_page(data: list[StripeObject]) -> None:
    """O4: a copy of a page has what a caller sees who sees everything but secrets; a whole one has everything."""
    page = answered(data)

    public = public_page(page)

    assert public.page.data == [VIEW.project(value) for value in data]
    assert public.page.more
    assert orjson.loads(b"[" + (public.page.written or b"") + b"]") == public.page.data
    if public.whole:
        assert public.page.data == data
        assert orjson.loads(public.page.raw or b"")["data"] == data
    else:
        assert public.page.raw is None


@given(st.lists(OBJECTS, max_size=2), SECRETS, st.sampled_from(["value", "name", "entry", "deep"]))
def test_no_secret_stays(data: list[StripeObject], secret: str, place: str) -> None:
    """O4: whatever the place and the spelling of a secret, no part of a copy has it, and it is not whole."""
    at: dict[str, object] = {"value": secret, "name": {secret: 1}, "entry": [secret], "deep": {"a": [{"b": secret}]}}
    spoiled: StripeObject = {"id": "x_1", "object": "payment_intent", "metadata": at[place]}

    page, one = public_page(answered([*data, spoiled])), public_object(spoiled)

    written = b"".join([page.page.written or b"", page.page.raw or b"", one.written])
    assert CODE not in decoded(written.decode())
    assert (page.whole, one.whole) == (False, False)


@given(OBJECTS)
def test_an_object(value: StripeObject) -> None:
    """A copy of an object has the same, and is whole where that is everything."""
    public = public_object(value)

    shown = VIEW.project(value)
    assert (json.loads(public.written), public.whole) == (shown, shown == value)


@pytest.mark.parametrize("secret", [None, "pi_1_secret_abc"])
def test_payments(secret: str | None) -> None:
    """A page of payments, which always names their client secrets, is copied without these names."""
    page = answered([{"id": "pi_1", "object": "payment_intent", "client_secret": secret, "amount": 5}])

    public = public_page(page)

    assert public.page.data == [{"id": "pi_1", "object": "payment_intent", "amount": 5}]
    assert not public.whole


def test_customers_are_passed_on() -> None:
    """A page without secrets is copied as Stripe wrote it, with what stands beside its objects."""
    page = answered([{"id": "cus_1", "object": "customer", "created": 5}])

    public = public_page(page)

    assert (public.page.raw, public.whole) == (page.raw, True)
