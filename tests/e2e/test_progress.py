"""Long lists: rows and a progress line as they arrive, and the message if the end does not come."""

import pytest
from playwright.async_api import expect

from tests.doubles.faults import Stall, hang, too_deep
from tests.doubles.server import Recorded
from tests.e2e.conftest import Visit
from tests.e2e.site import Site
from tests.e2e.visitor import List

pytestmark = pytest.mark.asyncio(loop_scope="session")


def later_page(request: Recorded) -> bool:
    """Tell a further page of the payments from the first."""
    return request.path == "/v1/payment_intents" and "starting_after" in request.query


async def test_rows_arrive(site: Site, visit: Visit) -> None:
    """Rows and the progress line are there while Stripe still delays the next page, and the end is announced."""
    site.stripe.add_payments(310)
    rest = Stall()
    site.stripe.fail(rest, when=later_page)
    visitor = await visit(site.url)

    await visitor.sign_in(site.people["clerk"])

    rows = visitor.section("payments").locator("tbody tr")
    await expect(visitor.progress("payments")).to_have_text("100 payments so far …")
    await expect(rows).to_have_count(100)
    await expect(visitor.section("payments")).to_have_attribute("aria-busy", "true")
    rest.release()
    await expect(visitor.progress("payments")).to_have_text("310 payments, all")
    await expect(rows).to_have_count(310)
    await expect(visitor.section("payments")).not_to_have_attribute("aria-busy", "true")
    await expect(visitor.page.get_by_role("status")).to_have_text("310 payments, all")


async def test_loading(site: Site, visit: Visit) -> None:
    """Before the first row the list says that it is loading, and a screen reader finds no placeholder rows."""
    first = Stall()
    site.stripe.fail(first)
    visitor = await visit(site.url)

    await visitor.sign_in(site.people["clerk"])

    await expect(visitor.progress("payments")).to_have_text("Loading payments …")
    await expect(visitor.section("payments").locator(".bone").first).to_be_visible()
    await expect(visitor.section("payments").get_by_role("rowheader")).to_have_count(0)
    first.release()
    await expect(visitor.panel("No payments")).to_be_visible()


async def test_empty_list(site: Site, visit: Visit) -> None:
    """An empty list says so in words, and has no table."""
    visitor = await visit(site.url)

    await visitor.sign_in(site.people["clerk"])

    names: tuple[List, ...] = ("payments", "customers", "subscriptions", "invoices")
    for name in names:
        await visitor.open(name)
        await expect(visitor.panel(f"No {name}")).to_be_visible()
    await expect(visitor.page.get_by_role("table")).to_have_count(0)


async def test_incomplete(site: Site, visit: Visit) -> None:
    """A list that breaks off keeps its rows under a warning, and continues from there: every payment once."""
    expected = site.stripe.add_payments(310, currency="jpy")
    for number, payment in enumerate(site.stripe.payments):
        payment["amount"] = number
    site.stripe.fail(hang, when=later_page)
    visitor = await visit(site.url)

    await visitor.sign_in(site.people["clerk"])

    panel = visitor.panel("The list broke off after 100 payments")
    await expect(panel).to_contain_text("What came so far is below; it is not all.")
    await expect(visitor.progress("payments")).to_have_text("100 payments, not all")
    await expect(visitor.section("payments").locator("tbody tr")).to_have_count(100)
    site.stripe.recover()
    await visitor.button("Go on from here").click()
    await expect(visitor.progress("payments")).to_have_text("310 payments, all")
    await expect(panel).to_have_count(0)
    await expect(visitor.heading("Payments")).to_be_focused()
    amounts = [row[0].removeprefix("JP¥") for row in await visitor.rows("payments")]
    assert amounts == [str(number) for number in range(len(expected))]


async def test_connection_breaks(site: Site, visit: Visit) -> None:
    """A connection that breaks without a last line is an incomplete list, which can be loaded again."""
    site.stripe.add_payments(310)
    fault = Stall(then=too_deep)
    site.stripe.fail(fault, when=later_page)
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])
    await expect(visitor.progress("payments")).to_have_text("100 payments so far …")

    fault.release()

    await expect(visitor.panel("The list broke off after 100 payments")).to_be_visible()
    await expect(visitor.progress("payments")).to_have_text("100 payments, not all")
    site.stripe.recover()
    await visitor.button("Try again from the start").click()
    await expect(visitor.progress("payments")).to_have_text("310 payments, all")
    await expect(visitor.section("payments").locator("tbody tr")).to_have_count(310)
