"""Paying in the shop's own page: who gets what the page confirms with. The invariants search the log of every test."""

from typing import Any

import pytest

from deploy.stripe_stand_in.cards import Bank
from tests.doubles.directus import DirectusDouble
from tests.doubles.running_app import RunningApp
from tests.doubles.server import Recorded
from tests.doubles.stripe import CLIENT_SECRET
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, TENANT
from tests.unit.web.table.test_shares import HOLDER, opened

CONSENT = {"STRIPE_EXPOSE_CLIENT_SECRET": "true"}
SETTINGS = {"save_default_payment_method": "on_subscription"}
SUBSCRIBE = CASES["subscriptions.create"].having(payment_behavior="default_incomplete", payment_settings=SETTINGS)
TO_CONFIRM = ["latest_invoice.confirmation_secret", "pending_setup_intent"]
INVOICE = CASES["invoices.retrieve"].row.resource
BACK = "https://app.example.com/account"


@pytest.fixture
async def shop(open_shop: OpenShop) -> RunningApp:
    """The shop whose operator exposes secrets."""
    shop = await open_shop(**CONSENT)
    shop.shows_client_secrets = True
    return shop


async def subscribed(shop: RunningApp) -> dict[str, Any]:
    made: dict[str, Any] = (await SUBSCRIBE.call(shop, TENANT)).json()
    return made


def expansions(request: Recorded) -> list[str]:
    """Give what a request asks Stripe to write out."""
    return [value for name, value in (*request.form, *request.query.items()) if name.startswith("expand")]


def secrets_in(answer: Answer) -> int:
    return answer.raw.decode().count(CLIENT_SECRET)


async def test_the_subscriber_gets_the_secret(shop: RunningApp) -> None:
    """The owner of a new subscription gets the secret of its first invoice, and nothing else beyond the bases."""
    made = await subscribed(shop)

    secret = made["latest_invoice"]["confirmation_secret"]
    assert (made["status"], secret.keys()) == ("incomplete", {"client_secret", "type"})
    assert secret["client_secret"].endswith(CLIENT_SECRET)
    assert set(made["latest_invoice"]) <= INVOICE.base | INVOICE.links | {"confirmation_secret"}
    assert ("payment_settings[save_default_payment_method]", "on_subscription") in shop.stripe.asked[-1].form
    assert expansions(shop.stripe.asked[-1]) == TO_CONFIRM


async def test_a_trial_gets_the_secret_for_its_card(shop: RunningApp) -> None:
    """The owner of a trial gets the secret of the SetupIntent by which it saves a payment method."""
    setup = shop.stripe.add("setup_intent", customer="cus_OWN")
    for each in shop.stripe.objects["subscription"]:
        each["pending_setup_intent"] = setup["id"]

    found = (await CASES["subscriptions.retrieve"].call(shop, TENANT)).json()

    assert found["pending_setup_intent"]["client_secret"] == setup["client_secret"]
    assert "application" not in found["pending_setup_intent"]


@pytest.mark.parametrize(("method", "asked"), [("GET", ["GET"]), ("POST", ["GET", "POST"])])
async def test_a_page_that_reloads(shop: RunningApp, method: str, asked: list[str]) -> None:
    """Retrieving or changing the subscription gives the secret again, and costs no call more than without it."""
    made = await subscribed(shop)
    before = len(shop.stripe.asked)

    again = await shop.call(TENANT, f"/stripe/subscriptions/{made['id']}", method=method)

    assert again.json()["latest_invoice"] == made["latest_invoice"]
    assert [request.method for request in shop.stripe.asked[before:]] == asked
    assert expansions(shop.stripe.asked[-1]) == TO_CONFIRM


async def test_an_open_invoice_is_paid_in_the_page(shop: RunningApp) -> None:
    """The owner of an invoice gets its secret with it."""
    made = await subscribed(shop)

    found = await shop.call(TENANT, f"/stripe/invoices/{made['latest_invoice']['id']}")

    assert found.json()["confirmation_secret"] == made["latest_invoice"]["confirmation_secret"]


@pytest.mark.parametrize("target", ["invoices", "invoices?limit=5", "subscriptions", "subscriptions?limit=5"])
async def test_lists_have_none(shop: RunningApp, target: str) -> None:
    """R6: no list has anything written out, for any caller."""
    await subscribed(shop)
    before = len(shop.stripe.asked)

    answers = [await shop.call(user, f"/stripe/{target}") for user in (MANAGER, TENANT, CLERK)]

    assert [each.status for each in answers] == [200] * 3
    assert [request for request in shop.stripe.asked[before:] if expansions(request)] == []
    assert b'"latest_invoice":{' not in b"".join(each.body for each in answers)


async def test_staff_with_a_field_list_gets_none(shop: RunningApp) -> None:
    """R6: a caller with a field list gets the reference alone, and Stripe is not asked for more."""
    made = await subscribed(shop)
    before = len(shop.stripe.asked)

    answers = [
        await shop.call(CLERK, f"/stripe/subscriptions/{made['id']}"),
        await SUBSCRIBE.call(shop, CLERK),
        await CASES["subscriptions.update"].call(shop, CLERK),
    ]

    assert [each.status for each in answers] == [200, 201, 200]
    assert [type(each.json()["latest_invoice"]) for each in answers[:2]] == [str, str]
    assert [secrets_in(each) for each in answers] == [0, 0, 0]
    assert [request for request in shop.stripe.asked[before:] if expansions(request)] == []


async def test_another_customer_gets_none(shop: RunningApp, directus: DirectusDouble) -> None:
    """R1: another customer's subscription is answered as one that does not exist."""
    made = await subscribed(shop)
    for row in directus.rows["customers"].values():
        row["owner"] = TENANT.name if row["stripe_customer_id"] == "cus_FOREIGN" else "somebody else"

    foreign = await shop.call(TENANT, f"/stripe/subscriptions/{made['id']}")
    absent = await shop.call(TENANT, "/stripe/subscriptions/sub_ABSENT")

    assert (foreign.status, foreign.body) == (401, absent.body)
    assert secrets_in(foreign) == 0


async def test_a_share_gets_none(open_shop: OpenShop, directus: DirectusDouble) -> None:
    """O1: a share that shows the subscription's customer shows the reference alone."""
    shop = await open_shop(**CONSENT, ALLOW_SHARES="read")
    shop.shows_client_secrets = True
    made = await subscribed(shop)
    opened(directus, shop)

    shared = await shop.call(HOLDER, f"/stripe/subscriptions/{made['id']}")

    assert (shared.status, secrets_in(shared)) == (200, 0)
    assert shared.json()["latest_invoice"] == made["latest_invoice"]["id"]
    assert expansions(shop.stripe.asked[-1]) == []


async def test_whole_access_sees_this_secret_like_others(shop: RunningApp) -> None:
    """R6: who sees every attribute of every customer sees it, as it sees every other client secret."""
    made = await subscribed(shop)

    found = (await shop.call(MANAGER, f"/stripe/subscriptions/{made['id']}")).json()

    assert found["latest_invoice"]["confirmation_secret"] == made["latest_invoice"]["confirmation_secret"]


async def test_without_consent_nothing_is_asked_for(open_shop: OpenShop) -> None:
    """R6: without the operator's consent nothing is written out, for any caller."""
    shop = await open_shop()

    answers = [await SUBSCRIBE.call(shop, user) for user in (TENANT, MANAGER, CLERK)]
    found = await CASES["subscriptions.retrieve"].call(shop, TENANT)

    assert [each.status for each in (*answers, found)] == [201, 201, 201, 200]
    assert [type(each.json()["latest_invoice"]) for each in answers] == [str, str, str]
    assert [request for request in shop.stripe.asked if expansions(request)] == []


async def test_metrics_have_no_secret(shop: RunningApp) -> None:
    """S1: the metrics have none of the secrets in answers."""
    await subscribed(shop)

    assert secrets_in(await shop.call(target="/metrics")) == 0


@pytest.mark.parametrize("way", [{"use_stripe_sdk": True}, {}], ids=["stripe.js", "redirect"])
@pytest.mark.parametrize("kind", ["payment_intents", "setup_intents"])
async def test_what_the_page_does_next(shop: RunningApp, kind: str, way: dict[str, object]) -> None:
    """O4: the owner gets what the page or Stripe.js does next, with the secret in it; with a field list nobody does."""
    shop.stripe.account.banks["pm_OWN"] = Bank.ASKS
    body: dict[str, object] = {"payment_method": "pm_OWN", "return_url": BACK, **way}

    answer = await CASES[f"{kind}.confirm"].bare(body).call(shop, TENANT)
    clerk = await CASES[f"{kind}.retrieve"].call(shop, CLERK)

    action = answer.json()["next_action"]
    assert (answer.status, answer.json()["status"]) == (200, "requires_action")
    assert CLIENT_SECRET in str(action[action["type"]])
    assert (clerk.status, "next_action" in clerk.json(), secrets_in(clerk)) == (200, False, 0)


async def test_next_without_consent(open_shop: OpenShop) -> None:
    """O4: without consent a confirmed payment says that it waits for its customer, and not how to go on."""
    shop = await open_shop()
    shop.stripe.account.banks["pm_OWN"] = Bank.ASKS

    answer = (
        await CASES["payment_intents.confirm"].bare({"payment_method": "pm_OWN", "return_url": BACK}).call(shop, TENANT)
    )
    staff = await CASES["payment_intents.retrieve"].call(shop, MANAGER)

    assert (answer.json()["status"], "next_action" in answer.json()) == ("requires_action", False)
    assert staff.json()["next_action"] == {"type": "redirect_to_url", "redirect_to_url": {"return_url": BACK}}


async def test_a_refused_payment_says_nothing_of_the_secret(shop: RunningApp) -> None:
    """S3: Stripe's error holds the whole payment with its secret; the caller gets its codes."""
    shop.stripe.account.banks["pm_OWN"] = Bank.ASKS

    answer = await CASES["payment_intents.confirm"].call(shop, TENANT)

    assert (answer.status, answer.code) == (402, "STRIPE_REJECTED")
    assert answer.extensions["stripe"]["code"] == "authentication_required"
    assert secrets_in(answer) == 0


@pytest.mark.parametrize("mode", ["embedded_page", "elements"])
async def test_a_checkout_within_the_page(shop: RunningApp, mode: str) -> None:
    """The owner of a checkout within the shop's page gets its secret, also when the page reloads; nobody else does."""
    case = CASES["checkout_sessions.create"].having(ui_mode=mode, success_url=None, return_url=BACK)

    made = await case.call(shop, TENANT)
    target = f"/stripe/checkout/sessions/{made.json()['id']}"
    again, clerk, whole = [await shop.call(user, target) for user in (TENANT, CLERK, MANAGER)]

    assert [secrets_in(each) for each in (made, again, clerk, whole)] == [1, 1, 0, 1]
    assert made.json()["client_secret"] == again.json()["client_secret"]


async def test_whose_payment_method_pays(shop: RunningApp) -> None:
    """R1: a payment is confirmed at once with a payment method of the caller's own, and with no other."""
    case = CASES["payment_intents.create"].having(confirm=True, off_session=True)

    own = await case.call(shop, TENANT)
    changes = [request for request in shop.stripe.asked if request.method == "POST"]
    refused = [await case.having(payment_method=each).call(shop, TENANT) for each in ("pm_FOREIGN", "pm_ABSENT")]

    assert (own.status, own.json()["status"]) == (201, "succeeded")
    assert [(each.status, each.extensions["reason"]) for each in refused] == [(401, "not_visible")] * 2
    assert changes == [request for request in shop.stripe.asked if request.method == "POST"]


async def test_an_amount_to_capture_needs_consent(open_shop: OpenShop) -> None:
    """Without the operator's consent to amounts all is captured, and with it a part can be."""
    case = CASES["payment_intents.capture"]
    without = await open_shop()
    refused = await case.bare({"amount_to_capture": 100}).having(amount_to_capture=100).call(without, MANAGER)
    asked = [*without.stripe.asked]

    shop = await open_shop({case.name: 'collection = "shop"\namounts = true'})
    part = await case.having(amount_to_capture=100).call(shop, MANAGER)

    assert (refused.status, asked) == (400, [])
    assert (part.status, part.json()["amount_received"]) == (200, 100)
