"""An upstream is down: the page says so, keeps its content, and works again after the outage."""

import pytest
from playwright.async_api import expect

from deploy.demo import servers
from deploy.demo.processes import free_port
from deploy.demo.stack import page_url
from tests.doubles.faults import answer
from tests.doubles.server import Recorded
from tests.e2e.conftest import Visit
from tests.e2e.site import Site
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

DOWN = "The payments cannot be shown now"


async def desk(site: Site, visit: Visit) -> Visitor:
    """Sign the clerk in and wait for all payments."""
    site.add_demo_customers()
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])
    await visitor.rows("payments")
    return visitor


async def comes_back(visitor: Visitor) -> None:
    """Press the panel's button, and see the rows again."""
    await visitor.panel(DOWN).get_by_role("button", name="Try again").click()
    await expect(visitor.progress("payments")).to_have_text("6 payments, all")
    await expect(visitor.panel(DOWN)).to_have_count(0)


async def test_directus_down(site: Site, visit: Visit) -> None:
    """U1: while Directus is down nobody is refused or signed out, and a retry works once it is up."""
    visitor = await desk(site, visit)
    await site.directus.refuse()

    await visitor.button("Reload payments").click()

    await expect(visitor.panel(DOWN)).to_contain_text("Directus could not be asked what you may do.")
    await expect(visitor.button("Sign out")).to_be_visible()
    await site.directus.listen()
    await comes_back(visitor)


async def test_stripe_down(site: Site, visit: Visit) -> None:
    """While Stripe is down the page says so, and a retry works once it is up."""
    visitor = await desk(site, visit)
    await site.stripe.refuse()

    await visitor.button("Reload payments").click()

    await expect(visitor.panel(DOWN)).to_contain_text("Stripe")
    await site.stripe.listen()
    await comes_back(visitor)


async def test_retry_after(site: Site, visit: Visit) -> None:
    """If an answer has Retry-After, the page says how long to wait."""
    visitor = await desk(site, visit)
    site.stripe.fail(answer(429, '{"error": {"type": "rate_limit_error"}}', Retry_After="30"))

    await visitor.button("Reload payments").click()

    await expect(visitor.panel(DOWN)).to_contain_text("The service asks to wait")
    site.stripe.recover()
    await comes_back(visitor)


async def test_sidecar_down(site: Site, visit: Visit) -> None:
    """nginx's own answer for a stopped sidecar is shown like any other error."""
    site.add_demo_customers()
    port, state = free_port(), site.stack.state / "no-sidecar"
    state.mkdir()
    nobody = f"http://127.0.0.1:{free_port()}"
    async with servers.nginx(state, port=port, directus=site.directus.url, sidecar=nobody) as nginx:
        visitor = await visit(page_url(nginx.url))

        await visitor.sign_in(site.people["clerk"])

        await expect(visitor.panel(DOWN)).to_contain_text("The payment service did not answer.")
        await visitor.open("customers")
        await expect(visitor.panel("The customers cannot be shown now")).to_be_visible()


async def test_no_network(site: Site, visit: Visit) -> None:
    """An offline browser says that nothing answered, and loses no content."""
    visitor = await desk(site, visit)
    await visitor.page.context.set_offline(offline=True)

    await visitor.button("Reload payments").click()

    await expect(visitor.panel(DOWN)).to_contain_text("The server did not answer.")
    await visitor.page.context.set_offline(offline=False)
    await comes_back(visitor)


async def test_one_list_fails(site: Site, visit: Visit) -> None:
    """A list that fails leaves the other list unchanged."""

    def payments(request: Recorded) -> bool:
        return request.path == "/v1/payment_intents"

    site.add_demo_customers()
    site.stripe.fail(answer(401, '{"error": {}}'), when=payments)
    visitor = await visit(site.url)

    await visitor.sign_in(site.people["clerk"])

    await expect(visitor.panel(DOWN)).to_be_visible()
    assert len(await visitor.rows("customers")) == 3


async def test_directus_down_at_the_start(site: Site, visit: Visit) -> None:
    """While Directus is down the page opens with that message, and shows the form once it is up."""
    await site.directus.refuse()
    visitor = await visit(site.url)

    panel = visitor.panel("Directus cannot be reached")
    await expect(panel).to_be_visible()

    await site.directus.listen()
    await panel.get_by_role("button", name="Try again").click()
    await expect(visitor.heading("Sign in")).to_be_visible()


async def test_signing_in_and_out(site: Site, visit: Visit) -> None:
    """While Directus is down nobody can sign in or out; the page says so, and the next try works once it is up."""
    visitor = await visit(site.url)
    await visitor.page.get_by_label("E-mail address").fill(site.people["clerk"].email)
    await visitor.page.get_by_label("Password").fill(site.people["clerk"].password)
    await site.directus.refuse()
    await visitor.button("Sign in").click()
    await expect(visitor.page.get_by_role("alert")).to_contain_text("502")
    await site.directus.listen()
    await visitor.button("Sign in").click()
    await expect(visitor.heading("Payments")).to_be_visible()

    await site.directus.refuse()
    await visitor.button("Sign out").click()

    panel = visitor.panel("You are still signed in")
    await expect(panel).to_be_visible()
    await site.directus.listen()
    await panel.get_by_role("button", name="Try again").click()
    await expect(visitor.page.get_by_role("alert")).to_have_text("You are signed out.")
