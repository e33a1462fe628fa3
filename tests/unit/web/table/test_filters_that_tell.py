"""A filter by an attribute tells it: only callers who see it of every customer may choose by it."""

import pytest

from tests.doubles.directus import Grant, User, full, grants, partial
from tests.doubles.running_app import RunningApp
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, TENANT

TARGET = "/stripe/customers?email=own@example.com"


async def someone(shop: RunningApp, read: Grant, everywhere: tuple[str, ...] = ()) -> User:
    user = User("user-other", "MARKED-other", grants(read=read), everywhere=everywhere)
    shop.directus.add_users([user])
    shop.tokens.add(user.token)
    return user


@pytest.mark.parametrize("paging", ["", "&limit=5"])
async def test_who_sees_every_email_finds_by_it(shop: RunningApp, paging: str) -> None:
    """Whole access with sight of the e-mail address finds the customers that have it."""
    clerk = await someone(shop, full("id", "stripe_customer_id", "email"))

    for user in (MANAGER, clerk):
        found = (await shop.call(user, TARGET + paging)).json()
        assert [each["id"] for each in (found["data"] if paging else found)] == ["cus_OWN"]
    assert {request.query["email"] for request in shop.stripe.asked} == {"own@example.com"}


async def test_who_does_not_see_them_is_refused(shop: RunningApp) -> None:
    """R6: partial access, a list without the address, and one that has it in some items only, are refused by name."""
    rows = await someone(shop, partial("id", "stripe_customer_id", "name", "email"), ("id", "stripe_customer_id"))

    answers = [
        await shop.call(user, target) for user in (TENANT, CLERK, rows) for target in (TARGET, TARGET + "&limit=5")
    ]

    assert {(each.status, each.extensions["reason"]) for each in answers} == {(401, "unseen")}
    assert {each.message.partition(":")[0] for each in answers} == {"email"}
    assert shop.stripe.asked == []


async def test_a_field_that_means_something_else(open_shop: OpenShop) -> None:
    """A field named like the attribute does not count where the operator maps it to another one."""
    shop = await open_shop({"customers.list": 'fields = { email = "phone" }'})
    clerk = await someone(shop, full("id", "stripe_customer_id", "email"))

    answer = await shop.call(clerk, TARGET)

    assert (answer.status, answer.extensions["reason"], shop.stripe.asked) == (401, "unseen", [])


@pytest.mark.parametrize("query", ["email=", "email=ada", "email=a@example.com&email=b@example.com", "email[]=a@b.co"])
async def test_odd_addresses(shop: RunningApp, query: str) -> None:
    """V4: an address that is none, or repeated, is 400, and no upstream is asked."""
    answer = await shop.call(MANAGER, f"/stripe/customers?{query}")

    assert (answer.status, answer.code) == (400, "INVALID_QUERY")
    assert shop.directus.requests == shop.stripe.asked == []
