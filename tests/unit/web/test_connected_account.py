"""Calls on a connected account: STRIPE_ACCOUNT alone says which, for every operation and event."""

import pytest

from tests.doubles.directus import DirectusDouble
from tests.doubles.events import PATH, SECRET, event, headers
from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, SERVICE_TOKEN, OpenApp
from tests.doubles.stripe import StripeDouble

ACCOUNT = "acct_1Bakery"


async def test_every_call(open_app: OpenApp, stripe: StripeDouble) -> None:
    """P4: Reads, lists and changes are made on the account of the settings, whatever a client sends."""
    stripe.connected = ACCOUNT
    customer = str(stripe.add_customer()["id"])
    app = await open_app(STRIPE_ACCOUNT=ACCOUNT)
    claimed = [("Stripe-Account", "acct_1Another"), ("Stripe-Context", "acct_1Another")]

    answers = [
        await app.call(CLERK, target, headers=claimed)
        for target in ("/stripe/customers", "/stripe/customers?limit=1", f"/stripe/payments/{customer}")
    ]
    created = await app.create(CLERK)

    assert [each.status for each in (*answers, created)] == [200, 200, 200, 201]
    assert {tuple(request.values("Stripe-Account")) for request in stripe.requests} == {(ACCOUNT,)}
    assert not [request for request in stripe.requests if request.values("Stripe-Context")]


async def test_no_account(open_app: OpenApp, stripe: StripeDouble) -> None:
    """Without the setting no call names an account."""
    app = await open_app()

    assert (await app.call(CLERK, "/stripe/customers")).status == 200
    assert not [request for request in stripe.requests if request.values("Stripe-Account")]


async def test_an_account_that_is_not_the_keys(open_app: OpenApp, stripe: StripeDouble) -> None:
    """U2: Where the key may not act on the account, callers get a 503, and Stripe's word is for the operator."""
    stripe.connected = "acct_1Another"
    app = await open_app(STRIPE_ACCOUNT=ACCOUNT)

    answer = await app.call(CLERK, "/stripe/customers?limit=1")
    stripe.requests.clear()

    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
    assert ACCOUNT not in answer.body.decode()


@pytest.mark.parametrize("account", [ACCOUNT, "acct_1Another", None])
async def test_events(open_app: OpenApp, directus: DirectusDouble, stripe: StripeDouble, account: str | None) -> None:
    """The account's events are worked on; those of others and of the platform itself are acknowledged and ignored."""
    stripe.connected = ACCOUNT
    settings = {"STRIPE_WEBHOOK_SECRET": SECRET, "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN}
    app = await open_app(STRIPE_ACCOUNT=ACCOUNT, **settings)
    customer = str(stripe.add_customer()["id"])
    row = directus.add_row(stripe_customer_id=customer)
    stripe.account.find("customer", customer, "id", 404)["deleted"] = True
    body = event("customer.deleted", customer, **({} if account is None else {"account": account}))

    answer = await app.call(None, PATH, method="POST", headers=headers(body), body=body)

    assert answer.status == 200, answer.body
    assert (row["stripe_customer_id"] is None) is (account == ACCOUNT)
    ignored = [record["reason"] for record in log_records(app.log, "an event was ignored")]
    assert ignored == ([] if account == ACCOUNT else ["another account's"])
