"""The double refuses as Stripe does what depends on the key, on the account's settings and on the object's past."""

from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.doubles.stripe import StripeDouble


async def ask(stripe: StripeDouble, asked: str, **form: str) -> tuple[int, dict[str, Any], str | None]:
    """Give the status, the error, and the limit that a 429 is about."""
    method, path = asked.split()
    headers = {"Authorization": f"Bearer {stripe.key}", "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(form) if method == "POST" else None
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{stripe.url}/v1/{path}", data=body) as answer,
    ):
        found = await answer.json()
        return answer.status, found.get("error", {}), answer.headers.get("Stripe-Rate-Limited-Reason")


@pytest.mark.parametrize(
    ("asked", "right", "answered"),
    [
        ("GET customers", "rak_customer_read", 200),
        ("GET customers", "rak_customer_write", 200),
        ("POST customers", "rak_customer_write", 200),
        ("POST customers", "rak_customer_read", 403),
        ("GET payment_intents", "rak_customer_write", 403),
        ("GET prices", "rak_plan_read", 200),
    ],
)
async def test_rights(stripe: StripeDouble, asked: str, right: str, answered: int) -> None:
    """A restricted key may do what its rights say; a right to write includes reading."""
    stripe.rights = frozenset({right})

    status, _, _ = await ask(stripe, asked)

    assert status == answered


async def test_a_missing_right_is_named(stripe: StripeDouble) -> None:
    """The refusal names the right that would do, has no code, and shows only the ends of the key."""
    stripe.rights = frozenset()

    status, error, _ = await ask(stripe, "DELETE subscriptions/sub_1")

    assert (status, "code" in error) == (403, False)
    assert "Having the 'rak_subscription_write' permission would allow" in error["message"]
    assert stripe.key not in error["message"]


async def test_a_locked_object(stripe: StripeDouble) -> None:
    """While another request changes an object, a change of it is a 429 about the object, which is no rate limit."""
    subscription = stripe.add("subscription")["id"]
    stripe.limits.locked.add(subscription)

    status, error, reason = await ask(stripe, f"DELETE subscriptions/{subscription}")
    read, _, _ = await ask(stripe, f"GET subscriptions/{subscription}")

    assert (status, error["code"], reason, read) == (429, "lock_timeout", None, 200)


async def test_an_object_that_is_changed_too_often(stripe: StripeDouble) -> None:
    """An object has a limit of its own, which leaves others alone and ends after an hour."""
    now = 1_700_000_000
    stripe.limits.now = lambda: now
    stripe.limits.most["subscription"] = 2
    one, other = (stripe.add("subscription")["id"] for _ in range(2))

    answers = [await ask(stripe, f"POST subscriptions/{one}", description="x") for _ in range(3)]
    elsewhere = await ask(stripe, f"POST subscriptions/{other}", description="x")
    now += 3600
    later = await ask(stripe, f"POST subscriptions/{one}", description="x")

    assert [status for status, _, _ in answers] == [200, 200, 429]
    assert answers[2][2] == "resource-specific"
    assert (elsewhere[0], later[0]) == (200, 200)


async def test_a_portal_without_settings(stripe: StripeDouble) -> None:
    """An account that never saved its portal's settings opens none, and gives no code for it."""
    customer = stripe.add_customer()["id"]
    stripe.account.portal_saved = False

    status, error, _ = await ask(stripe, "POST billing_portal/sessions", customer=customer)
    with_one, _, _ = await ask(stripe, "POST billing_portal/sessions", customer=customer, configuration="bpc_1")

    assert (status, error["type"], "code" in error) == (400, "invalid_request_error", False)
    assert with_one == 200


@pytest.mark.parametrize("deleted", ["subscriptions", "customers"])
async def test_a_repeated_delete(stripe: StripeDouble, deleted: str) -> None:
    """What was deleted cannot be deleted again, and is not found then."""
    thing = stripe.add(deleted.removesuffix("s"))["id"]
    await ask(stripe, f"DELETE {deleted}/{thing}")

    status, error, _ = await ask(stripe, f"DELETE {deleted}/{thing}")

    assert (status, error["code"]) == (404, "resource_missing")
