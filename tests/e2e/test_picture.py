"""Takes the README's picture of the page, on request: PICTURE=1 tests/run.sh e2e."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.servers import ROOT
from tests.e2e.conftest import Visit
from tests.e2e.site import Site

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(os.environ.get("PICTURE") != "1", reason="the picture is in the checkout; PICTURE=1 renews it"),
]

BEGUN = datetime(2026, 3, 2, 10, tzinfo=UTC)
PEOPLE = ("Katherine Johnson", "Alan Turing", "Grace Hopper", "Ada Lovelace")
BOUGHT = (
    (4900, "eur", "succeeded", "Studio, March"),
    (12900, "eur", "succeeded", "Workshop ticket"),
    (1800, "usd", "canceled", "Sticker set"),
    (4900, "eur", "succeeded", "Studio, April"),
    (6400, "jpy", "succeeded", "Print, A3"),
    (25000, "eur", "requires_capture", "Room for two days"),
    (990, "eur", "succeeded", "Postcards"),
    (4900, "eur", "succeeded", "Studio, May"),
    (7700, "gbp", "processing", "Bank debit"),
    (12900, "eur", "requires_payment_method", "Workshop ticket"),
    (4900, "eur", "succeeded", "Studio, June"),
    (3250, "usd", "requires_action", "Poster"),
    (1200, "eur", "succeeded", "Postcards"),
)


def furnish(site: Site) -> None:
    for number, name in enumerate(PEOPLE):
        first, _, last = name.lower().partition(" ")
        joined = int((BEGUN + timedelta(days=9 * number)).timestamp())
        email, phone = f"{first}@{last}.example.com", f"+44 20 7946 0{number}18"
        site.stripe.add_customer(name=name, email=email, phone=phone, created=joined)
    ids = [customer["id"] for customer in site.stripe.customers]
    for number, (amount, currency, status, description) in enumerate(BOUGHT):
        paid = int((BEGUN + timedelta(days=40 + 5 * number)).timestamp())
        facts = {"amount": amount, "currency": currency, "status": status, "description": description}
        site.stripe.add_payment(customer=ids[number % 7 % len(ids)], created=paid, **facts)


async def test_picture(site: Site, visit: Visit) -> None:
    """The picture shows a clerk's desk with customers and payments."""
    furnish(site)
    visitor = await visit(site.url, device_scale_factor=1.5, color_scheme="light", reduced_motion="reduce")
    await visitor.sign_in(site.people["clerk"])
    await visitor.rows("customers")
    await visitor.rows("payments")

    taken = await visitor.page.screenshot(path=ROOT / "deploy" / "demo" / "page.png")

    assert taken.startswith(b"\x89PNG")
