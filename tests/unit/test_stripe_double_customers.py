"""The double refuses a customer that its account does not have as Stripe does, also in lists."""

from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.doubles.stripe import StripeDouble

LISTS = ("payment_intents", "charges", "invoices", "subscriptions", "payment_methods", "setup_intents")
CREATIONS = {
    "payment_intents": {"amount": "500", "currency": "eur"},
    "setup_intents": {},
    "subscriptions": {"items[0][price]": "{price}"},
    "checkout/sessions": {"mode": "setup", "currency": "eur", "success_url": "https://app.example.com/"},
    "billing_portal/sessions": {},
    "invoices/create_preview": {"subscription_details[items][0][price]": "{price}"},
}
UNKNOWN = {
    "elsewhere": "No such customer: 'cus_elsewhere'",
    "live": (
        "No such customer: 'cus_live'; a similar object exists in live mode, but a test mode key was used to make this "
        "request."
    ),
}
unknown = pytest.mark.parametrize(("name", "message"), UNKNOWN.items(), ids=UNKNOWN)


async def ask(stripe: StripeDouble, method: str, path: str, values: dict[str, str]) -> tuple[int, dict[str, Any]]:
    sent, headers = urlencode(values), {"Authorization": f"Bearer {stripe.key}"}
    url, form = f"{stripe.url}/v1/{path}", {"Content-Type": "application/x-www-form-urlencoded"}
    how: dict[str, Any] = {"data": sent, "headers": headers | form} if method == "POST" else {"headers": headers}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url if method == "POST" else f"{url}?{sent}", **how) as answer,
    ):
        return answer.status, await answer.json()


def refusal(message: str) -> tuple[int, dict[str, Any]]:
    error = {"type": "invalid_request_error", "message": message, "code": "resource_missing", "param": "customer"}
    return 400, {"error": error}


@unknown
@pytest.mark.parametrize("path", LISTS)
async def test_lists_of_the_unknown(stripe: StripeDouble, path: str, name: str, message: str) -> None:
    """A list by a customer that the account does not have is refused, and the message says whether live mode has it."""
    stripe.account.live.add("cus_live")

    assert await ask(stripe, "GET", path, {"customer": f"cus_{name}"}) == refusal(message)


@pytest.mark.parametrize("path", LISTS)
async def test_lists_of_the_deleted(stripe: StripeDouble, path: str) -> None:
    """A list by a deleted customer is answered."""
    customer = str(stripe.add_customer(deleted=True)["id"])

    status, answer = await ask(stripe, "GET", path, {"customer": customer})

    assert (status, answer["data"]) == (200, [])


@unknown
@pytest.mark.parametrize("path", CREATIONS)
async def test_creations_for_the_unknown(stripe: StripeDouble, path: str, name: str, message: str) -> None:
    """Nothing is created for a customer that the account does not have."""
    price = str(stripe.add("price", type="recurring")["id"])
    stripe.account.live.add("cus_live")
    values = {name: value.format(price=price) for name, value in CREATIONS[path].items()}

    assert await ask(stripe, "POST", path, {**values, "customer": f"cus_{name}"}) == refusal(message)


@pytest.mark.parametrize("path", CREATIONS)
async def test_creations_for_the_deleted(stripe: StripeDouble, path: str) -> None:
    """Nothing is created for a deleted customer."""
    price = str(stripe.add("price", type="recurring")["id"])
    customer = str(stripe.add_customer(deleted=True)["id"])
    values = {name: value.format(price=price) for name, value in CREATIONS[path].items()}

    answer = await ask(stripe, "POST", path, {**values, "customer": customer})

    assert answer == refusal(f"No such customer: '{customer}'")
