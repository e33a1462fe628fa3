"""Directus's field lists apply to Stripe: a caller reads and sends the attributes that its fields map to."""

import json

import pytest

from deploy.demo.admin import Person
from tests.integration.asking import verdict
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, OWN, Portal

CUSTOMER_BASE = {"id", "object", "created", "livemode"}
PAYMENT_BASE = {"id", "object", "amount", "amount_received", "currency", "status", "created", "customer", "livemode"}


async def listed(portal: Portal, person: Person, target: str) -> list[dict[str, object]]:
    answer = await portal.ask(person, target)
    assert answer.status == 200, answer.body
    found: list[dict[str, object]] = answer.json()
    return found


@pytest.mark.parametrize("fields", [(ID,), (ID, "name"), (ID, "email", "phone", "owner", "id")], ids=len)
@pytest.mark.parametrize("own", [False, True], ids=["all-rows", "own-rows"])
async def test_field_list(*, portal: Portal, newcomer: Newcomer, fields: tuple[str, ...], own: bool) -> None:
    """R6: a caller with a field list gets each kind's base and the attributes of its fields, and nothing else."""
    person = await newcomer(portal.names.rule("read", fields, OWN if own else None))
    customer = await portal.customer(owner=person.id)

    [one] = await listed(portal, person, "/customers")
    [payment] = await listed(portal, person, "/payments")

    at_stripe = portal.stripe.customers[0]
    assert one == {name: at_stripe[name] for name in CUSTOMER_BASE | (set(fields) & {"name", "email", "phone"})}
    assert payment == {name: portal.payments_of(customer)[0][name] for name in PAYMENT_BASE}
    assert (await portal.ask(person, f"/customers/{customer}")).json() == one
    assert await listed(portal, person, f"/payments/{customer}") == [payment]


@pytest.mark.parametrize("own", [False, True], ids=["all-rows", "own-rows"])
async def test_all_fields(*, portal: Portal, newcomer: Newcomer, own: bool) -> None:
    """R6: a caller with every field gets Stripe's whole objects, except the client secret.

    In rows of its own every field must have a value: a null in Directus may mean a hidden field.
    """
    person = await newcomer(portal.names.rule("read", ("*",), OWN if own else None))
    customer = await portal.customer(owner=person.id, organization=await portal.organization())

    [one] = await listed(portal, person, "/customers")
    [payment] = await listed(portal, person, "/payments")

    assert one == portal.stripe.customers[0]
    assert payment == {
        name: value for name, value in portal.payments_of(customer)[0].items() if name != "client_secret"
    }


async def test_client_secret(portal: Portal, newcomer: Newcomer) -> None:
    """R6: the client secret is present only if the operator opts in, and then only for callers with every field."""
    clerk = await newcomer(portal.names.rule("read"))
    reader = await newcomer(portal.names.rule("read", (ID, "name")))
    await portal.customer()
    async with portal.other(STRIPE_EXPOSE_CLIENT_SECRET="true") as exposed:
        found = [
            "client_secret" in (await listed(where, who, "/payments"))[0]
            for where in (portal, exposed)
            for who in (clerk, reader)
        ]

    assert found == [False, False, True, False]


@pytest.mark.parametrize("fields", [("name",), ("id", "name", "email", "owner")], ids=len)
async def test_without_the_id_field(portal: Portal, newcomer: Newcomer, fields: tuple[str, ...]) -> None:
    """A caller that may not read the ID field finds no customer's ID in any list, in any form."""
    person = await newcomer(portal.names.rule("read", fields))
    customers = [await portal.customer() for _ in range(2)]

    bodies = [
        (await portal.ask(person, target, headers=headers)).body
        for target in ("/customers", "/payments", "/customers?limit=1", "/payments?limit=1")
        for headers in ((), (("Accept", "application/x-ndjson"),))
    ]
    one, payment = (await listed(portal, person, "/customers"))[0], (await listed(portal, person, "/payments"))[0]

    assert (set(one), set(payment)) == (
        (CUSTOMER_BASE - {"id"}) | (set(fields) & {"name", "email"}),
        PAYMENT_BASE - {"customer"},
    )
    assert not [body for body in bodies for customer in customers if customer.encode() in body]


async def test_routes_that_name_a_customer(portal: Portal, newcomer: Newcomer) -> None:
    """A caller that may not read the ID field is refused on routes that name a customer, known or not, 0 Stripe."""
    person = await newcomer(portal.names.rule("read", ("id", "name")))
    customer = await portal.customer()
    portal.forget_requests()

    answers = [
        await portal.ask(person, path.format(one))
        for path in ("/customers/{}", "/payments/{}")
        for one in (customer, "cus_None")
    ]

    assert {verdict(answer) for answer in answers} == {(401, "FORBIDDEN")}
    assert {answer.extensions["reason"] for answer in answers} == {"no_id_field"}
    assert len({answer.body for answer in answers}) == 1
    assert portal.stripe.asked == []


async def test_own_rows_without_the_id_field(portal: Portal, newcomer: Newcomer) -> None:
    """A caller limited to its rows that may not read the ID field is refused everything: its customers are unknown."""
    person = await newcomer(portal.names.rule("read", ("id", "name"), OWN))
    customer = await portal.customer(owner=person.id)
    portal.forget_requests()

    answers = [
        await portal.ask(person, target)
        for target in ("/customers", "/payments", f"/customers/{customer}", f"/payments/{customer}")
    ]

    assert {(verdict(answer), answer.extensions["reason"]) for answer in answers} == {
        ((401, "FORBIDDEN"), "no_id_field")
    }
    assert portal.stripe.asked == []


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        (("name", "email"), {"phone": "+1", "description": "x", "address": {"city": "x"}, "preferred_locales": ["en"]}),
        (("email", "phone", "address"), {"name": "Ada", "description": "x"}),
        (("name",), {}),
        (("id", ID), {"name": "Ada"}),
    ],
    ids=["name-email", "email-phone-address", "no-email", "id-only"],
)
async def test_attributes_without_a_field(
    portal: Portal, newcomer: Newcomer, fields: tuple[str, ...], refused: dict[str, object]
) -> None:
    """An attribute without a field that may be created is refused by its name, 0 Stripe."""
    person = await newcomer(portal.names.rule("create", fields))
    allowed = "email" in fields

    for name, value in refused.items():
        answer = await portal.create(person, **{name: value})
        assert verdict(answer) == (400, "INVALID_PAYLOAD")
        assert answer.message.startswith(f"{name}:" if allowed else "email:")
    assert allowed or verdict(await portal.create(person)) == (400, "INVALID_PAYLOAD")
    assert portal.stripe.asked == []


async def test_attributes_with_a_field(portal: Portal, newcomer: Newcomer) -> None:
    """Attributes of fields that may be created arrive at Stripe; the answer has them and the new ID, and no others."""
    person = await newcomer(portal.names.rule("create", ("name", "email")))

    answer = await portal.create(person, name="Ada")

    at_stripe = portal.stripe.customers[0]
    assert verdict(answer) == (201, None)
    assert (at_stripe["name"], at_stripe["email"]) == ("Ada", "ada@example.com")
    assert answer.json() == {name: at_stripe[name] for name in CUSTOMER_BASE | {"name", "email"}}


async def test_every_attribute(portal: Portal, newcomer: Newcomer) -> None:
    """A caller that may create every field may send every attribute that can be set."""
    person = await newcomer(portal.names.rule("create"))

    answer = await portal.create(person, name="Ada", phone="+1", description="x", address={"city": "London"})

    sent = {name: portal.stripe.customers[0][name] for name in ("name", "phone", "description", "address")}
    assert verdict(answer) == (201, None)
    assert sent == {"name": "Ada", "phone": "+1", "description": "x", "address": {"city": "London"}}


async def test_operators_map(portal: Portal, newcomer: Newcomer) -> None:
    """STRIPE_FIELD_MAP decides the attribute of each field, for reading and sending and for both kinds."""
    field_map = json.dumps({"name": ["name", "description"], "email": ["receipt_email", "email"]})
    person = await newcomer(portal.names.rule("read", (ID, "name")), portal.names.rule("create", ("name", "email")))
    payer = await newcomer(portal.names.rule("read", (ID, "email")))
    await portal.customer()
    async with portal.other(STRIPE_FIELD_MAP=field_map) as mapped:
        [one] = await listed(mapped, person, "/customers")
        [payment] = await listed(mapped, payer, "/payments")
        created = await mapped.create(person, description="x")
        refused = await mapped.create(person, phone="+1")

    assert set(one) == CUSTOMER_BASE | {"name", "description"}
    assert set(payment) == PAYMENT_BASE | {"receipt_email"}
    assert verdict(created) == (201, None)
    assert refused.message.startswith("phone:")


@pytest.mark.parametrize("wide", [(ID, "name", "email"), ("*",)], ids=["list", "all-fields"])
@pytest.mark.parametrize("target", ["/customers", "/customers/{}"])
async def test_fields_of_some_rows(portal: Portal, newcomer: Newcomer, wide: tuple[str, ...], target: str) -> None:
    """R6: a field that Directus shows only in a caller's own rows is shown only of the caller's own customers."""
    person = await newcomer(portal.names.rule("read", wide, OWN), also=[[portal.names.rule("read", (ID, "name"))]])
    foreign = await portal.customer(email="grace@example.com")

    answer = await portal.ask(person, target.format(foreign))

    assert answer.status == 200
    assert b"grace@example.com" not in answer.body
