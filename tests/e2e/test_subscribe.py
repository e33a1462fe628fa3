"""One story in the shop: sign up, subscribe with a card that asks for 3-D Secure, read what is gated, cancel."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from deploy.demo.shop.magazine import ARTICLE, MEMBERS
from deploy.demo.shop.running import Shop, running_shop
from deploy.demo.stack import Stack
from tests.e2e.accessibility import findings
from tests.e2e.conftest import Visit
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

Member = Callable[..., Awaitable[tuple[Visitor, str]]]
PAYS, ASKS, DECLINED = "One that pays", "One that asks for 3-D Secure", "One that is declined"
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(stack: Stack) -> AsyncIterator[Shop]:
    async with running_shop(stack) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def member(shop: Shop, visit: Visit) -> Member:
    """`await member()`: somebody new, in a browser of its own, who has just signed up; and its e-mail address."""

    async def sign_up(**options: object) -> tuple[Visitor, str]:
        visitor = await visit(shop.url, **options)
        email = f"{secrets.token_hex(4)}@example.com"
        await visitor.page.get_by_label("E-mail address").fill(email)
        await visitor.page.get_by_label("Password").fill(secrets.token_urlsafe(9))
        await visitor.button("Sign up").click()
        await expect(visitor.page.get_by_role("banner")).to_contain_text(f"Signed in as {email}")
        return visitor, email

    return sign_up


async def subscribe(visitor: Visitor, card: str) -> None:
    await visitor.page.get_by_role("radio", name=card).check()
    await visitor.button("Subscribe").click()


async def answer_the_bank(visitor: Visitor, button: Literal["Complete", "Fail"]) -> None:
    """Press a button of the bank's page."""
    await expect(visitor.page).to_have_title("3D Secure test page")
    await visitor.button(button).click()


async def sees_the_article(visitor: Visitor) -> None:
    await expect(visitor.heading(ARTICLE["title"])).to_be_visible()
    await expect(visitor.page.get_by_role("article")).to_contain_text(ARTICLE["text"])


async def sees_none(visitor: Visitor) -> None:
    await expect(visitor.panel("For subscribers")).to_be_visible()
    await expect(visitor.page.get_by_role("article")).to_have_count(0)


async def read_by(shop: Shop, visitor: Visitor) -> list[str]:
    """Ask Directus itself with the visitor's session: the page's word is not enough."""
    cookies = {"directus_session_token": await visitor.session()}
    async with (
        aiohttp.ClientSession(shop.proxy, cookies=cookies) as session,
        session.get("/items/articles?fields=title", raise_for_status=True) as answer,
    ):
        return [row["title"] for row in (await answer.json())["data"]]


async def status_of(stack: Stack, email: str) -> str | None:
    [item] = await stack.admin.request("GET", f"/items/{MEMBERS}?filter[email][_eq]={email}")
    status: str | None = item["plan_status"]
    return status


async def test_the_story(shop: Shop, stack: Stack, member: Member) -> None:
    """Who subscribes with 3-D Secure reads the gated article until it cancels; another member never does."""
    visitor, email = await member()
    await sees_none(visitor)

    await subscribe(visitor, ASKS)
    await answer_the_bank(visitor, "Complete")

    await expect(visitor.panel("You subscribe")).to_be_visible()
    await sees_the_article(visitor)
    assert visitor.page.url == shop.url
    assert (await read_by(shop, visitor), await status_of(stack, email)) == ([ARTICLE["title"]], "active")
    other, _ = await member()
    await sees_none(other)
    assert await read_by(shop, other) == []

    await visitor.button("Cancel the subscription").click()

    await expect(visitor.panel("Your subscription has ended")).to_be_visible()
    await sees_none(visitor)
    assert (await read_by(shop, visitor), await status_of(stack, email)) == ([], "canceled")
    await visitor.page.reload()
    await sees_none(visitor)


async def test_failed_3d_secure(shop: Shop, stack: Stack, member: Member) -> None:
    """Who fails 3-D Secure reads nothing and is told so, and pays the same subscription with another card."""
    visitor, email = await member()

    await subscribe(visitor, ASKS)
    await answer_the_bank(visitor, "Fail")

    await expect(visitor.panel("The payment failed").get_by_role("heading")).to_be_focused()
    await sees_none(visitor)
    assert (await read_by(shop, visitor), await status_of(stack, email)) == ([], "incomplete")
    await subscribe(visitor, PAYS)
    await expect(visitor.panel("You subscribe")).to_be_visible()
    await sees_the_article(visitor)
    assert await status_of(stack, email) == "active"


async def test_declined(shop: Shop, member: Member) -> None:
    """A card that is declined opens nothing, with the reason that Stripe gives for its owner."""
    visitor, _ = await member()

    await subscribe(visitor, DECLINED)

    await expect(visitor.panel("The payment failed")).to_contain_text("Your card was declined.")
    await sees_none(visitor)
    assert await read_by(shop, visitor) == []


async def test_an_address_is_no_payment(shop: Shop, member: Member) -> None:
    """An address that claims a payment opens nothing: Stripe is asked, and what it said leaves the address."""
    visitor, _ = await member()

    await visitor.page.goto(f"{shop.url}?payment_intent_client_secret=pi_1_secret_2&redirect_status=succeeded")

    await expect(visitor.panel("The payment failed")).to_be_visible()
    await sees_none(visitor)
    assert visitor.page.url == shop.url


async def test_shop_window(shop: Shop, visit: Visit) -> None:
    """Somebody without an account sees the price, and the form for signing up."""
    visitor = await visit(shop.url)

    await expect(visitor.page.get_by_text("A magazine for its subscribers: €7.00 a month")).to_be_visible()
    await expect(visitor.button("Sign up")).to_be_enabled()
    await expect(visitor.page.get_by_role("article")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_looks(shop: Shop, visit: Visit, member: Member, scheme: Literal["light", "dark"]) -> None:
    """axe finds nothing in any state of the page, and nothing needs sideways scrolling at 360 pixels."""
    options = {"color_scheme": scheme, "bypass_csp": True, "viewport": {"width": 360, "height": 800}}
    guest = await visit(shop.url, **options)
    await expect(guest.button("Sign up")).to_be_enabled()
    states = {"guest": await findings(guest.page)}
    visitor, _ = await member(**options)

    states["member"] = await findings(visitor.page)
    await subscribe(visitor, DECLINED)
    await expect(visitor.panel("The payment failed")).to_be_visible()
    states["declined"] = await findings(visitor.page)
    await subscribe(visitor, PAYS)
    await expect(visitor.panel("You subscribe")).to_be_visible()
    states["subscriber"] = await findings(visitor.page)

    assert {state: found for state, found in states.items() if found} == {}
    assert await visitor.page.evaluate(WIDTHS) == [360, 360]


async def test_policy(shop: Shop) -> None:
    """The page may run and ask its own origin and Stripe, and nothing else; the demo's other page stays without."""
    async with aiohttp.ClientSession(shop.proxy) as session:
        async with session.get("/shop/") as got:
            policy = got.headers["Content-Security-Policy"]
        async with session.get("/demo/") as got:
            of_the_desk = got.headers["Content-Security-Policy"]

    assert f"script-src 'self' {shop.stripe_url}; " in policy
    assert policy.replace(f" {shop.stripe_url}", "") == of_the_desk
    assert f"connect-src 'self' {shop.stripe_url}; " in policy
