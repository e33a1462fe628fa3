"""The page at three widths, light and dark: nothing overflows and nothing scrolls but the page itself.

PICTURE=1 tests/run.sh e2e renews README's pictures, which are in the checkout.
"""

import os
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from deploy.demo.servers import ROOT
from tests.e2e.conftest import Visit
from tests.e2e.furniture import BOUGHT, furnish
from tests.e2e.site import Site
from tests.e2e.visitor import List, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTHS = {"phone": (390, 844), "tablet": (820, 900), "desktop": (1280, 720)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LISTS: tuple[List, ...] = ("payments", "customers", "subscriptions", "invoices")
FOLDER = ROOT / "deploy/demo"
PICTURES = {
    ("desktop", "light"): "page.png",
    ("desktop", "dark"): "page-dark.png",
    ("phone", "light"): "page-phone.png",
}
LARGEST = 200_000  # bytes, of what everybody who clones the repository gets

SCROLLING = """() => [...document.querySelectorAll('body *')].filter(each => {
    const { overflowX, overflowY } = getComputedStyle(each);
    return [overflowX, overflowY].some(value => ['auto', 'scroll'].includes(value))
        && (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight);
}).map(each => each.outerHTML.slice(0, 80))"""
WIDER = """() => [...document.querySelectorAll('body *')].filter(each => {
    const { right, left, width } = each.getBoundingClientRect();
    return width && !each.closest('.unseen, .icons, .skip, thead') && (right > innerWidth + 1 || left < -1);
}).map(each => each.outerHTML.slice(0, 80))"""


async def faults(page: Page) -> dict[str, list[str]]:
    """Give the elements that scroll by themselves, and those that stand outside the window's width."""
    found = {"scrolls": await page.evaluate(SCROLLING), "overflows": await page.evaluate(WIDER)}
    return {name: elements for name, elements in found.items() if elements}


async def views(visitor: Visitor, who: str) -> dict[str, dict[str, list[str]]]:
    """Look at each list, an entry of each, and the open form."""
    seen: dict[str, dict[str, list[str]]] = {}
    for name in LISTS:
        await visitor.rows(name)
        seen[name] = await faults(visitor.page)
        await visitor.section(name).get_by_role("rowheader").first.get_by_role("link").click()
        await visitor.page.get_by_text("What the sidecar answers you").click()
        seen[f"one of the {name}"] = await faults(visitor.page)
    if who == "clerk":
        await visitor.open("customers")
        await visitor.button("New customer").click()
        seen["form"] = await faults(visitor.page)
    return seen


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", WIDTHS)
async def test_widths(site: Site, visit: Visit, size: str, scheme: str) -> None:
    """At each width no part of any view stands outside it, and no part scrolls by itself, for a clerk and a reader."""
    furnish(site)
    width, height = WIDTHS[size]
    visitor = await visit(site.url, color_scheme=scheme, viewport={"width": width, "height": height})
    seen = {"signing in": await faults(visitor.page)}
    for who in ("clerk", "reader"):
        await visitor.sign_in(site.people[who])
        seen |= {f"{who}: {view}": found for view, found in (await views(visitor, who)).items()}
        await visitor.button("Sign out").click()

    assert {view: found for view, found in seen.items() if found} == {}


@pytest.mark.parametrize("kind", ["wide", "tall"])
async def test_widths_fail(site: Site, visit: Visit, kind: str) -> None:
    """What is too wide, and what scrolls within the page, is found."""
    visitor = await visit(site.url)
    add = """kind => {
        const box = document.body.appendChild(document.createElement('div'));
        if (kind === 'wide') box.style.width = '3000px';
        else Object.assign(box.style, { height: '50px', overflow: 'auto' });
        box.innerHTML = '<br>'.repeat(20);
    }"""

    await visitor.page.evaluate(add, kind)

    assert set(await faults(visitor.page)) == {"overflows" if kind == "wide" else "scrolls"}


@pytest.mark.parametrize(("size", "scheme"), PICTURES)
async def test_picture(site: Site, visit: Visit, size: str, scheme: str) -> None:
    """README's pictures show a clerk's desk, and each one is small; PICTURE=1 takes them anew."""
    furnish(site)
    width, height = WIDTHS[size]
    options = {"device_scale_factor": 1.25, "color_scheme": scheme, "reduced_motion": "reduce"}
    visitor = await visit(site.url, viewport={"width": width, "height": height}, **options)
    await visitor.sign_in(site.people["clerk"])
    assert len(await visitor.rows("payments")) == len(BOUGHT)
    await expect(visitor.page.get_by_text("Partly refunded")).to_be_visible()
    await expect(visitor.page.get_by_role("cell", name="Grace Hopper").first).to_be_visible()

    taken = await visitor.page.screenshot()

    picture = FOLDER / PICTURES[size, scheme]
    if os.environ.get("PICTURE") == "1":
        picture.write_bytes(taken)
    assert taken.startswith(b"\x89PNG")
    assert picture.stat().st_size < LARGEST
