"""One story in the shop: sign up, subscribe with a card that asks for 3-D Secure, read what is gated, cancel."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from deploy.demo.shop.magazine import ARTICLE, MEMBERS, STATUS
from deploy.demo.shop.running import Shop, running_shop
from deploy.demo.stack import Stack
from tests.e2e.accessibility import findings
from tests.e2e.conftest import Visit
from tests.e2e.member import ASKS, DECLINED, PAYS, Member, signed_up

pytestmark = pytest.mark.asyncio(loop_scope="session")

SignUp = Callable[..., Awaitable[Member]]
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(stack: Stack) -> AsyncIterator[Shop]:
    async with running_shop(stack) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def sign_up(shop: Shop, visit: Visit) -> SignUp:
    """`await sign_up()`: somebody new, in a browser of its own, who has just signed up."""

    async def begin(**options: object) -> Member:
        return await signed_up(shop, await visit(shop.url, **options))

    return begin


async def test_the_story(shop: Shop, stack: Stack, sign_up: SignUp) -> None:
    """Who subscribes with 3-D Secure reads the gated article until it cancels; another member never does."""
    ada, grace = await sign_up(), await sign_up()
    await ada.sees_none()

    await ada.subscribe(ASKS)
    await ada.answer_the_bank("Complete")

    await ada.is_told("You subscribe")
    await ada.sees_the_article()
    assert (ada.page.url, await ada.may_read(), await ada.status(stack.admin)) == (
        shop.url,
        [ARTICLE["title"]],
        "active",
    )
    await grace.page.reload()
    await grace.sees_none()
    assert await grace.may_read() == []

    await ada.visitor.button("Cancel the subscription").click()

    await ada.is_told("Your subscription has ended")
    await ada.sees_none()
    assert (await ada.may_read(), await ada.status(stack.admin)) == ([], "canceled")
    await ada.page.reload()
    await ada.sees_none()


async def test_failed_3d_secure(stack: Stack, sign_up: SignUp) -> None:
    """Who fails 3-D Secure reads nothing and is told so, and pays the same subscription with another card."""
    ada = await sign_up()

    await ada.subscribe(ASKS)
    await ada.answer_the_bank("Fail")

    await ada.is_told("The payment failed")
    await ada.sees_none()
    assert (await ada.may_read(), await ada.at_stripe(stack.admin)) == ([], ["incomplete"])
    await ada.subscribe(PAYS)
    await ada.is_told("You subscribe")
    await ada.sees_the_article()
    assert (await ada.status(stack.admin), await ada.at_stripe(stack.admin)) == ("active", ["active"])


async def test_declined(sign_up: SignUp) -> None:
    """A card that is declined opens nothing, with the reason that Stripe gives for its owner."""
    ada = await sign_up()

    await ada.subscribe(DECLINED)

    await ada.is_told("The payment failed", "Your card was declined.")
    await ada.sees_none()
    assert await ada.may_read() == []


async def test_an_address_is_no_payment(shop: Shop, sign_up: SignUp) -> None:
    """An address that claims a payment opens nothing: Stripe is asked, and the claim leaves the address."""
    ada = await sign_up()

    await ada.page.goto(f"{shop.url}?payment_intent_client_secret=pi_1_secret_2&redirect_status=succeeded")

    await ada.is_told("The payment failed")
    await ada.sees_none()
    assert ada.page.url == shop.url


async def test_nobody_makes_itself_a_subscriber(stack: Stack, sign_up: SignUp) -> None:
    """A member writes neither its status nor whose an item is, in a new item or in its own, and has one item."""
    ada, items = await sign_up(), f"/items/{MEMBERS}"
    forged = {STATUS: "active"}, {"owner": stack.people["administrator"].id}

    before = [await ada.ask("POST", items, {"email": ada.email, **lie}) for lie in forged]
    made, own = await ada.ask("POST", items, {"email": ada.email})
    after = [await ada.ask("PATCH", f"{items}/{own['id']}", lie) for lie in forged]
    again, _ = await ada.ask("POST", items, {"email": ada.email})

    assert [status for status, _ in (*before, *after)] == [403] * 4
    assert (made, again, await ada.may_read()) == (200, 400, [])


async def test_shop_window(shop: Shop, visit: Visit) -> None:
    """Somebody without an account sees the price, and the form for signing up."""
    visitor = await visit(shop.url)

    await expect(visitor.page.get_by_text("A magazine for its subscribers: €7.00 a month")).to_be_visible()
    await expect(visitor.button("Sign up")).to_be_enabled()
    await expect(visitor.page.get_by_role("article")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_looks(shop: Shop, visit: Visit, sign_up: SignUp, scheme: Literal["light", "dark"]) -> None:
    """axe finds nothing in any state of the page, and nothing needs sideways scrolling at 360 pixels."""
    options = {"color_scheme": scheme, "bypass_csp": True, "viewport": {"width": 360, "height": 800}}
    guest = await visit(shop.url, **options)
    await expect(guest.button("Sign up")).to_be_enabled()
    states = {"guest": await findings(guest.page)}
    ada = await sign_up(**options)

    states["member"] = await findings(ada.page)
    await ada.subscribe(DECLINED)
    await ada.is_told("The payment failed")
    states["declined"] = await findings(ada.page)
    await ada.subscribe(PAYS)
    await ada.is_told("You subscribe")
    states["subscriber"] = await findings(ada.page)

    assert {state: found for state, found in states.items() if found} == {}
    assert await ada.page.evaluate(WIDTHS) == [360, 360]


async def test_policy(shop: Shop) -> None:
    """The page may run and ask its own origin and Stripe, and nothing else; the demo's other page has no Stripe."""
    async with aiohttp.ClientSession(shop.proxy) as session:
        async with session.get("/shop/") as got:
            policy = got.headers["Content-Security-Policy"]
        async with session.get("/demo/") as got:
            of_the_desk = got.headers["Content-Security-Policy"]

    assert f"script-src 'self' {shop.stripe_url}; " in policy
    assert f"connect-src 'self' {shop.stripe_url}; " in policy
    assert policy.replace(f" {shop.stripe_url}", "") == of_the_desk
