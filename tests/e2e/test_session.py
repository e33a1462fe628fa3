"""Signing in and out, and sessions that end without a sign-out."""

import pytest
from playwright.async_api import expect

from deploy.demo.admin import login, logout
from tests.doubles.waiting import eventually
from tests.e2e.conftest import Visit
from tests.e2e.site import Site, without
from tests.e2e.visitor import Visitor
from tests.integration.asking import ask

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENDED = "Your session has ended. Sign in again."


async def signed_in(site: Site, visit: Visit, who: str = "clerk") -> Visitor:
    site.add_demo_customers()
    visitor = await visit(site.url)
    await visitor.sign_in(site.people[who])
    await visitor.rows("customers")
    await visitor.rows("payments")
    return visitor


async def is_asked_to_sign_in(visitor: Visitor, message: str) -> None:
    await expect(visitor.page.get_by_role("alert")).to_have_text(message)
    await expect(visitor.page.get_by_label("E-mail address")).to_be_focused()
    await expect(visitor.page.get_by_role("table")).to_have_count(0)
    assert "Lovelace" not in await visitor.page.content()


async def test_by_keyboard(site: Site, visit: Visit) -> None:
    """Signing in and out needs no mouse, and the focus moves to the new content."""
    site.add_demo_customers()
    clerk = site.people["clerk"]
    visitor = await visit(site.url)
    keyboard = visitor.page.keyboard

    await expect(visitor.page.get_by_label("E-mail address")).to_be_focused()
    await keyboard.type(clerk.email)
    await keyboard.press("Tab")
    await keyboard.type(clerk.password)
    await keyboard.press("Enter")

    await expect(visitor.heading("Payments")).to_be_focused()
    await keyboard.press("Tab")
    await expect(visitor.page.get_by_role("searchbox", name="Search payments")).to_be_focused()
    for name in ("Invoices", "Subscriptions", "Customers", "Payments"):
        await keyboard.press("Shift+Tab")
        await expect(visitor.link(name)).to_be_focused()
    await keyboard.press("Shift+Tab")
    await expect(visitor.button("Sign out")).to_be_focused()
    await keyboard.press("Enter")
    await is_asked_to_sign_in(visitor, "You are signed out.")


async def test_skip_link(site: Site, visit: Visit) -> None:
    """The keyboard's first stop leads past the bar on top."""
    visitor = await signed_in(site, visit)
    await visitor.page.evaluate("document.activeElement.blur()")

    link = visitor.page.get_by_role("link", name="Skip to the content")
    await link.focus()
    await expect(link).to_be_in_viewport()
    await visitor.page.keyboard.press("Enter")

    await expect(visitor.page.get_by_role("main")).to_be_focused()


async def test_wrong_password(site: Site, visit: Visit) -> None:
    """A wrong password gets that message, and the right one works after it."""
    clerk = site.people["clerk"]
    visitor = await visit(site.url)
    await visitor.page.get_by_label("E-mail address").fill(clerk.email)
    await visitor.page.get_by_label("Password").fill("not it")

    await visitor.button("Sign in").click()

    alert = visitor.page.get_by_role("alert")
    await expect(alert).to_have_text("The e-mail address or the password is not right.")
    await expect(visitor.page.get_by_label("Password")).to_be_focused()
    await visitor.page.keyboard.type(clerk.password)
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.heading("Payments")).to_be_visible()


async def test_signed_out(site: Site, visit: Visit) -> None:
    """Signing out ends the session in Directus and removes all content from the page."""
    visitor = await signed_in(site, visit)
    session = await visitor.session()

    await visitor.button("Sign out").click()

    await is_asked_to_sign_in(visitor, "You are signed out.")
    assert await visitor.session() == ""
    await visitor.use_session(session)
    await visitor.page.reload()
    await expect(visitor.heading("Sign in")).to_be_visible()
    assert await visitor.session() == ""


async def test_session_gone(site: Site, visit: Visit) -> None:
    """A session that was ended elsewhere leads back to the form, which works at the first try."""
    visitor = await signed_in(site, visit)
    await logout(site.stack.directus.url, await visitor.session())

    await visitor.button("Reload payments").click()

    await is_asked_to_sign_in(visitor, ENDED)
    await eventually(lambda: _no_session(visitor))
    await visitor.sign_in(site.people["clerk"])
    assert len(await visitor.rows("payments")) == 6


async def _no_session(visitor: Visitor) -> bool:
    return await visitor.session() == ""


@pytest.mark.parametrize("at_start", [False, True])
async def test_session_expired(site: Site, visit: Visit, *, at_start: bool) -> None:
    """A session with an expired token leads back to the form, with the reason."""
    visitor = await signed_in(site, visit)
    expired = await login(site.stack.directus.url, site.people["clerk"], "json")
    await eventually(lambda: _is_refused(site, expired))
    await visitor.use_session(expired)

    if at_start:
        await visitor.page.reload()
    else:
        await visitor.button("Reload payments").click()

    await is_asked_to_sign_in(visitor, ENDED)


async def _is_refused(site: Site, token: str) -> bool:
    answer = await ask(site.proxy, "/stripe/customers?limit=1", token)
    return answer.code == "TOKEN_EXPIRED"


async def test_reload(site: Site, visit: Visit) -> None:
    """The session survives a reload of the page."""
    visitor = await signed_in(site, visit)

    await visitor.page.reload()

    await expect(visitor.heading("Payments")).to_be_visible()
    assert len(await visitor.rows("payments")) == 6


async def test_refusal_keeps_the_session(site: Site, visit: Visit) -> None:
    """A refusal for lack of permission signs nobody out, with either DENIED_STATUS."""
    visitor = await signed_in(site, visit)
    await visitor.open("customers")
    await visitor.button("New customer").click()
    await visitor.field("E-mail (required)").fill("edith@example.com")
    async with without(site.stack, "clerk", "create"):
        await visitor.button("Create customer").click()

        await expect(visitor.panel("You may not create customers")).to_be_visible()
        await expect(visitor.button("Sign out")).to_be_visible()
        assert len(await visitor.rows("payments")) == 6


async def test_next_person(site: Site, visit: Visit) -> None:
    """The next person to sign in with the same browser sees nothing of the previous one."""
    visitor = await signed_in(site, visit)
    await visitor.button("Sign out").click()

    await visitor.sign_in(site.people["guest"])

    await expect(visitor.panel("You may not see payments")).to_be_visible()
    assert "Lovelace" not in await visitor.page.content()
