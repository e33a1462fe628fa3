"""What the demo leaves at Stripe after it has asked everything as everybody."""

import pytest

from deploy.demo.expectations import Expected, Route
from deploy.demo.matrix import Answer, Row, forget_created
from tests.doubles.stripe import StripeDouble

pytestmark = pytest.mark.asyncio

NEW = Route("POST", "/stripe/customers", "customer")


async def test_customers_of_the_table_are_deleted() -> None:
    """The customers that its questions created are deleted, and no others."""
    async with StripeDouble.running() as stripe:
        seeded, *created = [stripe.add_customer() for _ in range(3)]
        answers = {str(made["id"]): Answer(201, "", made) for made in created}
        shown = Row("clerk", NEW, Expected(200), {"session cookie": Answer(200, "", [seeded])})
        refused = Row("guest", NEW, Expected(401), {"session cookie": Answer(401, "FORBIDDEN", {})})

        await forget_created(stripe.url, stripe.key, [Row("clerk", NEW, Expected(201), answers), shown, refused])

        assert [seeded["id"]] == [each["id"] for each in stripe.customers if not each.get("deleted")]
