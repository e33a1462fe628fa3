"""From the page to Stripe's billing portal and back, with Stripe's emulator."""

import json
from urllib.parse import parse_qs

import pytest
from playwright.async_api import Route, expect

from deploy.demo.stack import Stack, page_url
from tests.doubles.faults import answer
from tests.doubles.server import Recorded
from tests.e2e.conftest import Visit
from tests.e2e.site import Site
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def stand_in_for_stripe(visitor: Visitor, stack: Stack) -> None:
    """Answer all of the browser's requests to other origins than the demo's."""

    async def portal(route: Route) -> None:
        await route.fulfill(content_type="text/html", body="<title>portal</title>")

    await visitor.page.context.route(lambda url: not url.startswith(stack.proxy.url), portal)


@pytest.mark.parametrize("who", ["clerk", "member"])
async def test_portal(stack: Stack, visit: Visit, who: str) -> None:
    """The browser goes to the address that Stripe gave for this customer and this page, and comes back signed in."""
    visitor = await visit(page_url(stack.proxy.url))
    await stand_in_for_stripe(visitor, stack)
    await visitor.sign_in(stack.people[who])

    await visitor.open("customers")
    await visitor.button("Billing portal for Ada Lovelace").click()

    await expect(visitor.page).to_have_title("portal")
    asked = stack.stripe_requests()[-1]
    assert (asked.method, asked.target) == ("POST", "/v1/billing_portal/sessions")
    body = parse_qs(asked.body)
    assert body["customer"] == [stack.customers["Ada Lovelace"]]
    assert body["return_url"] == [page_url(stack.proxy.url)]
    await visitor.page.goto(body["return_url"][0])
    await expect(visitor.heading("Payments")).to_be_visible()


async def test_stripe_refuses(site: Site, visit: Visit) -> None:
    """If Stripe does not open a portal, the message is at its button, and the page stays."""
    site.add_demo_customers()
    site.stripe.fail(answer(400, '{"error": {"type": "invalid_request_error"}}'), when=is_portal)
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])

    await visitor.open("customers")
    await visitor.button("Billing portal for Grace Hopper").click()

    panel = visitor.panel("The billing portal did not open")
    await expect(panel.get_by_role("heading")).to_be_focused()
    await expect(visitor.button("Billing portal for Grace Hopper")).to_be_enabled()
    assert visitor.page.url == f"{site.url}#customers"


async def test_only_to_web_addresses(site: Site, visit: Visit) -> None:
    """The page does not follow an address that is not http or https."""
    site.add_demo_customers()
    opened = {"id": "bps_1", "object": "billing_portal.session", "customer": site.customer("Grace Hopper")}
    site.stripe.fail(answer(200, json.dumps({**opened, "url": "javascript:document.title='ran'"})), when=is_portal)
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])

    await visitor.open("customers")
    await visitor.button("Billing portal for Grace Hopper").click()

    await expect(visitor.panel("The billing portal did not open")).to_contain_text("no address to go to")
    await expect(visitor.page).to_have_title("Billing desk")


def is_portal(request: Recorded) -> bool:
    return request.path == "/v1/billing_portal/sessions"
