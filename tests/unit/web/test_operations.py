"""The routes and their answers, for callers with different permissions."""

import pytest

from tests.doubles.directus import User
from tests.doubles.running_app import CLERK, CREATOR, MEMBER, NOBODY, READER, RunningApp
from tests.doubles.wire import Answer

LISTS = ("/stripe/payments", "/stripe/payments/cus_ABC123", "/stripe/customers")


def ids(answer: Answer) -> list[str]:
    assert answer.whole
    return [entry["id"] for entry in answer.json()]


@pytest.mark.parametrize("target", LISTS)
@pytest.mark.parametrize(
    ("user", "status", "code"),
    [
        (CLERK, 200, None),
        (READER, 200, None),
        (CREATOR, 401, "FORBIDDEN"),
        (NOBODY, 401, "FORBIDDEN"),
        (None, 401, "NO_CREDENTIALS"),
    ],
    ids=["clerk", "reader", "creator", "nobody", "nobody-signed-in"],
)
async def test_who_may_list(app: RunningApp, user: User | None, target: str, status: int, code: str | None) -> None:
    """A list needs `read`; no other right in Directus replaces it."""
    app.stripe.add_customer(id="cus_ABC123")

    answer = await app.call(user, target)

    assert (status, code) == (answer.status, answer.code)


@pytest.mark.parametrize(
    ("user", "status", "code"),
    [
        (CLERK, 201, None),
        (CREATOR, 201, None),
        (READER, 401, "FORBIDDEN"),
        (NOBODY, 401, "FORBIDDEN"),
        (None, 401, "NO_CREDENTIALS"),
    ],
    ids=["clerk", "creator", "reader", "nobody", "nobody-signed-in"],
)
async def test_who_may_create(app: RunningApp, user: User | None, status: int, code: str | None) -> None:
    """Creating a customer needs `create`; a caller that may only read is refused."""
    answer = await app.create(user)

    assert (status, code) == (answer.status, answer.code)
    assert len(app.stripe.customers) == (1 if status == 201 else 0)


async def test_partial_access_is_limited_to_own_rows(app: RunningApp) -> None:
    """A caller with access to some items only gets those customers' payments and no others."""
    app.stripe.add_customer(id="cus_OWN")
    own = app.stripe.add_payments(2, customer="cus_OWN")
    app.stripe.add_payments(3, customer="cus_FOREIGN")
    app.directus.add_row(owner=MEMBER.name, stripe_customer_id="cus_OWN")
    app.directus.add_row(owner=CLERK.name, stripe_customer_id="cus_FOREIGN")

    listed, foreign = await app.call(MEMBER), await app.call(MEMBER, "/stripe/payments/cus_FOREIGN")

    assert own == ids(listed)
    assert (foreign.status, foreign.code) == (401, "FORBIDDEN")


@pytest.mark.parametrize("number", [0, 1, 100, 101, 250])
async def test_list_is_whole_and_newest_first(app: RunningApp, number: int) -> None:
    """Every PaymentIntent is there once, in Stripe's order, whatever the number of pages."""
    expected = app.stripe.add_payments(number)

    answer = await app.call(CLERK)

    assert expected == ids(answer)


async def test_list_of_one_customer(app: RunningApp) -> None:
    """A customer's list contains that customer's payments alone, over all pages."""
    app.stripe.add_customer(id="cus_ABC123")
    expected = app.stripe.add_payments(120, customer="cus_ABC123")
    app.stripe.add_payments(5, customer="cus_XYZ789")

    assert expected == ids(await app.call(CLERK, "/stripe/payments/cus_ABC123"))


async def test_list_of_customers(app: RunningApp) -> None:
    """The list of customers contains all of them, newest first."""
    expected = [app.stripe.add_customer()["id"] for _ in range(3)][::-1]

    assert expected == ids(await app.call(CLERK, "/stripe/customers"))


async def test_one_customer(app: RunningApp) -> None:
    """A single customer is answered as Stripe's object, and an unknown one with Stripe's own code."""
    customer = app.stripe.add_customer(email="ada@example.com")

    known = await app.call(CLERK, f"/stripe/customers/{customer['id']}")
    unknown = await app.call(CLERK, "/stripe/customers/cus_NONE")

    assert (200, customer) == (known.status, known.json())
    assert (unknown.status, unknown.extensions["stripe"]["code"]) == (404, "resource_missing")


async def test_created_customer_is_answered(app: RunningApp) -> None:
    """The answer to a creation is Stripe's customer, with what was sent."""
    answer = await app.create(email="ada@example.com", name="Ada Lovelace")

    created = answer.json()
    assert (answer.status, created["email"], created["name"]) == (201, "ada@example.com", "Ada Lovelace")
    assert app.stripe.customers[0]["id"] == created["id"]


async def test_same_body_twice_makes_two_customers(app: RunningApp) -> None:
    """Without write-back two requests are unrelated, even with the same e-mail address."""
    first, second = await app.create(), await app.create()

    assert first.json()["id"] != second.json()["id"]
    assert len(app.stripe.customers) == 2


@pytest.mark.parametrize("target", LISTS)
@pytest.mark.parametrize(
    "parameter", ["expand[]=data.customer", "customer=cus_A", "on_behalf_of=acct_1", "stripe_account=acct_1", "x", "=y"]
)
async def test_parameters_are_refused(app: RunningApp, target: str, parameter: str) -> None:
    """R4: a parameter that is not the route's own is refused: it is neither passed on to Stripe nor ignored."""
    answer = await app.call(CLERK, f"{target}?{parameter}")

    assert (answer.status, answer.code) == (400, "INVALID_QUERY")
    assert app.directus.requests == []
    assert app.stripe.asked == []
