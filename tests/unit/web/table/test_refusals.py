"""What the caller and the operator read of Stripe's refusals that have no code, with Stripe's own messages."""

import pytest

from tests.doubles import faults
from tests.doubles.directus import User
from tests.doubles.invariants import log_records
from tests.doubles.running_app import RunningApp
from tests.unit.web.table.cases import CASES
from tests.unit.web.table.people import MANAGER, TENANT

PORTAL = CASES["billing_portal_sessions.create"]
EXCLUSIVE = "You may only specify one of these parameters: customer, customer_email."
REFUSED, KEY = "Stripe refused a call", "Stripe does not accept our key for this call"


@pytest.mark.parametrize("user", [MANAGER, TENANT], ids=["full", "scoped"])
async def test_a_portal_without_configuration(shop: RunningApp, user: User) -> None:
    """The caller learns what is missing and who mends it; the operator gets a warning with Stripe's own words."""
    shop.stripe.account.portal_saved = False

    answer = await PORTAL.call(shop, user)

    [line] = log_records(shop.log, REFUSED)
    assert (answer.status, answer.code) == (400, "STRIPE_REJECTED")
    assert "portal has no configuration" in answer.message
    assert answer.extensions["stripe"]["request_id"] in answer.message
    assert b"dashboard.stripe.com" not in answer.raw
    assert (line["level"], line["endpoint"]) == ("warning", "POST /v1/billing_portal/sessions")
    assert "saving your customer portal settings" in str(line["stripe_message"])
    assert line["stripe_request_id"] == answer.extensions["stripe"]["request_id"]
    assert line["request_id"] == answer.header("X-Request-Id")


async def test_parameters_that_exclude_each_other(shop: RunningApp) -> None:
    """The caller learns which parameters these are; it is the caller's to mend, so the operator gets no warning."""
    refusal = f'{{"error": {{"type": "invalid_request_error", "message": "{EXCLUSIVE}"}}}}'
    shop.stripe.fail(faults.answer(400, refusal, Request_Id="req_1"), when=lambda request: request.method == "POST")

    answer = await CASES["checkout_sessions.create"].call(shop, TENANT)

    [line] = log_records(shop.log, REFUSED)
    assert (answer.status, answer.code) == (400, "STRIPE_REJECTED")
    assert answer.message == (
        "These parameters exclude each other: customer, customer_email. Send one of them. Stripe's request ID: req_1."
    )
    assert (line["level"], line["stripe_message"]) == ("info", EXCLUSIVE)


@pytest.mark.parametrize("user", [MANAGER, TENANT], ids=["full", "scoped"])
async def test_a_key_without_the_right(shop: RunningApp, user: User) -> None:
    """The caller gets a 503 without details; the operator reads which endpoint needs which right of the key."""
    shop.stripe.rights = frozenset({"rak_subscription_read", "rak_customer_write"})

    answer = await CASES["subscriptions.cancel"].call(shop, user)

    [line] = log_records(shop.log, KEY)
    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
    assert b"rak_" not in answer.raw
    assert line["level"] == "error"
    assert (line["endpoint"], line["right"]) == ("DELETE /v1/subscriptions/:id", "rak_subscription_write")


async def test_looking_at_what_is_not_there_is_no_refusal_to_log(shop: RunningApp) -> None:
    """A caller that asks for foreign and missing objects leaves no line about Stripe above DEBUG."""
    for word in ("FOREIGN", "ABSENT"):
        await CASES["payment_intents.retrieve"].about(word).call(shop, TENANT)

    assert {line["level"] for line in log_records(shop.log, REFUSED)} <= {"debug"}
