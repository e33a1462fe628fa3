"""Changes of a subscription's time and price: what they take, and who may decide on it."""

import pytest

from sidecar.core.operations.parameters import Time
from tests.doubles.samples import sample
from tests.unit.web.table.cases import CASES, ROWS
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER, TENANT

NOON = 1_900_000_000
PAYING = [(name, each) for name, row in ROWS.items() for each in row.parameters if each.amount]
AMOUNTS = "amounts = true"


@pytest.mark.parametrize(
    ("name", "attributes", "form"),
    [
        ("subscriptions.update", {"trial_end": "now"}, {"trial_end": "now"}),
        ("subscriptions.update", {"trial_end": NOON}, {"trial_end": str(NOON)}),
        ("subscriptions.update", {"proration_behavior": "none"}, {"proration_behavior": "none"}),
        ("subscriptions.update", {"cancel_at": NOON}, {"cancel_at": str(NOON)}),
        ("subscriptions.update", {"cancel_at": "min_period_end"}, {"cancel_at": "min_period_end"}),
        ("subscriptions.update", {"cancel_at": None}, {"cancel_at": ""}),
        ("subscriptions.update", {"billing_cycle_anchor": {"type": "now"}}, {"billing_cycle_anchor[type]": "now"}),
        (
            "subscriptions.update",
            {"pause_collection": {"behavior": "void", "resumes_at": NOON}},
            {"pause_collection[behavior]": "void", "pause_collection[resumes_at]": str(NOON)},
        ),
        ("subscriptions.update", {"pause_collection": None}, {"pause_collection": ""}),
        ("subscriptions.update", {"pause_collection": ""}, {"pause_collection": ""}),
        (
            "subscriptions.update",
            {"cancellation_details": {"comment": "Too slow", "feedback": None}},
            {"cancellation_details[comment]": "Too slow", "cancellation_details[feedback]": ""},
        ),
        ("subscriptions.create", {"trial_end": NOON}, {"trial_end": str(NOON)}),
        ("subscriptions.create", {"billing_cycle_anchor": NOON}, {"billing_cycle_anchor": str(NOON)}),
        (
            "subscriptions.resume",
            {"billing_cycle_anchor": {"type": "unchanged"}},
            {"billing_cycle_anchor[type]": "unchanged"},
        ),
        (
            "subscriptions.pause",
            {"bill_for": {"unused_time_from": {"type": "now"}}},
            {"bill_for[unused_time_from][type]": "now"},
        ),
        ("subscription_schedules.cancel", {"prorate": False}, {"prorate": "false"}),
    ],
)
async def test_what_is_sent_arrives(
    open_shop: OpenShop, name: str, attributes: dict[str, object], form: dict[str, str]
) -> None:
    """Times, words for times, choices and empty values arrive at Stripe as they were sent, and Stripe takes them."""
    shop = await open_shop({name: AMOUNTS})
    case = CASES[name].having(**attributes)

    answer = await case.call(shop, MANAGER)

    assert answer.status == case.status
    assert form.items() <= dict(shop.stripe.asked[-1].form).items()


async def test_why_it_was_canceled(open_shop: OpenShop) -> None:
    """What is said with a cancellation reaches Stripe in the query of its DELETE, and stands in the subscription."""
    shop = await open_shop({"subscriptions.cancel": AMOUNTS})
    details = {"comment": "a & b = c", "feedback": "too_expensive"}

    answer = (
        await CASES["subscriptions.cancel"].bare({"cancellation_details": details, "prorate": True}).call(shop, MANAGER)
    )

    assert answer.json()["cancellation_details"] == {**details, "reason": "cancellation_requested"}
    asked = shop.stripe.asked[-1]
    assert (asked.query["prorate"], asked.query["cancellation_details[comment]"], asked.form) == (
        "true",
        "a & b = c",
        [],
    )


async def test_a_subscription_that_is_canceled_without_a_word(open_shop: OpenShop) -> None:
    """A cancellation needs no body."""
    shop = await open_shop()

    answer = await shop.call(TENANT, "/stripe/subscriptions/sub_OWN", method="DELETE")

    assert (answer.status, shop.stripe.asked[-1].target) == (200, "/v1/subscriptions/sub_OWN")


@pytest.mark.parametrize(("name", "parameter"), PAYING, ids=[f"{name}-{each.name}" for name, each in PAYING])
async def test_what_decides_the_price_is_the_operators(open_shop: OpenShop, name: str, parameter: object) -> None:
    """Amounts, a trial's end, prorations and pauses of payment are 400 without the operator's consent."""
    shop = await open_shop()
    case = CASES[name].having(**{parameter.name: sample(parameter.type)})  # type: ignore[attr-defined]

    answers = [await case.call(shop, user) for user in (MANAGER, TENANT)]

    assert [(each.status, each.code) for each in answers] == [(400, "INVALID_PAYLOAD")] * 2
    assert answers[0].message.startswith(f"{parameter.name}: is not an attribute")  # type: ignore[attr-defined]
    assert shop.stripe.asked == []


@pytest.mark.parametrize("value", ["soon", "", -1, 1.5, True, "1900000000", 10**12, ["now"], {"type": "now"}])
async def test_times_that_are_none(open_shop: OpenShop, value: object) -> None:
    """V1: what is neither a time nor Stripe's word for one is 400 in one sentence that says what is."""
    shop = await open_shop({"subscriptions.update": AMOUNTS})

    answer = await CASES["subscriptions.update"].having(trial_end=value).call(shop, MANAGER)

    assert (answer.status, answer.message) == (400, "trial_end: must be a time in seconds since the epoch or now.")
    assert shop.stripe.asked == []


def test_every_time_has_words_that_stripe_knows() -> None:
    """The words for times are in the table, so that the description has them."""
    words = {
        word
        for row in ROWS.values()
        for each in row.parameters
        if isinstance(each.type, Time)
        for word in each.type.words
    }

    assert words == {"now", "max_billed_until", "max_period_end", "min_period_end"}


@pytest.mark.parametrize("name", ["invoices.void", "invoices.finalize", "subscription_schedules.release"])
async def test_what_a_debtor_should_not_decide(open_shop: OpenShop, name: str) -> None:
    """Voiding, finalizing and releasing need a collection of the operator's, whose own permission decides."""
    with pytest.raises(Exception, match="name the collection whose permissions decide"):
        await open_shop({name: ""})
