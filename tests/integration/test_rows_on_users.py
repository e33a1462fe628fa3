"""A project with Stripe's IDs on its users: `directus_users` is the customers collection."""

from collections.abc import AsyncIterator

import pytest

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from tests.integration.asking import unmarked, verdict
from tests.integration.commands import Place, place_on_users
from tests.integration.conftest import Newcomer
from tests.integration.portal import Portal

MYSELF = {"id": {"_eq": "$CURRENT_USER"}}


@pytest.fixture
async def field(stack: Stack) -> AsyncIterator[str]:
    """A field for customer IDs on the users."""
    async with place_on_users(stack) as users:
        await create_field(users)
        yield users.field


async def create_field(users: Place) -> None:
    body = {"field": users.field, "type": "string", "schema": {"is_unique": True}}
    await users.stack.admin.request("POST", "/fields/directus_users", body)


@pytest.fixture
async def users(portal: Portal, field: str) -> AsyncIterator[Portal]:
    settings = {"STRIPE_CUSTOMERS_COLLECTION": "directus_users", "STRIPE_CUSTOMER_ID_FIELD": field}
    async with portal.other(**settings) as other:
        yield other


async def becomes_customer(users: Portal, person: Person, field: str) -> str:
    """Create a customer with a payment at Stripe, and write its ID to a user."""
    customer = str(users.stripe.add_customer(email=person.email)["id"])
    users.stripe.add_payment(customer=customer)
    await users.stack.admin.request("PATCH", f"/users/{person.id}", {field: customer})
    return customer


async def test_myself(users: Portal, newcomer: Newcomer, field: str) -> None:
    """A user that may read itself sees its own customer and payments; a foreign one is like an unknown one."""
    rule = Rule("directus_users", "read", ("id", field, "email"), MYSELF)
    person, other = await newcomer(rule), await newcomer(rule)
    mine, foreign = [await becomes_customer(users, each, field) for each in (person, other)]

    assert await users.ids(person, "/customers") == [mine]
    assert len(await users.ids(person, "/payments")) == 1
    assert (await users.ask(person, f"/customers/{mine}")).json()["email"] == person.email
    answers = [await users.ask(person, f"/payments/{one}") for one in (foreign, "cus_None")]
    assert verdict(answers[0]) == (401, "FORBIDDEN")
    assert unmarked(answers[0]) == unmarked(answers[1])


async def test_all_users(users: Portal, newcomer: Newcomer, field: str) -> None:
    """A caller that may read all users sees all customers, and no user is asked for."""
    clerk = await newcomer(Rule("directus_users", "read"))
    customer = await becomes_customer(users, clerk, field)
    users.forget_requests()

    assert await users.ids(clerk, "/customers") == [customer]
    assert {request.path for request in users.directus.requests} == {"/permissions/me"}


async def test_staff_of_the_app(users: Portal, newcomer: Newcomer) -> None:
    """O2: Staff that uses the app has its whole access, although the app's own rule makes Directus say "partial"."""
    clerk = await newcomer(Rule("directus_users", "read"), Rule("directus_users", "update"))
    request = users.stack.admin.request
    body = {"name": "app", "app_access": True, "admin_access": False, "ip_access": None}
    policy = (await request("POST", "/policies", body))["id"]
    await request("POST", "/access", {"policy": policy, "role": clerk.role})
    unnamed = str(users.stripe.add_customer(name="Nobody's", email="nobody@example.com")["id"])

    [found] = (await users.ask(clerk, "/customers")).json()
    await request("DELETE", f"/policies/{policy}")

    assert found["id"] == unnamed
    assert "metadata" in found


async def test_writable_id(users: Portal, newcomer: Newcomer, field: str) -> None:
    """R5: a user that may change every field of itself, as profiles often allow, is refused with the field's name."""
    reads = Rule("directus_users", "read", ("id", field), MYSELF)
    person = await newcomer(reads, Rule("directus_users", "update", ("*",), MYSELF))

    answer = await users.ask(person, "/payments")

    assert answer.extensions["reason"] == "id_field_writable"
    assert f'"{field}"' in answer.message


async def test_mended_profile(users: Portal, newcomer: Newcomer, field: str) -> None:
    """R5: the right to change only one's name and password is no loophole."""
    reads = Rule("directus_users", "read", ("id", field), MYSELF)
    person = await newcomer(reads, Rule("directus_users", "update", ("first_name", "password"), MYSELF))
    mine = await becomes_customer(users, person, field)

    assert await users.ids(person, "/customers") == [mine]


async def test_an_administrators_service_token(users: Portal, newcomer: Newcomer, field: str) -> None:
    """O2: A service token with app access finds whole access too, though Directus adds the app's permissions to it."""
    token = users.stack.people["administrator"].token
    clerk = await newcomer(
        Rule("directus_users", "read", ("id", field)), also=[[Rule("directus_users", "read", ("id",), MYSELF)]]
    )
    unnamed = str(users.stripe.add_customer(name="Nobody's")["id"])
    settings = {"STRIPE_CUSTOMERS_COLLECTION": "directus_users", "STRIPE_CUSTOMER_ID_FIELD": field}

    users.tokens.add(token)
    async with users.other(DIRECTUS_SERVICE_TOKEN=token, **settings) as other:
        assert await other.ids(clerk, "/customers") == [unnamed]
