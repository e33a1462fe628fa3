"""The form for a new customer: who may use it, who may not, and which entries are wrong."""

import pytest
from playwright.async_api import expect

from tests.doubles.faults import answer
from tests.e2e.conftest import Visit
from tests.e2e.site import Site, without

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_created(site: Site, visit: Visit) -> None:
    """A clerk's customer is created at Stripe, and its ID, its row and a cleared form are shown."""
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])
    await visitor.open("customers")
    await visitor.button("New customer").click()
    email, name = visitor.field("E-mail (required)"), visitor.field("Name")
    await email.fill("edith@example.com")
    await name.fill("Edith Clarke")

    await visitor.button("Create customer").click()

    panel = visitor.panel("Customer created")
    await expect(visitor.progress("customers")).to_have_text("1 customer, all")
    [created] = site.stripe.customers
    await expect(panel).to_contain_text(str(created["id"]))
    await expect(panel.get_by_role("heading")).to_be_focused()
    assert [row[:2] for row in await visitor.rows("customers")] == [["Edith Clarke", "edith@example.com"]]
    await visitor.button("New customer").click()
    assert (await email.input_value(), await name.input_value()) == ("", "")


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", "This is required."),
        ("edith", "This must be an e-mail address."),
        ("e@x@y", "This must be an e-mail address."),
    ],
)
async def test_field_at_fault(site: Site, visit: Visit, typed: str, fault: str) -> None:
    """V2: the sidecar's message about an entry is at its field, which gets the focus; 0 Stripe."""
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])
    await visitor.open("customers")
    await expect(visitor.panel("No customers")).to_be_visible()
    await visitor.button("New customer").click()
    email = visitor.field("E-mail (required)")
    await email.fill(typed)

    await visitor.button("Create customer").click()

    await expect(email).to_be_focused()
    await expect(email).to_have_attribute("aria-invalid", "true")
    await expect(email).to_have_accessible_description(fault)
    assert site.stripe.customers == []
    await email.fill("edith@example.com")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.panel("Customer created")).to_be_visible()
    await visitor.button("New customer").click()
    await expect(email).not_to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("who", ["reader", "member"])
async def test_not_offered(site: Site, visit: Visit, who: str) -> None:
    """A person without the right to create is not offered to."""
    visitor = await visit(site.url)
    await visitor.sign_in(site.people[who])

    await visitor.open("customers")

    await expect(visitor.button("Reload customers")).to_be_visible()
    await expect(visitor.button("New customer")).to_have_count(0)


async def test_refused(site: Site, visit: Visit) -> None:
    """A right that is taken away after it was offered is a refusal with the reason, and Stripe is not asked."""
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])
    await visitor.open("customers")
    await visitor.button("New customer").click()
    await visitor.field("E-mail (required)").fill("edith@example.com")
    async with without(site.stack, "clerk", "create"):
        await visitor.button("Create customer").click()

        panel = visitor.panel("You may not create customers")
        await expect(panel).to_contain_text('You have no permission to "create" on the collection "customers".')
    told = await panel.get_by_role("definition").all_inner_texts()
    assert told == ["no_access", "create on customers", "FORBIDDEN"]
    await expect(panel.get_by_role("heading")).to_be_focused()
    assert site.stripe.customers == []


async def test_stripe_refuses(site: Site, visit: Visit) -> None:
    """Stripe's refusal of a customer is shown, and the entries stay."""
    visitor = await visit(site.url)
    await visitor.sign_in(site.people["clerk"])
    await visitor.open("customers")
    await expect(visitor.panel("No customers")).to_be_visible()
    await visitor.button("New customer").click()
    site.stripe.fail(
        answer(400, '{"error": {"type": "invalid_request_error", "code": "email_invalid", "param": "email"}}')
    )
    email = visitor.field("E-mail (required)")
    await email.fill("edith@example.com")

    await visitor.button("Create customer").click()

    await expect(visitor.panel("The customer was not created")).to_be_visible()
    await expect(email).to_have_value("edith@example.com")
