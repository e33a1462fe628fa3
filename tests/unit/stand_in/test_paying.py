"""Payments that a browser confirms, with 3-D Secure where the test card asks for it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from deploy.stripe_stand_in import KEY
from tests.doubles.shop import RETURN, Account, Shop

ASKS = "pm_card_threeDSecure2Required"
SECRET = "expand[0]=latest_invoice.confirmation_secret&expand[1]=pending_setup_intent"
SAVING = "payment_settings[save_default_payment_method]=on_subscription"


async def subscribe(shop: Shop, more: str = "") -> dict[str, Any]:
    customer = (await shop.account.post("customers"))["id"]
    form = f"customer={customer}&items[0][price]={shop['monthly']}&payment_behavior=default_incomplete&{SECRET}"
    return await shop.account.post("subscriptions", f"{form}&{SAVING}{more}")


def secret_of(subscription: dict[str, Any]) -> str:
    return str(subscription["latest_invoice"]["confirmation_secret"]["client_secret"])


async def confirm(account: Account, secret: str, more: str) -> tuple[int, dict[str, Any]]:
    """Confirm a payment or a SetupIntent as Stripe.js does."""
    kind = "setup_intents" if secret.startswith("seti_") else "payment_intents"
    path = f"{kind}/{secret.partition('_secret_')[0]}/confirm"
    return await account.ask_as_browser("POST", path, f"client_secret={secret}&{more}")


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
async def test_a_subscription_is_paid_in_a_browser(shop: Shop, outcome: str) -> None:
    """A first payment with 3-D Secure makes the subscription active once it is completed, and saves the card."""
    account, made = shop.account, await subscribe(shop)
    back = f"{RETURN}?page=1"

    _, asked = await confirm(account, secret_of(made), f"payment_method={ASKS}&return_url={back}")
    returned = await account.authenticate(asked["next_action"]["redirect_to_url"]["url"], outcome)

    after = await account.get(f"subscriptions/{made['id']}", SECRET)
    query = parse_qs(urlsplit(returned).query)
    assert (made["status"], asked["status"]) == ("incomplete", "requires_action")
    assert (query["page"], query["redirect_status"]) == (["1"], [outcome])
    assert secret_of(made) == query["payment_intent_client_secret"][0] == secret_of(after)
    if outcome == "failed":
        assert (after["status"], after["latest_invoice"]["status"]) == ("incomplete", "open")
        return
    method = await account.get(f"payment_methods/{after['default_payment_method']}")
    assert (after["status"], after["latest_invoice"]["status"]) == ("active", "paid")
    assert method["customer"] == after["customer"]


async def test_a_trial_waits_for_a_card(shop: Shop) -> None:
    """A trial without a payment method has a SetupIntent, by which it gets one."""
    made = await subscribe(shop, "&trial_period_days=14")
    pending = made["pending_setup_intent"]

    _, asked = await confirm(shop.account, pending["client_secret"], f"payment_method={ASKS}&use_stripe_sdk=true")
    await shop.account.authenticate(asked["next_action"]["use_stripe_sdk"]["stripe_js"], "succeeded")

    after = await shop.account.get(f"subscriptions/{made['id']}")
    assert (made["status"], pending["status"], asked["status"]) == (
        "trialing",
        "requires_payment_method",
        "requires_action",
    )
    assert (after["status"], after["pending_setup_intent"]) == ("trialing", None)
    assert after["default_payment_method"] is not None


@pytest.mark.parametrize(
    ("card", "more", "code"),
    [
        ("pm_card_visa_chargeDeclined", "off_session=true", "card_declined"),
        (ASKS, "off_session=true", "authentication_required"),
        (ASKS, f"return_url={RETURN}&error_on_requires_action=true", "authentication_required"),
    ],
)
async def test_the_bank_says_no(shop: Shop, card: str, more: str, code: str) -> None:
    """A declined payment, and one off session for which the bank asks, is 402, and waits for another method."""
    payment = await shop.account.post("payment_intents", "amount=500&currency=eur")
    path = f"payment_intents/{payment['id']}"

    status, answer = await shop.account.ask("POST", f"{path}/confirm", f"payment_method={card}&{more}")

    assert (status, answer["error"]["type"], answer["error"]["code"]) == (402, "card_error", code)
    assert (await shop.account.get(path))["status"] == "requires_payment_method"


async def test_a_declined_charge(shop: Shop) -> None:
    """What a bank declines leaves a charge that failed, with the bank's words, and nothing to refund."""
    payment = await shop.account.post("payment_intents", "amount=500&currency=eur")
    path, declined = f"payment_intents/{payment['id']}", "payment_method=pm_card_visa_chargeDeclined&off_session=true"
    await shop.account.ask("POST", f"{path}/confirm", declined)

    charge = await shop.account.get(f"charges/{(await shop.account.get(path))['latest_charge']}")
    status, answer = await shop.account.ask("POST", "refunds", f"payment_intent={payment['id']}")

    assert (charge["status"], charge["paid"], charge["failure_message"]) == (
        "failed",
        False,
        "Your card was declined.",
    )
    assert (status, "successful charge" in answer["error"]["message"]) == (400, True)


async def test_the_period_of_a_subscription(shop: Shop) -> None:
    """A subscription's items say until when it is paid, or its trial lasts."""
    paid = await shop.account.get(f"subscriptions/{shop['subscription']}")
    form = f"customer={shop['customer']}&items[0][price]={shop['monthly']}&trial_period_days=3"
    trial = await shop.account.post("subscriptions", form)

    [item], [tried] = paid["items"]["data"], trial["items"]["data"]
    assert paid["start_date"] == item["current_period_start"] < item["current_period_end"]
    assert trial["trial_end"] == tried["current_period_end"]


@pytest.mark.parametrize("card", ["pm_card_visa_chargeDeclined", ASKS])
@pytest.mark.parametrize("behavior", ["allow_incomplete", "error_if_incomplete"])
async def test_a_subscription_whose_card_does_not_pay(shop: Shop, card: str, behavior: str) -> None:
    """With a card that does not pay the subscription is incomplete, or refused where that was asked for."""
    customer = (await shop.account.post("customers"))["id"]
    method = (await shop.account.post(f"payment_methods/{card}/attach", f"customer={customer}"))["id"]
    form = f"customer={customer}&items[0][price]={shop['monthly']}&default_payment_method={method}"

    status, made = await shop.account.ask("POST", "subscriptions", f"{form}&payment_behavior={behavior}")

    assert (status, made.get("status")) == ((402, None) if behavior == "error_if_incomplete" else (200, "incomplete"))


async def test_what_a_publishable_key_may(shop: Shop) -> None:
    """A browser sees and confirms the intent whose secret it has, and nothing else, and not whose it is."""
    account, customer = shop.account, shop["customer"]
    payment = await account.post("payment_intents", f"amount=500&currency=eur&customer={customer}")
    path, secret = f"payment_intents/{payment['id']}", f"client_secret={payment['client_secret']}"

    status, seen = await account.ask_as_browser("GET", path, secret)
    refused = [
        await account.ask_as_browser("GET", path, f"{secret}x"),
        await account.ask_as_browser("GET", path),
        await account.ask_as_browser("POST", f"{path}/cancel", secret),
        await account.ask_as_browser("GET", f"customers/{customer}"),
        await account.ask_as_browser("POST", f"{path}/confirm", f"payment_method={ASKS}"),
    ]

    assert (status, seen["client_secret"], "customer" in seen) == (200, payment["client_secret"], False)
    assert [each[0] for each in refused] == [400, 400, 401, 401, 400]
    assert KEY.startswith("sk_test_")


async def test_the_banks_page_needs_the_secret(shop: Shop) -> None:
    """The page of 3-D Secure is there for who has its address with the secret, and once."""
    payment = await shop.account.post("payment_intents", "amount=500&currency=eur")
    _, asked = await confirm(shop.account, payment["client_secret"], f"payment_method={ASKS}&return_url={RETURN}")
    url = asked["next_action"]["redirect_to_url"]["url"]
    await shop.account.authenticate(url, "succeeded")

    again = await shop.account.authenticate(url, "succeeded")

    assert "cannot be authenticated" in again
    assert (await shop.account.get(f"payment_intents/{payment['id']}"))["status"] == "succeeded"


async def test_a_held_amount_is_captured(shop: Shop) -> None:
    """Of a held amount a part is taken, once, and no more than was held."""
    form = f"amount=500&currency=eur&customer={shop['customer']}&payment_method={shop['payment_method']}"
    held = await shop.account.post("payment_intents", f"{form}&capture_method=manual&confirm=true&off_session=true")
    path = f"payment_intents/{held['id']}/capture"

    too_much, _ = await shop.account.ask("POST", path, "amount_to_capture=501")
    taken = await shop.account.post(path, "amount_to_capture=300")
    again, _ = await shop.account.ask("POST", path)

    assert (held["status"], held["amount_capturable"]) == ("requires_capture", 500)
    assert (taken["status"], taken["amount_received"]) == ("succeeded", 300)
    assert (too_much, again) == (400, 400)


async def test_a_refund_that_waits_is_canceled(shop: Shop) -> None:
    """Only a refund that waits for the customer's instructions can be canceled, and once."""
    form = f"charge={shop['charge']}&amount=1"
    waiting = await shop.account.post("refunds", f"{form}&instructions_email=a@example.com")
    done = await shop.account.post("refunds", form)

    canceled = await shop.account.post(f"refunds/{waiting['id']}/cancel")
    refused = [(await shop.account.ask("POST", f"refunds/{each['id']}/cancel"))[0] for each in (waiting, done)]

    assert (waiting["status"], canceled["status"], refused) == ("requires_action", "canceled", [400, 400])


@pytest.mark.parametrize("confirmed", ["pi", "seti"])
async def test_a_confirmation_needs_what_stripe_needs(shop: Shop, confirmed: str) -> None:
    """Without a payment method, or without an address to return to, a server's confirmation is refused."""
    kind = {"pi": "payment_intents", "seti": "setup_intents"}[confirmed]
    made = await shop.account.post(kind, "amount=500&currency=eur" if confirmed == "pi" else "usage=off_session")
    path = f"{kind}/{made['id']}/confirm"

    refused = [await shop.account.ask("POST", path, each) for each in ("", "payment_method=pm_card_visa")]
    done = await shop.account.post(path, f"payment_method=pm_card_visa&return_url={RETURN}")
    again, _ = await shop.account.ask("POST", path, f"payment_method=pm_card_visa&return_url={RETURN}")

    assert ([each[0] for each in refused], done["status"], again) == ([400, 400], "succeeded", 400)


@pytest.mark.parametrize("path", ["items", "status", "latest_invoice.lines", "a.b.c.d.e", "latest_invoice.charge"])
async def test_what_cannot_be_expanded(shop: Shop, path: str) -> None:
    """Only references, and the secret of an invoice, are written out."""
    status, answer = await shop.account.ask("GET", f"subscriptions/{shop['subscription']}", f"expand[0]={path}")

    assert (status, answer["error"]["param"]) == (400, "expand")


async def test_an_invoice_has_no_secret_unless_asked(shop: Shop) -> None:
    """`confirmation_secret` is there only where it is asked for, also within a list."""
    plain = await shop.account.get(f"invoices/{shop['invoice']}")
    asked = await shop.account.get(f"invoices/{shop['invoice']}", "expand[0]=confirmation_secret")
    listed = await shop.account.get("invoices", f"customer={shop['customer']}&expand[0]=data.confirmation_secret")

    assert "confirmation_secret" not in plain
    assert asked["confirmation_secret"]["type"] == "payment_intent"
    assert listed["data"][0]["confirmation_secret"] == asked["confirmation_secret"]


async def test_keys_of_sdks(shop: Shop) -> None:
    """An ephemeral key names its customer, and is refused without the SDK's version; a customer session has no ID."""
    form = f"customer={shop['customer']}"
    without, _ = await shop.account.ask("POST", "ephemeral_keys", form)
    session = await shop.account.post("customer_sessions", f"{form}&components[pricing_table][enabled]=true")

    assert without == 400
    assert session["client_secret"].startswith("cuss_secret_")
    assert "id" not in session
    assert session["components"]["pricing_table"] == {"enabled": True}


@pytest.mark.parametrize(
    ("mode", "addresses", "status"),
    [
        ("embedded_page", f"return_url={RETURN}", 200),
        ("embedded_page", "redirect_on_completion=never", 200),
        ("embedded_page", f"success_url={RETURN}", 400),
        ("embedded_page", "", 400),
        ("elements", f"return_url={RETURN}", 200),
        ("elements", f"return_url={RETURN}&redirect_on_completion=never", 400),
        ("hosted_page", f"success_url={RETURN}", 200),
        ("hosted_page", f"return_url={RETURN}", 400),
        ("custom", f"return_url={RETURN}", 400),
    ],
)
async def test_addresses_of_each_kind_of_checkout(shop: Shop, mode: str, addresses: str, status: int) -> None:
    """A page of the shop's own has a client secret and no address at Stripe; a hosted one the other way round."""
    form = f"mode=setup&currency=eur&customer={shop['customer']}&ui_mode={mode}&{addresses}".rstrip("&")

    answered, made = await shop.account.ask("POST", "checkout/sessions", form)

    assert answered == status
    if status == 200:
        hosted = mode == "hosted_page"
        assert (made["url"] is not None, made["client_secret"] is None) == (hosted, hosted)
