"""STRIPE_READ_CACHE on a real Directus: a dashboard of many clerks, members beside them, and what ends an answer."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from deploy.demo.admin import Person
from tests.doubles.events import PATH, SECRET, event, headers
from tests.doubles.stripe import CLIENT_SECRET
from tests.doubles.wire import exchange, request_bytes
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, OWN, Portal

PAYMENTS, CUSTOMERS = "/payments?limit=100", "/customers?limit=100"


@pytest.fixture
async def remembering(portal: Portal) -> AsyncIterator[Portal]:
    """The portal with a minute's memory of Stripe, none of permissions, and with Stripe's events."""
    async with portal.other(STRIPE_READ_CACHE="60", STRIPE_WEBHOOK_SECRET=SECRET) as opened:
        yield opened
        opened.check_credentials()


def asked(portal: Portal) -> int:
    """Count the pages of payments that Stripe was asked for."""
    return sum(request.path == "/v1/payment_intents" for request in portal.stripe.asked)


async def ids(portal: Portal, person: Person, target: str) -> list[str]:
    """Give the IDs of a page's objects, in which no secret may be."""
    answer = await portal.ask(person, target)
    assert answer.status == 200, answer
    assert CLIENT_SECRET.encode() not in answer.body
    return [entry["id"] for entry in answer.json()["data"]]


async def hear(portal: Portal, body: bytes) -> None:
    port = urlsplit(portal.url).port
    assert port is not None
    assert (await exchange(port, request_bytes("POST", PATH, headers(body), body))).status == 200


async def test_a_dashboard(remembering: Portal, newcomer: Newcomer) -> None:
    """A page that clerks ask for a hundred times, one after the other, is one request at Stripe."""
    await remembering.customer(payments=5)
    clerks = [await newcomer(remembering.names.rule("read")) for _ in range(5)]

    seen = [await ids(remembering, clerk, PAYMENTS) for _ in range(20) for clerk in clerks]

    assert seen == [[payment["id"] for payment in remembering.stripe.payments]] * 100
    assert asked(remembering) == 1


async def test_what_is_new_is_seen_at_once(remembering: Portal, newcomer: Newcomer) -> None:
    """C7: a customer created here, and a payment that an event tells of, are on the next page, whoever asks for it."""
    customer = await remembering.customer()
    clerk, colleague = [await newcomer(remembering.names.rule("read"), remembering.names.rule("create")) for _ in "ab"]
    customers, payments = await ids(remembering, clerk, CUSTOMERS), await ids(remembering, clerk, PAYMENTS)

    made = await remembering.create(colleague)
    [paid] = remembering.stripe.add_payments(1, customer=customer)
    before = await ids(remembering, clerk, PAYMENTS)
    await ids(remembering, colleague, PAYMENTS)
    [late] = remembering.stripe.add_payments(1, customer=customer)
    await hear(remembering, event("payment_intent.created", {"id": late, "object": "payment_intent"}))

    assert await ids(remembering, clerk, CUSTOMERS) == [made.json()["id"], *customers]
    assert before == [paid, *payments]
    assert await ids(remembering, clerk, PAYMENTS) == [late, paid, *payments]


async def test_each_member_sees_its_own(remembering: Portal, newcomer: Newcomer) -> None:
    """R2: members and clerks who ask for one page in turn each see theirs, new or remembered."""
    fields = ("id", ID, "name", "owner")
    members = [await newcomer(remembering.names.rule("read", fields, OWN)) for _ in "ab"]
    clerk = await newcomer(remembering.names.rule("read"))
    own = {person: [await remembering.customer(payments=2, owner=person.id) for _ in "ab"] for person in members}
    foreign = await remembering.customer()
    seen = {person: remembering.payments_of(*customers) for person, customers in own.items()}
    seen[clerk] = remembering.payments_of(foreign, *(one for customers in own.values() for one in customers))

    for _ in range(3):
        for person, payments in seen.items():
            assert await ids(remembering, person, PAYMENTS) == [payment["id"] for payment in payments]

    assert asked(remembering) == 5


async def test_who_may_no_more(remembering: Portal, newcomer: Newcomer) -> None:
    """R1: who has lost its row, or its permission, is refused at once although the page is remembered for others."""
    names = remembering.names
    member, clerk = await newcomer(names.rule("read", ("id", ID, "owner"), OWN)), await newcomer(names.rule("read"))
    customer = await remembering.customer(owner=member.id)
    assert [len(await ids(remembering, person, PAYMENTS)) for person in (member, clerk)] == [1, 1]
    before = asked(remembering)

    await remembering.change(customer, owner=None)
    await remembering.stack.admin.request("PATCH", f"/users/{clerk.id}", {"status": "suspended"})

    assert await ids(remembering, member, PAYMENTS) == []
    assert (await remembering.ask(clerk, PAYMENTS)).status == 401
    assert asked(remembering) == before
