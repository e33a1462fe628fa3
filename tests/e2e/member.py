"""A member of the shop with a browser, and what Directus and Stripe say of it when they are asked themselves."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
from playwright.async_api import Page, expect

from deploy.demo.admin import SESSION_COOKIE, DirectusAdmin
from deploy.demo.shop.magazine import ARTICLE, MEMBERS, STATUS
from deploy.demo.shop.running import Shop
from deploy.stripe_stand_in import KEY
from tests.e2e.visitor import Visitor

PAYS, ASKS, DECLINED = "One that pays", "One that asks for 3-D Secure", "One that is declined"


@dataclass(frozen=True, slots=True)
class Member:
    shop: Shop
    visitor: Visitor
    email: str

    @property
    def page(self) -> Page:
        return self.visitor.page

    async def subscribe(self, card: str) -> None:
        await self.page.get_by_role("radio", name=card).check()
        await self.visitor.button("Subscribe").click()

    async def answer_the_bank(self, button: Literal["Complete", "Fail"]) -> None:
        """Press a button of the bank's page."""
        await expect(self.page).to_have_title("3D Secure test page")
        await self.visitor.button(button).click()

    async def is_told(self, title: str, words: str = "") -> None:
        panel = self.visitor.panel(title)
        await expect(panel.get_by_role("heading")).to_be_focused()
        await expect(panel).to_contain_text(words)

    async def sees_the_article(self) -> None:
        await expect(self.visitor.heading(ARTICLE["title"])).to_be_visible()
        await expect(self.page.get_by_role("article")).to_contain_text(ARTICLE["text"])

    async def sees_none(self) -> None:
        await expect(self.visitor.panel("For subscribers")).to_be_visible()
        await expect(self.page.get_by_role("article")).to_have_count(0)

    async def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, Any]:
        """Ask Directus with the browser's session; give the status and the data."""
        cookies = {SESSION_COOKIE: await self.visitor.session()}
        async with (
            aiohttp.ClientSession(self.shop.proxy, cookies=cookies) as session,
            session.request(method, path, json=body) as answer,
        ):
            return answer.status, (await answer.json()).get("data")

    async def may_read(self) -> list[str]:
        """Give the titles of the articles that Directus shows."""
        status, rows = await self.ask("GET", "/items/articles?fields=title")
        assert status == 200
        return [row["title"] for row in rows]

    async def status(self, admin: DirectusAdmin) -> str | None:
        status: str | None = (await self._item(admin))[STATUS]
        return status

    async def at_stripe(self, admin: DirectusAdmin) -> list[str]:
        """Give the status of each subscription that Stripe has of the member's customer."""
        customer = (await self._item(admin))["stripe_customer_id"]
        async with (
            aiohttp.ClientSession(self.shop.stripe_url, headers={"Authorization": f"Bearer {KEY}"}) as session,
            session.get(f"/v1/subscriptions?status=all&customer={customer}", raise_for_status=True) as answer,
        ):
            return [each["status"] for each in (await answer.json())["data"]]

    async def _item(self, admin: DirectusAdmin) -> dict[str, Any]:
        [item] = await admin.request("GET", f"/items/{MEMBERS}?filter[email][_eq]={self.email}")
        assert isinstance(item, dict)
        return item


async def signed_up(shop: Shop, visitor: Visitor) -> Member:
    """Sign up on the shop's page, with an e-mail address that nobody has."""
    email = f"{secrets.token_hex(4)}@example.com"
    await visitor.page.get_by_label("E-mail address").fill(email)
    await visitor.page.get_by_label("Password").fill(secrets.token_urlsafe(9))
    await visitor.button("Sign up").click()
    await expect(visitor.page.get_by_role("banner")).to_contain_text(f"Signed in as {email}")
    return Member(shop, visitor, email)
