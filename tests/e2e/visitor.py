"""A visitor with a browser, which finds things as assistive technology does: by role and name."""

import re
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import ConsoleMessage, Locator, Page, expect

from deploy.demo.admin import SESSION_COOKIE, Person

List = Literal["payments", "customers", "subscriptions", "invoices"]

CELLS = """table => [...table.tBodies[0].rows].map(
    row => [...row.cells].filter(cell => !cell.matches('.actions')).map(cell => cell.innerText))"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """`complaints` contains the browser's complaints about the page, such as violations of its policy."""

    page: Page
    complaints: list[str]

    async def sign_in(self, person: Person) -> None:
        """Fill in the form and wait for the page's content."""
        await self.page.get_by_label("E-mail address").fill(person.email)
        await self.page.get_by_label("Password").fill(person.password)
        await self.button("Sign in").click()
        await expect(self.button("Sign out")).to_be_visible()

    async def session(self) -> str:
        """Give the session cookie's value."""
        [value] = [cookie["value"] for cookie in await self.page.context.cookies() if cookie["name"] == SESSION_COOKIE]
        return value

    async def use_session(self, value: str) -> None:
        """Replace the session cookie's value."""
        await self.page.context.add_cookies(
            [{"name": SESSION_COOKIE, "value": value, "domain": "127.0.0.1", "path": "/", "httpOnly": True}]
        )

    async def rows(self, name: List) -> list[list[str]]:
        """Open a list and give the texts of all its rows, once it is complete."""
        await self.open(name)
        await expect(self.progress(name)).to_have_text(re.compile(", all$"))
        table: list[list[str]] = await self.section(name).get_by_role("table").evaluate(CELLS)
        return table

    async def open(self, name: List) -> None:
        """Open a list, by its link."""
        await self.link(name.capitalize()).click()
        await expect(self.section(name)).to_be_visible()

    def section(self, name: List) -> Locator:
        return self.page.locator(f"section#{name}")

    def progress(self, name: List) -> Locator:
        return self.section(name).locator(".progress")

    def panel(self, title: str) -> Locator:
        """Find the panel in place of content that could not be shown or work that could not be done."""
        return self.page.get_by_role("group", name=title, exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name, exact=True)

    def field(self, name: str) -> Locator:
        return self.page.get_by_role("textbox", name=name, exact=True)

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)


def listen(page: Page) -> list[str]:
    """Give the list to which the browser's later complaints are added.

    Refusals and outages are left out: the page reports them. Violations of its policy have other words.
    """
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource: "):
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints
