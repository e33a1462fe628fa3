"""A visitor with a browser. Things are found as assistive technology finds them: by role and name."""

import re
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import ConsoleMessage, Locator, Page, expect

from deploy.demo.admin import SESSION_COOKIE, Person

List = Literal["customers", "payments"]

_CELLS = """table => [...table.tBodies[0].rows].map(
    row => [...row.cells].filter(cell => !cell.matches('.actions')).map(cell => cell.innerText))"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """`complaints` are what the browser has to say against the page, violations of its policy among it."""

    page: Page
    complaints: list[str]

    async def sign_in(self, person: Person) -> None:
        """Fill in the form and wait for the desk."""
        await self.page.get_by_label("E-mail address").fill(person.email)
        await self.page.get_by_label("Password").fill(person.password)
        await self.button("Sign in").click()
        await expect(self.heading("Customers and payments")).to_be_visible()

    async def session(self) -> str:
        """Give the session cookie's value."""
        [value] = [cookie["value"] for cookie in await self.page.context.cookies() if cookie["name"] == SESSION_COOKIE]
        return value

    async def use_session(self, value: str) -> None:
        """Put another value into the session cookie."""
        await self.page.context.add_cookies(
            [{"name": SESSION_COOKIE, "value": value, "domain": "127.0.0.1", "path": "/", "httpOnly": True}]
        )

    async def rows(self, name: List) -> list[list[str]]:
        """Give the texts of a list that is whole, row by row."""
        await expect(self.progress(name)).to_have_text(re.compile(", all$"))
        table: list[list[str]] = await self.section(name).get_by_role("table").evaluate(_CELLS)
        return table

    def section(self, name: List) -> Locator:
        return self.page.locator(f"section#{name}")

    def progress(self, name: List) -> Locator:
        return self.section(name).locator(".progress")

    def panel(self, title: str) -> Locator:
        """Find what stands in place of something that could not be shown or done."""
        return self.page.get_by_role("group", name=title, exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, name: str) -> Locator:
        return self.page.get_by_role("textbox", name=name, exact=True)

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)


def listen(page: Page) -> list[str]:
    """Give the list into which whatever the browser will complain of is put.

    Refusals and outages are left out: telling of them is the page's part. What its policy forbids has other words.
    """
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource: "):
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints
