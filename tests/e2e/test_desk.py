"""What the desk offers beside its lists: search, IDs, details, what became of payments, and signing in by one click."""

import json

import aiohttp
import pytest
from playwright.async_api import expect

from deploy.demo.stack import Stack, page_url
from tests.doubles.wire import exchange, request_bytes
from tests.e2e.conftest import Visit
from tests.e2e.furniture import FAULT, furnish
from tests.e2e.site import Site, without
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def desk(site: Site, visit: Visit, who: str = "clerk", **options: object) -> Visitor:
    furnish(site)
    visitor = await visit(site.url, **options)
    await visitor.sign_in(site.people[who])
    await visitor.rows("payments")
    return visitor


@pytest.mark.parametrize("who", ["clerk", "reader"])
async def test_what_became_of_payments(site: Site, visit: Visit, who: str) -> None:
    """A payment that was refunded, in whole or in part, or refused by a bank says so, also to who sees some fields."""
    visitor = await desk(site, visit, who)

    await expect(visitor.page.get_by_role("cell", name="Partly refunded")).to_have_count(1)
    await expect(visitor.page.get_by_role("cell", name="Refunded", exact=True)).to_have_count(1)
    await expect(visitor.page.get_by_role("cell", name="Failed")).to_have_count(1)
    await expect(visitor.page.get_by_text("Test mode")).to_be_visible()


async def test_search(site: Site, visit: Visit) -> None:
    """A search leaves the rows that have all of its words, also by an ID, and says how many those are."""
    visitor = await desk(site, visit)
    field = visitor.page.get_by_role("searchbox", name="Search payments")
    rows = visitor.section("payments").get_by_role("rowheader")

    await field.fill("workshop paid")
    await expect(visitor.page.get_by_text("1 of 12 match")).to_be_visible()
    await expect(rows).to_have_text(["€129.00"])
    await field.fill(str(site.stripe.payments[0]["id"]))
    await expect(rows).to_have_text(["€12.00"])
    await field.fill("nothing at all")
    await expect(visitor.page.get_by_text("0 of 12 match")).to_be_visible()
    await expect(visitor.page.get_by_role("table")).to_have_count(0)
    await field.fill("")
    await expect(rows).to_have_count(12)


async def test_copy(site: Site, visit: Visit) -> None:
    """The ID of a row is copied by a button, which says so."""
    visitor = await desk(site, visit, permissions=["clipboard-read", "clipboard-write"])
    newest = str(site.stripe.payments[0]["id"])

    await visitor.button(f"Copy ID {newest}").click()

    await expect(visitor.page.locator("#announcer")).to_have_text(f"Copied {newest}")
    assert await visitor.page.evaluate("navigator.clipboard.readText()") == newest


async def test_detail(site: Site, visit: Visit) -> None:
    """A payment's detail tells its refund, card and buyer, and the answer as it came; Back leads to the list."""
    visitor = await desk(site, visit)

    await visitor.section("payments").get_by_role("row", name="Studio, June").get_by_role("link").click()

    await expect(visitor.heading("€49.00")).to_be_focused()
    told = visitor.page.locator("#detail")
    await expect(told).to_contain_text("Partly refunded")
    await expect(told.get_by_role("definition").filter(has_text="€24.50")).to_be_visible()
    await expect(told).to_contain_text("Visa ending in 4242")
    await told.get_by_text("What the sidecar answers you").click()
    answer = json.loads(await told.locator("pre").inner_text())
    assert (answer["amount"], "client_secret" in answer) == (4900, False)
    await visitor.page.reload()
    await expect(told).to_contain_text("Partly refunded")
    await told.get_by_role("link", name="Payments").click()
    await expect(visitor.heading("Payments")).to_be_focused()


async def test_why_it_failed(site: Site, visit: Visit) -> None:
    """A failed payment's detail has the bank's words."""
    visitor = await desk(site, visit)

    await visitor.section("payments").get_by_role("row", name="Failed").get_by_role("link").click()

    await expect(visitor.page.locator("#detail")).to_contain_text(FAULT)


async def test_no_such_entry(site: Site, visit: Visit) -> None:
    """An address of an entry that this person does not see says so."""
    furnish(site)
    visitor = await visit(f"{site.url}#payments/pi_of_nobody")

    await visitor.sign_in(site.people["member"])

    await expect(visitor.panel("No such payment")).to_be_visible()


async def test_subscriptions_and_invoices(site: Site, visit: Visit) -> None:
    """Subscriptions say what they cost and until when, invoices what is to pay, both whose they are."""
    visitor = await desk(site, visit)

    subscriptions, invoices = await visitor.rows("subscriptions"), await visitor.rows("invoices")

    renewed = "Renews 23 May 2026"
    assert subscriptions[0] == ["Studio, €49.00 / month", "Active", "Alan Turing", renewed, "23 Apr 2026"]
    assert [row[1] for row in subscriptions] == ["Active", "Active", "Past due"]
    assert invoices[0][1:] == ["Paid", "€49.00", "Alan Turing", "23 Apr 2026"]
    assert [row[1] for row in invoices] == ["Paid", "Paid", "Open"]


async def test_portal_is_offered_to_who_may(site: Site, visit: Visit) -> None:
    """A portal is offered for one's own customer, and for every customer to who may change them all."""
    site.add_demo_customers()
    offered = {}
    for who in ("clerk", "reader", "member"):
        visitor = await visit(site.url)
        await visitor.sign_in(site.people[who])
        await visitor.rows("customers")
        offered[who] = await visitor.page.get_by_role("button", name="Billing portal").count()

    assert offered == {"clerk": 3, "reader": 0, "member": 1}


async def test_refused_at_the_row(site: Site, visit: Visit) -> None:
    """A right that was taken away after it was offered is refused right below the row, and the session stays."""
    site.add_demo_customers()
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])
    await visitor.open("customers")
    async with without(site.stack, "clerk", "update"):
        await visitor.button("Billing portal for Grace Hopper").click()

        panel = visitor.panel("You may not open this billing portal")
        await expect(panel.get_by_role("heading")).to_be_focused()
    below = visitor.section("customers").get_by_role("row", name="Grace Hopper").locator("+ tr")
    await expect(below.get_by_role("group")).to_have_attribute("aria-label", "You may not open this billing portal")
    await expect(visitor.button("Sign out")).to_be_visible()


@pytest.mark.parametrize("who", ["administrator", "clerk", "reader", "member", "guest"])
async def test_one_click(stack: Stack, visit: Visit, who: str) -> None:
    """Each of the demo's people is signed in by one click."""
    visitor = await visit(page_url(stack.proxy.url))

    await visitor.page.get_by_role("list").get_by_role("button", name=who.capitalize()).click()

    await expect(visitor.page.get_by_role("banner")).to_contain_text(f"{who}@example.com")


async def test_logins_are_for_this_machine(stack: Stack) -> None:
    """The people's logins are given to no page that reaches this machine by a name of its own (DNS rebinding)."""
    port, path = int(stack.proxy.url.rpartition(":")[2]), "/demo/people.json"

    got = await exchange(port, request_bytes("GET", path, [], None))  # of the host sidecar.test
    async with aiohttp.ClientSession() as session, session.get(f"{stack.proxy.url}{path}") as own:
        names = [person["name"] for person in await own.json()]

    assert (got.status, own.headers["Cache-Control"]) == (404, "no-store")
    assert names == list(stack.people)


async def test_no_logins(site: Site) -> None:
    """Where the page is not told of people, there are none."""
    async with aiohttp.ClientSession() as session, session.get(f"{site.url}people.json") as got:
        assert await got.json() == []
