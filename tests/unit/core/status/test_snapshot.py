"""Which subscription counts, how a customer pays by default, and what sources give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.operations.resources import StripeObject
from sidecar.core.status.snapshot import Snapshot, belonging, counting, default_method
from sidecar.core.status.sources import SOURCES

STATUSES = ["active", "trialing", "past_due", "unpaid", "canceled", "incomplete", "incomplete_expired", "paused"]


def subscription(status: str, created: int, **more: object) -> StripeObject:
    return {"id": f"sub_{status}_{created}", "object": "subscription", "status": status, "created": created, **more}


@pytest.mark.parametrize(
    ("there", "counts"),
    [
        ([], None),
        ([("canceled", 5)], "sub_canceled_5"),
        ([("canceled", 9), ("active", 1)], "sub_active_1"),
        ([("past_due", 9), ("trialing", 1)], "sub_trialing_1"),
        ([("unpaid", 9), ("past_due", 1)], "sub_past_due_1"),
        ([("trialing", 1), ("active", 2)], "sub_active_2"),
        ([("active", 1), ("trialing", 2)], "sub_trialing_2"),
        ([("canceled", 1), ("incomplete", 2), ("paused", 0)], "sub_incomplete_2"),
        ([("unheard_of", 9), ("past_due", 1)], "sub_past_due_1"),
        ([("canceled", 9), ("paused", 1)], "sub_paused_1"),
        ([("canceled", 9), ("incomplete_expired", 8), ("unpaid", 1)], "sub_unpaid_1"),
        ([("incomplete_expired", 9), ("canceled", 1)], "sub_incomplete_expired_9"),
    ],
)
def test_the_one_that_counts(there: list[tuple[str, int]], counts: str | None) -> None:
    """The one that gives most access counts, and the newest among equals."""
    found = counting(subscription(*each) for each in there)

    assert (None if found is None else found["id"]) == counts


@given(
    st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(0, 50)), min_size=1, unique_by=lambda each: each[1]),
    st.randoms(use_true_random=False),
)
def test_no_order_of_the_list_matters(there: list[tuple[str, int]], random: object) -> None:
    """However Stripe lists them, the same one counts."""
    listed = [subscription(*each) for each in there]
    other = sorted(listed, key=lambda _: random.random())  # type: ignore[attr-defined]  # hypothesis's Random

    assert counting(listed) == counting(other)


@pytest.mark.parametrize(
    ("chosen", "subscribed", "source", "method"),
    [
        ("pm_1", subscription("active", 1, default_payment_method="pm_2"), "card_3", "pm_1"),
        (None, subscription("active", 1, default_payment_method="pm_2"), "card_3", "pm_2"),
        (None, subscription("active", 1, default_payment_method={"id": "pm_2"}), "card_3", "pm_2"),
        (None, subscription("canceled", 1, default_payment_method="pm_2"), "card_3", "card_3"),
        (None, subscription("past_due", 1, default_payment_method=None), "card_3", "card_3"),
        (None, None, "card_3", "card_3"),
        (None, None, None, None),
    ],
)
def test_how_a_customer_pays(
    chosen: str | None, subscribed: StripeObject | None, source: str | None, method: str | None
) -> None:
    """The customer's choice comes first, then that of a subscription that is not over, then its source."""
    customer: StripeObject = {"invoice_settings": {"default_payment_method": chosen}, "default_source": source}

    assert default_method(customer, subscribed) == method


@pytest.mark.parametrize(
    ("owner", "theirs"), [("cus_1", True), ({"id": "cus_1"}, True), ("cus_2", False), (None, False)]
)
def test_whose_method_it_is(owner: object, *, theirs: bool) -> None:
    """A method that was detached meanwhile, or is another customer's, is not shown."""
    method: StripeObject = {"id": "pm_1", "object": "payment_method", "customer": owner}

    assert (belonging(method, "cus_1") is method) is theirs


CUSTOMER: StripeObject = {"id": "cus_1", "object": "customer"}
ITEM = {"price": {"lookup_key": "gold", "product": "prod_1"}, "quantity": 2, "current_period_end": 1798761600}
SUBSCRIPTION = subscription("active", 1, items={"data": [ITEM, {"price": {"lookup_key": "extra"}}]})
CARD: StripeObject = {"object": "payment_method", "type": "card", "card": {"last4": "4242", "exp_month": 8}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subscription.status", "active"),
        ("subscription.id", "sub_active_1"),
        ("subscription.price.lookup_key", "gold"),
        ("subscription.price.product", "prod_1"),
        ("subscription.quantity", 2),
        ("subscription.current_period_end", 1798761600),
        ("subscription.trial_end", None),
        ("default_payment_method.card.last4", "4242"),
        ("default_payment_method.card.exp_month", 8),
        ("default_payment_method.sepa_debit.last4", None),
        ("entitlements", ["basic", "pro"]),
    ],
)
def test_values(name: str, value: object) -> None:
    """A source gives what Stripe says, of several items of a subscription the first one's, and null for nothing."""
    full = Snapshot(CUSTOMER, SUBSCRIPTION, ("pro", "basic", "pro"), CARD)

    assert full.value(SOURCES[name]) == value


@pytest.mark.parametrize("name", SOURCES)
def test_nothing(name: str) -> None:
    """Who has nothing has null everywhere and an empty list of entitlements; who is deleted has null there too."""
    assert Snapshot(CUSTOMER).value(SOURCES[name]) == ([] if name == "entitlements" else None)
    assert Snapshot({**CUSTOMER, "deleted": True}).value(SOURCES[name]) is None


def test_secrets_are_nobodys() -> None:
    """O4: a value that contains a secret is written nowhere."""
    spoiled = subscription("sk_live_x", 1, items={"data": [{"price": {"lookup_key": "pi_1_secret_x"}}]})
    found = Snapshot(CUSTOMER, spoiled, ("whsec_1", "pro"))

    values = [found.value(SOURCES[name]) for name in ("subscription.status", "subscription.price.lookup_key")]

    assert (values, found.value(SOURCES["entitlements"])) == ([None, None], ["pro"])
