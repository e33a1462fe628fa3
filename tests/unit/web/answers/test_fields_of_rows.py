"""What a caller with row-level access to two customers sees of them, in each form of a list."""

import json

import pytest

from tests.doubles.directus import User, grants, partial
from tests.doubles.running_app import OpenApp, RunningApp
from tests.doubles.stripe import CLIENT_SECRET
from tests.doubles.wire import Answer

IDS = User("user-ids", "MARKED-ids/+token~", grants(read=partial("id", "stripe_customer_id")))
NAMES = User("user-names", "MARKED-names/+token~", grants(read=partial("id", "stripe_customer_id", "name")))
FORMS = {
    "whole": ("", []),
    "page": ("?limit=100", []),
    "ndjson": ("", [("Accept", "application/x-ndjson")]),
}
every_form = pytest.mark.parametrize("form", FORMS)


async def opened(open_app: OpenApp, user: User) -> RunningApp:
    """Start the application for a caller whose rows name two of three customers. One of its rows has no name."""
    app = await open_app(STRIPE_EXPOSE_CLIENT_SECRET="true")
    app.shows_client_secrets = True
    app.directus.add_users([user])
    app.tokens.add(user.token)
    for customer, owner, name in (("cus_ONE", user.name, "Ada"), ("cus_TWO", user.name, None), ("cus_3", "x", "Eve")):
        app.directus.add_row(owner=owner, stripe_customer_id=customer, name=name, email=f"{customer}@example.com")
        app.stripe.add("customer", id=customer, name=f"name-{customer}", email=f"{customer}@example.com")
        app.stripe.add_payment(customer=customer, receipt_email=f"{customer}@example.com", metadata={"a": "private"})
    return app


async def asked(app: RunningApp, user: User, path: str, form: str) -> Answer:
    query, headers = FORMS[form]
    answer = await app.call(user, f"/stripe/{path}{query}", headers=headers)
    assert (answer.status, answer.whole) == (200, True)
    return answer


def objects(answer: Answer, form: str) -> list[dict[str, object]]:
    if form == "ndjson":
        return [entry for entry in map(json.loads, answer.body.splitlines()) if "complete" not in entry]
    found = answer.json()
    return list(found["data"] if form == "page" else found)


@every_form
async def test_no_email_and_no_name(open_app: OpenApp, form: str) -> None:
    """A caller that may read only the ID field of two rows sees neither an e-mail address nor a name."""
    app = await opened(open_app, IDS)

    customers, payments = [await asked(app, IDS, path, form) for path in ("customers", "payments")]

    assert {"cus_TWO", "cus_ONE"} == {entry["id"] for entry in objects(customers, form)}
    assert {"cus_TWO", "cus_ONE"} == {entry["customer"] for entry in objects(payments, form)}
    for answer in (customers, payments):
        assert b"@example.com" not in answer.body
        assert b"name-" not in answer.body
        assert b"private" not in answer.body


@every_form
async def test_each_customer_by_its_own_row(open_app: OpenApp, form: str) -> None:
    """Where a row shows no name to the caller, the name of that customer stays out; the other one has it."""
    app = await opened(open_app, NAMES)

    customers = objects(await asked(app, NAMES, "customers", form), form)

    assert {entry["id"]: entry.get("name") for entry in customers} == {"cus_ONE": "name-cus_ONE", "cus_TWO": None}
    assert not any("email" in entry for entry in customers)


@every_form
async def test_secrets_of_ones_own_payments(open_app: OpenApp, form: str) -> None:
    """With the operator's consent the secrets of the caller's own payments are the only addition."""
    app = await opened(open_app, IDS)
    for payment in app.stripe.objects["payment_intent"]:
        payment["client_secret"] = f"{payment['id']}{CLIENT_SECRET}"

    payments = await asked(app, IDS, "payments", form)

    assert payments.body.count(CLIENT_SECRET.encode()) == 2
    assert b"private" not in payments.body
