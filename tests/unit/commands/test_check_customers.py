"""What `check` says about the customers that items name."""

import pytest
from pydantic import SecretStr

from sidecar import opening
from sidecar.commands.check_customers import customer_lines
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.doubles.stripe import StripeDouble

SERVICE = "service"


async def lines(directus: DirectusDouble, stripe: StripeDouble, service: str | None = SERVICE) -> list[Line]:
    settings = Settings(
        directus_url=directus.url,
        directus_service_token=None if service is None else SecretStr(service),
        stripe_live_secret_key=SecretStr(stripe.key),
        stripe_api_base=stripe.url,
        stripe_customers_collection="customers",
    )
    async with opening.directus_session(settings) as to_directus, opening.stripe_session(settings) as to_stripe:
        return [line async for line in customer_lines(settings, to_directus, to_stripe)]


@pytest.fixture(autouse=True)
def token(directus: DirectusDouble) -> None:
    directus.add_users([User("service", SERVICE, grants(read=full("id", "stripe_customer_id")))])


def item(directus: DirectusDouble, customer: object) -> object:
    return directus.add_row(stripe_customer_id=customer)["id"]


async def test_all_are_alive(directus: DirectusDouble, stripe: StripeDouble) -> None:
    """Items with living customers, and items without one, are one line."""
    for customer in (stripe.add_customer()["id"], stripe.add_customer()["id"], None, ""):
        item(directus, customer)

    [line] = await lines(directus, stripe)

    assert (line.word, line.text) == (
        Word.OK,
        "the customers that are named by 2 items of customers that were looked at are alive at Stripe",
    )


async def test_unknown_and_deleted(directus: DirectusDouble, stripe: StripeDouble) -> None:
    """Items with unknown customers are a fault and items with deleted ones a note; both say what mends them."""
    item(directus, stripe.add_customer()["id"])
    unknown, odd = item(directus, "cus_ELSEWHERE"), item(directus, "../balance")
    deleted = item(directus, gone := stripe.add_customer(deleted=True)["id"])

    fault, note = await lines(directus, stripe)

    assert (fault.word, note.word) == (Word.FAULT, Word.NOTE)
    assert fault.text.startswith(
        "2 of 4 items of customers that were looked at name customers that this Stripe account does not have "
        f"(item {unknown}: cus_ELSEWHERE, item {odd}: no customer's ID): "
    )
    assert "STRIPE_LIVE_SECRET_KEY" in fault.text
    assert "empty stripe_customer_id" in fault.text
    assert (
        "1 of 4 items of customers that were looked at name customers that were deleted at Stripe "
        f"(item {deleted}: {gone})" in note.text
    )
    assert not [request for request in stripe.requests if "balance" in request.target]


async def test_a_bounded_sample(directus: DirectusDouble, stripe: StripeDouble) -> None:
    """Of many items the oldest and the newest are looked at, and a few are named."""
    items = [item(directus, f"cus_{number}") for number in range(200)]

    [fault] = await lines(directus, stripe)

    assert fault.text.startswith("20 of 20 items of customers")
    assert [f"item {one}: " in fault.text for one in (items[0], items[4], items[5])] == [True, True, False]
    assert "and 15 more" in fault.text
    assert {request.target.rpartition("_")[2] for request in stripe.requests} == {
        str(number) for number in (*range(10), *range(190, 200))
    }
    assert len(directus.requests) == 2


async def test_no_sample(directus: DirectusDouble, stripe: StripeDouble) -> None:
    """Without a service token, and where a side refuses, nothing is said: other lines say why."""
    item(directus, "cus_ELSEWHERE")

    assert await lines(directus, stripe, None) == []
    assert await lines(directus, stripe, "of-nobody") == []
    stripe.fail(faults.answer(401, '{"error": {"type": "invalid_request_error"}}'))
    assert await lines(directus, stripe) == []


async def test_no_item(directus: DirectusDouble, stripe: StripeDouble) -> None:
    """Where no item names a customer, that is no fault, and Stripe is asked nothing."""
    item(directus, None)

    [line] = await lines(directus, stripe)

    assert (line.word, line.text) == (Word.OK, "no item of customers names a customer yet")
    assert stripe.requests == []
