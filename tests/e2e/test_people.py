"""The page for each of the demo's people: rows, attributes left out, refusals and their reasons."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.site import CREATED, Site
from tests.e2e.visitor import CELLS, List

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEWEST_FIRST = ("Alan Turing", "Grace Hopper", "Ada Lovelace")
NUMBERS = {name: 2 - place for place, name in enumerate(NEWEST_FIRST)}
NONE = "\N{EN DASH}"

Rows = list[list[str]]


def customers(*names: str, phones: bool) -> Rows:
    return [
        [name, f"{name.split()[0].lower()}@example.com", f"+44 20 7946 000{NUMBERS[name]}" if phones else NONE, CREATED]
        for name in names
    ]


def payments(*names: str, described: bool) -> Rows:
    return [
        [f"{euros}{NUMBERS[name]}", status, f"For {name.split()[0]}" if described else NONE, name, CREATED]
        for name in names
        for euros, status in (("€49.0", "Incomplete"), ("€12.0", "Paid"))
    ]


WHOLE = customers(*NEWEST_FIRST, phones=True), payments(*NEWEST_FIRST, described=True)
SEEN = {
    "administrator": WHOLE,
    "clerk": WHOLE,
    "reader": (customers(*NEWEST_FIRST, phones=False), payments(*NEWEST_FIRST, described=False)),
    "member": (customers("Ada Lovelace", phones=False), payments("Ada Lovelace", described=False)),
}
LEFT_OUT = {"reader", "member"}


@pytest.mark.parametrize("who", SEEN)
async def test_rows(site: Site, visit: Visit, who: str) -> None:
    """Each person sees exactly the rows and attributes that Directus grants, and omitted attributes are named."""
    site.add_demo_customers()
    visitor = await visit(site.url)

    await visitor.sign_in(site.people[who])

    assert (await visitor.rows("customers"), await visitor.rows("payments")) == SEEN[who]
    left_out: dict[List, str] = {
        "customers": "Not in your answers: phone",
        "payments": "Not in your answers: description",
    }
    for name, text in left_out.items():
        await visitor.open(name)
        await expect(visitor.page.locator(f"#{name} .foot")).to_be_visible(visible=who in LEFT_OUT)
        await expect(visitor.page.locator(f"#{name} .foot")).to_have_text(text if who in LEFT_OUT else "")


@pytest.mark.parametrize("who", ["administrator", "clerk", "reader", "member", "guest"])
async def test_name(site: Site, visit: Visit, who: str) -> None:
    """The page names the signed-in person."""
    visitor = await visit(site.url)

    await visitor.sign_in(site.people[who])

    name = "Admin User" if who == "administrator" else who.capitalize()
    await expect(visitor.page.get_by_role("banner")).to_contain_text(f"Signed in as {name} {who}@example.com")


async def test_refused(site: Site, visit: Visit) -> None:
    """A guest is offered no list, is told the reason in the first one's place, stays signed in, and sees no row."""
    site.add_demo_customers()
    visitor = await visit(site.url)

    await visitor.sign_in(site.people["guest"])

    panel = visitor.panel("You may not see payments")
    await expect(panel).to_contain_text('You have no permission to "read" on the collection "customers".')
    assert await panel.get_by_role("definition").all_inner_texts() == ["no_access", "read on customers", "FORBIDDEN"]
    await expect(panel.get_by_role("button")).to_have_count(0)
    await expect(visitor.page.get_by_role("navigation")).to_have_count(0)
    await expect(visitor.page.get_by_role("table")).to_have_count(0)
    await expect(visitor.button("Sign out")).to_be_visible()
    assert site.stripe.asked == []


async def test_no_session(site: Site, visit: Visit) -> None:
    """Without a session the page has the form for signing in, and nothing else."""
    visitor = await visit(site.url)

    await expect(visitor.heading("Sign in")).to_be_visible()
    await expect(visitor.page.get_by_role("table")).to_have_count(0)
    await expect(visitor.page.get_by_role("button")).to_have_count(1)
    await expect(visitor.page.get_by_role("alert")).to_have_count(0)


async def test_payments_of_one(site: Site, visit: Visit) -> None:
    """The payments of one customer are shown on request, and then all payments again."""
    site.add_demo_customers()
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])
    await visitor.rows("payments")

    await visitor.open("customers")
    await visitor.link("Payments of Grace Hopper").click()

    await expect(visitor.heading("Payments of Grace Hopper")).to_be_focused()
    await expect(visitor.progress("payments")).to_have_text("2 payments, all")
    table = visitor.section("payments").get_by_role("table")
    assert await table.evaluate(CELLS) == payments("Grace Hopper", described=True)
    await visitor.link("Show all").click()
    await expect(visitor.progress("payments")).to_have_text("6 payments, all")
    assert await visitor.rows("payments") == payments(*NEWEST_FIRST, described=True)


async def test_html_is_shown_as_text(site: Site, visit: Visit) -> None:
    """A name that looks like HTML is shown as text."""
    name = '<img src=x onerror="alert(1)">&amp;'
    site.stripe.add_customer(name=name)
    visitor = await visit(site.url)

    await visitor.sign_in(site.people["clerk"])

    assert [row[0] for row in await visitor.rows("customers")] == [name]
    await expect(visitor.section("customers").locator("img")).to_have_count(0)


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (1234, "eur", "€12.34"),
        (1234, "jpy", "JP¥1,234"),
        (12345, "kwd", "KWD 12.345"),
        (500, "isk", "ISK 5"),
        (500, "ugx", "UGX 5"),
    ],
)
async def test_amounts(site: Site, visit: Visit, amount: int, currency: str, written: str) -> None:
    """An amount is written with its currency's number of decimals (docs.stripe.com/currencies)."""
    site.stripe.add_payment(amount=amount, currency=currency)
    visitor = await visit(site.url)

    await visitor.sign_in(site.people["clerk"])

    assert [row[0].replace("\u00a0", " ") for row in await visitor.rows("payments")] == [written]
