"""The stand-in for Stripe is as strict as Stripe."""

import asyncio
import secrets

import aiohttp
import pytest

from tests.doubles.shop import RETURN, Account, Shop

REFUSED = {
    "raw card number": ("payment_methods", "type=card&card[number]=4242424242424242", 402, None),
    "unknown card": ("payment_methods", "type=card&card[token]=tok_none", 400, "resource_missing"),
    "card of no type": ("payment_methods", "card[token]=tok_visa", 400, "parameter_missing"),
    "nothing to pay": ("payment_intents", "amount=0&currency=eur", 400, "parameter_invalid_integer"),
    "no method": (
        "payment_intents",
        "amount=500&currency=eur&confirm=true&off_session=true",
        400,
        "payment_intent_unexpected_state",
    ),
    "no way back": (
        "payment_intents",
        "amount=500&currency=eur&customer={customer}&payment_method={payment_method}&confirm=true",
        400,
        None,
    ),
    "off session, not confirmed": ("payment_intents", "amount=500&currency=eur&off_session=true", 400, None),
    "more than is left": ("refunds", "charge={charge}&amount=801", 400, None),
    "charge of another payment": ("refunds", "payment_intent={payment_intent}&charge=ch_none", 400, "resource_missing"),
    "price that is paid once": ("subscriptions", "customer={customer}&items[0][price]={once}", 400, None),
    "item without a price": ("subscriptions", "customer={customer}&items[0][quantity]=2", 400, "parameter_missing"),
    "price of nothing": ("prices", "currency=eur&unit_amount=500", 400, "parameter_missing"),
    "price of no amount": ("prices", "currency=eur&product={product}", 400, "parameter_missing"),
    "price of no product": ("prices", "currency=eur&unit_amount=500&product=prod_none", 400, "resource_missing"),
    "nowhere to go": ("checkout/sessions", "mode=setup&currency=eur", 400, "parameter_missing"),
    "nothing to sell": ("checkout/sessions", f"mode=payment&success_url={RETURN}", 400, "parameter_missing"),
    "sale while saving": (
        "checkout/sessions",
        f"mode=setup&currency=eur&success_url={RETURN}&line_items[0][price]={{once}}",
        400,
        None,
    ),
    "two currencies": (
        "checkout/sessions",
        f"mode=payment&currency=usd&success_url={RETURN}&line_items[0][price]={{once}}",
        400,
        None,
    ),
    "a code that is in use": (
        "promotion_codes",
        "promotion[type]=coupon&promotion[coupon]={coupon}&code={code}",
        400,
        None,
    ),
    "usage without a meter": (
        "billing/meter_events",
        "event_name=none&payload[stripe_customer_id]={customer}&payload[value]=1",
        400,
        None,
    ),
    "usage of nobody": ("billing/meter_events", "event_name={event}&payload[value]=1", 400, None),
    "usage of an unknown customer": (
        "billing/meter_events",
        "event_name={event}&payload[stripe_customer_id]=cus_none&payload[value]=1",
        400,
        "resource_missing",
    ),
    "usage long ago": (
        "billing/meter_events",
        "event_name={event}&payload[stripe_customer_id]={customer}&payload[value]=1&timestamp=1",
        400,
        None,
    ),
    "a paid invoice": ("invoices/{invoice}/pay", "", 400, None),
    "a paid invoice, void": ("invoices/{invoice}/void", "", 400, None),
    "a credit beyond the invoice": ("credit_notes", "invoice={invoice}&amount=501", 400, None),
    "a subscription that is not paused": ("subscriptions/{subscription}/resume", "", 400, None),
    "two people": (
        "checkout/sessions",
        (f"mode=setup&currency=eur&customer={{customer}}&customer_email=ada@example.com&success_url={RETURN}"),
        400,
        None,
    ),
    "one person created and one named": (
        "checkout/sessions",
        f"mode=setup&currency=eur&customer={{customer}}&customer_creation=always&success_url={RETURN}",
        400,
        None,
    ),
    "a discount and a code for one": (
        "checkout/sessions",
        (
            f"mode=payment&line_items[0][price]={{once}}&success_url={RETURN}"
            "&allow_promotion_codes=false&discounts[0][coupon]=A"
        ),
        400,
        None,
    ),
    "nobody to update": (
        "checkout/sessions",
        f"mode=setup&currency=eur&customer_update[name]=auto&success_url={RETURN}",
        400,
        None,
    ),
}


@pytest.mark.parametrize(("path", "parameters", "status", "code"), REFUSED.values(), ids=REFUSED)
async def test_refused(shop: Shop, path: str, parameters: str, status: int, code: str | None) -> None:
    """The stand-in creates nothing that Stripe would not create."""
    answer = await shop.account.ask("POST", shop.filled(path), shop.filled(parameters))

    assert (status, code) == (answer[0], answer[1]["error"].get("code")), answer


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("payment_intents", "amount=500&currency=eur&customer={customer}&payment_method={foreign}"),
        ("setup_intents", "customer={customer}&payment_method={foreign}"),
        ("customers/{customer}", "invoice_settings[default_payment_method]={foreign}"),
        ("subscriptions/{subscription}", "default_payment_method={foreign}"),
    ],
)
async def test_another_customers_card(shop: Shop, path: str, parameters: str) -> None:
    """A customer cannot use a payment method that is attached to another."""
    names = {**shop.ids, "foreign": (await shop.customer())["payment_method"]}

    status, answer = await shop.account.ask("POST", path.format_map(names), parameters.format_map(names))

    assert (status, answer["error"]["code"]) == (400, "resource_missing")


async def test_detached_is_spent(shop: Shop) -> None:
    """A detached payment method can neither pay nor be attached again."""
    method = shop["payment_method"]
    await shop.account.post(f"payment_methods/{method}/detach")

    attached, _ = await shop.account.ask("POST", f"payment_methods/{method}/attach", f"customer={shop['customer']}")
    paid, _ = await shop.account.ask("POST", "payment_intents", f"amount=500&currency=eur&payment_method={method}")

    assert (attached, paid) == (400, 400)


async def test_attached_is_taken(shop: Shop) -> None:
    """A payment method has at most one customer."""
    other = (await shop.account.post("customers"))["id"]

    path = f"payment_methods/{shop['payment_method']}/attach"
    status, _ = await shop.account.ask("POST", path, f"customer={other}")

    assert status == 400


async def test_canceled_stays_so(shop: Shop) -> None:
    """A canceled subscription accepts only changes of its metadata."""
    path = f"subscriptions/{shop['subscription']}"
    await shop.account.delete(path)

    status, _ = await shop.account.ask("POST", path, "cancel_at_period_end=true")
    changed = await shop.account.post(path, "metadata[why]=moved")

    assert (status, changed["metadata"]) == (400, {"why": "moved"})


async def test_uncaptured_charge_is_not_refunded(shop: Shop) -> None:
    """A payment that is to be captured later has a charge, and nothing to refund."""
    form = "amount=500&currency=eur&payment_method={payment_method}&customer={customer}&confirm=true&off_session=true"

    payment = await shop.account.post("payment_intents", shop.filled(f"{form}&capture_method=manual"))
    status, _ = await shop.account.ask("POST", "refunds", f"payment_intent={payment['id']}")

    assert (payment["status"], payment["amount_received"], payment["amount_capturable"]) == ("requires_capture", 0, 500)
    assert status == 400


@pytest.mark.parametrize("body", ['{"name": "Ada"}', "name=Ada"])
async def test_forms_alone(account: Account, body: str) -> None:
    """Parameters that are not a form are refused, not ignored."""
    headers = {**account.headers, "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{account.url}/v1/customers", data=body) as answer,
    ):
        assert answer.status == 400


@pytest.mark.parametrize(
    "sent", ["Bearer sk_test_other", "sk_test_stand_in", "Basic c2tfdGVzdF9zdGFuZF9pbjo=", "Bearer "]
)
async def test_another_key_is_refused(account: Account, sent: str) -> None:
    """Only the account's own key is accepted."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": sent}) as session,
        session.get(f"{account.url}/v1/customers") as answer,
    ):
        assert answer.status == 401


@pytest.mark.parametrize(
    "asked", ["GET accounts", "PUT customers", "POST charges", "DELETE payment_intents/{payment_intent}"]
)
async def test_no_such_call(shop: Shop, asked: str) -> None:
    """An unsupported call is a 404, never an empty success."""
    method, path = shop.filled(asked).split()

    status, answer = await shop.account.ask(method, path)

    assert (status, answer["error"]["type"]) == (404, "invalid_request_error")


async def test_key_with_other_parameters(account: Account) -> None:
    """An idempotency key belongs to one request: with another body or path it is an error, and nothing is created."""
    key = secrets.token_hex(8)
    first = await account.post("customers", f"email={key}@example.com", key=key)

    status, answer = await account.ask("POST", "customers", f"email={key}@example.com&name=Ada", key=key)
    elsewhere, _ = await account.ask("POST", "products", "name=Tea", key=key)

    assert (status, answer["error"]["type"], elsewhere) == (400, "idempotency_error", 400)
    assert await account.ids("customers", f"email={key}@example.com") == [first["id"]]


async def test_keys_at_once(account: Account) -> None:
    """Any number of concurrent requests with one key create one customer."""
    key = secrets.token_hex(8)
    form = f"email={key}@example.com"

    answers = await asyncio.gather(*(account.ask("POST", "customers", form, key=key) for _ in range(10)))

    assert {status for status, _ in answers} <= {200, 409}
    assert len(await account.ids("customers", form)) == 1


async def test_refused_key_may_be_used_again(account: Account) -> None:
    """A request that fails validation does not use up its key; a key that is too long is refused."""
    key = secrets.token_hex(8)

    refused, _ = await account.ask("POST", "customers", "nonsense=1", key=key)
    made, _ = await account.ask("POST", "customers", "name=Ada", key=key)
    long, _ = await account.ask("POST", "customers", "name=Ada", key="x" * 256)

    assert (refused, made, long) == (400, 200, 400)
