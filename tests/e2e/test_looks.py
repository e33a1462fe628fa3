"""The page's look and its policy: light and dark, narrow, accessible, and under a strict policy."""

from typing import Literal

import aiohttp
import pytest
from playwright.async_api import expect

from tests.doubles.faults import answer, hang
from tests.doubles.wire import exchange, request_bytes
from tests.e2e.accessibility import findings
from tests.e2e.conftest import Visit
from tests.e2e.site import Site
from tests.e2e.visitor import List, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

Scheme = Literal["light", "dark"]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
COLORS = "() => { const { color, backgroundColor } = getComputedStyle(document.body); return [color, backgroundColor] }"
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


async def full(site: Site, visit: Visit, who: str = "clerk", **options: object) -> Visitor:
    """Sign in, and wait for both lists."""
    site.add_demo_customers()
    visitor = await visit(site.url, **options)
    await visitor.sign_in(site.people[who])
    await visitor.rows("customers")
    await visitor.rows("payments")
    return visitor


async def test_light_and_dark(site: Site, visit: Visit) -> None:
    """The page follows the system's color scheme: dark text on light, and the reverse."""
    light, dark = [await visit(site.url, color_scheme=scheme) for scheme in ("light", "dark")]

    assert await light.page.evaluate(COLORS) == ["rgb(21, 24, 29)", "rgb(255, 255, 255)"]
    assert await dark.page.evaluate(COLORS) == ["rgb(233, 235, 239)", "rgb(22, 26, 33)"]


@pytest.mark.parametrize("who", ["clerk", "guest"])
async def test_narrow(site: Site, visit: Visit, who: str) -> None:
    """At a width of 360 pixels nothing needs sideways scrolling, however long the words."""
    site.add_demo_customers()
    site.stripe.add_customer(name="W" * 120, email=f"{'w' * 60}@{'w' * 60}.example.com")
    site.stripe.add_payment(amount=99999999999, description="W" * 300, currency="eur")
    visitor = await visit(site.url, viewport={"width": 360, "height": 800})
    form = await visitor.page.evaluate(WIDTHS)

    await visitor.sign_in(site.people[who])
    widths = {"form": form, "payments": await settled(visitor, "payments")}
    if who != "guest":
        await visitor.open("customers")
        widths["customers"] = await settled(visitor, "customers")
        await visitor.link("W" * 120).click()
        widths["customer"] = await visitor.page.evaluate(WIDTHS)

    assert {name: [360, 360] for name in widths} == widths


async def settled(visitor: Visitor, name: List) -> list[int]:
    await expect(visitor.section(name)).not_to_have_attribute("aria-busy", "true")
    widths: list[int] = await visitor.page.evaluate(WIDTHS)
    return widths


async def test_narrow_rows_are_a_table(site: Site, visit: Visit) -> None:
    """Rows that are displayed as blocks are still a table's rows and cells for a screen reader."""
    visitor = await full(site, visit, viewport={"width": 360, "height": 800})

    table = visitor.page.get_by_role("table", name="Payments, as far as you may see them")
    await expect(table.get_by_role("columnheader")).to_have_text(
        ["Amount", "Status", "Description", "Customer", "Date", "ID"]
    )
    await expect(table.get_by_role("rowheader")).to_have_count(6)
    await expect(table.get_by_role("cell")).to_have_count(30)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_accessible(site: Site, visit: Visit, scheme: Scheme) -> None:
    """axe finds nothing in any state of the page: form, rows, an entry, refused, down, broken off, empty, narrow."""
    site.add_demo_customers()
    visitor = await visit(site.url, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    states = {"form": await findings(visitor.page)}

    await visitor.sign_in(site.people["clerk"])
    await visitor.rows("payments")
    states["rows"] = await findings(visitor.page)
    await visitor.link("€49.02").click()
    states["entry"] = await findings(visitor.page)
    await visitor.open("customers")
    await visitor.button("New customer").click()
    await visitor.button("Create customer").click()
    await expect(visitor.page.get_by_text("This is required.")).to_be_visible()
    states["field at fault"] = await findings(visitor.page)
    await visitor.page.set_viewport_size({"width": 360, "height": 800})
    states["narrow"] = await findings(visitor.page)
    await visitor.open("payments")
    site.stripe.fail(answer(401, '{"error": {}}'))
    await visitor.button("Reload payments").click()
    await expect(visitor.panel("The payments cannot be shown now")).to_be_visible()
    states["down"] = await findings(visitor.page)
    site.stripe.recover()
    site.stripe.add_payments(200)
    site.stripe.fail(hang, when=lambda request: "starting_after" in request.query)
    await visitor.button("Reload payments").click()
    await expect(visitor.panel("The list broke off after 100 payments")).to_be_visible()
    states["broken off"] = await findings(visitor.page)
    site.stripe.recover()
    site.stripe.payments.clear()
    await visitor.button("Reload payments").click()
    await expect(visitor.panel("No payments")).to_be_visible()
    states["empty"] = await findings(visitor.page)
    await visitor.button("Sign out").click()
    await visitor.sign_in(site.people["guest"])
    await expect(visitor.panel("You may not see payments")).to_be_visible()
    states["refused"] = await findings(visitor.page)

    assert {state: found for state, found in states.items() if found} == {}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("", "text/html; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("desk.css", "text/css; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_headers(site: Site, path: str, kind: str) -> None:
    """X4: each of the page's files has its type and the strict policy, and is neither sniffed nor stored."""
    async with aiohttp.ClientSession() as session, session.get(site.url + path) as got:
        headers = got.headers

    assert (got.status, headers["Content-Type"]) == (200, kind)
    assert headers["Content-Security-Policy"] == POLICY
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize(
    ("path", "status"), [("/demo", 301), ("/demo/../servers.py", 404), ("/demo../servers.py", 404), ("/demo/x", 404)]
)
async def test_nothing_else_is_served(site: Site, path: str, status: int) -> None:
    """nginx serves no file of the checkout outside the page's folder."""
    port = int(site.proxy.rpartition(":")[2])

    got = await exchange(port, request_bytes("GET", path, [], None))

    assert got.status == status


async def test_policy_applies(site: Site, visit: Visit) -> None:
    """The browser runs no inline script on the page, and the listener hears of the violation."""
    visitor = await visit(site.url)

    await visitor.page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
    )

    assert await visitor.page.evaluate("window.ran") is None
    assert len(visitor.complaints) == 1
    assert "Content Security Policy" in visitor.complaints.pop()
