"""One caller against all others: places, turns at Stripe, what a 429 stops, shared pages, and clients that leave."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.doubles import faults
from tests.doubles.directus import User, grants, partial
from tests.doubles.faults import Stall
from tests.doubles.running_app import CLERK, CREATOR, READER, OpenApp, RunningApp, bearer
from tests.doubles.server import Recorded
from tests.doubles.waiting import eventually
from tests.doubles.wire import request_bytes

pytestmark = pytest.mark.slow

SHIPPED = {"STRIPE_MAX_RPS": "20", "STRIPE_ACCOUNT_RPS": "80"}
OWNER = User(
    "owner",
    "MARKED-owner/+token~",
    grants(read=partial("id", "stripe_customer_id"), update=partial("email")),
)


@pytest.fixture
def open_shop(open_app: OpenApp, tmp_path: Path) -> OpenApp:
    """Open the application with operations on one subscription."""
    operations = tmp_path / "operations.toml"
    operations.write_text("".join(f"[subscriptions.{verb}]\n" for verb in ("retrieve", "update", "cancel")))
    return lambda **settings: open_app(STRIPE_OPERATIONS=str(operations), **settings)


@pytest.fixture
async def shop(open_shop: OpenApp) -> RunningApp:
    return await open_shop()


def is_page(request: Recorded) -> bool:
    return request.method == "GET" and "limit=" in request.target


def owner(app: RunningApp) -> str:
    """Let OWNER have a customer with a subscription, and give that one's ID."""
    app.directus.add_users([OWNER])
    app.tokens.add(OWNER.token)
    customer = str(app.stripe.add_customer()["id"])
    app.directus.add_row(owner=OWNER.name, stripe_customer_id=customer)
    return str(app.stripe.add("subscription", customer=customer)["id"])


async def leave(app: RunningApp, sent: bytes) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", app.port)
    writer.write(sent)
    return writer


async def test_one_caller_with_many_connections(open_shop: OpenApp) -> None:
    """F1: one caller's 520 requests at once, pages, lists and changes, cost no other caller an answer."""
    app = await open_shop(**SHIPPED)
    subscription = owner(app)
    targets = ["/stripe/payments?limit=1", "/stripe/payments", f"/stripe/subscriptions/{subscription}"]
    greedy = [
        app.start(OWNER, f"{targets[number % 3]}{f'&created[gte]={number}' if number % 3 == 0 else ''}")
        for number in range(520)
    ]
    await app.handled(500)

    page = await app.call(CLERK, "/stripe/customers?limit=5")
    read = await app.call(CLERK, f"/stripe/subscriptions/{subscription}")
    created = await app.create(CREATOR)

    assert [page.status, read.status, created.status] == [200, 200, 201]
    assert 503 not in {answer.status for answer in await asyncio.gather(*greedy)}


async def test_a_server_that_renders_pages(open_shop: OpenApp) -> None:
    """C4: a thousand requests of one token at once, for one page, are all answered, by one page of Stripe's."""
    app = await open_shop(**SHIPPED)
    app.stripe.add_payments(3)
    stall = Stall()
    app.stripe.fail(stall, when=is_page)

    tasks = [app.start(CLERK, "/stripe/payments?limit=100") for _ in range(1000)]
    await app.handled(1000)
    stall.release()

    assert {answer.status for answer in await asyncio.gather(*tasks)} == {200}
    assert len([request for request in app.stripe.asked if is_page(request)]) == 1


async def test_a_server_that_renders_a_member_s_page(open_shop: OpenApp) -> None:
    """C4: the same for a token with its own rows: those who wait ask for them together, and Stripe's page is shared."""
    app = await open_shop(**SHIPPED)
    owner(app)
    stall = Stall()
    app.stripe.fail(stall, when=is_page)

    tasks = [app.start(OWNER, "/stripe/payments?limit=10") for _ in range(300)]
    await app.handled(300)
    await eventually(lambda: any(is_page(request) for request in app.stripe.asked))
    stall.release()

    assert {answer.status for answer in await asyncio.gather(*tasks)} == {200}
    assert len([request for request in app.stripe.asked if is_page(request)]) <= 2
    assert 1 <= sum(request.method == "SEARCH" for request in app.directus.requests) <= 150


async def test_equal_pages_of_many_customers(open_shop: OpenApp) -> None:
    """F1: equal pages of a caller with many customers, asked for together again and again, use up no place."""
    app = await open_shop(MAX_CONCURRENT_REQUESTS="3")
    owner(app)
    for _ in range(20):
        customer = str(app.stripe.add_customer()["id"])
        app.directus.add_row(owner=OWNER.name, stripe_customer_id=customer)
        app.stripe.add_payments(2, customer=customer)

    for _ in range(5):
        answers = await asyncio.gather(*(app.call(OWNER, "/stripe/payments?limit=1") for _ in range(3)))

        assert {answer.status for answer in answers} == {200}
        assert len({answer.body for answer in answers}) == 1


async def test_many_callers_open_one_page(open_shop: OpenApp) -> None:
    """F1: callers who open the same page at once share one page of Stripe's, hold no place, and all get it."""
    app = await open_shop(**SHIPPED, MAX_CONCURRENT_REQUESTS="10")
    app.stripe.add_payments(3)
    clerks = [User(f"clerk-{number}", f"MARKED-clerk-{number}/+t~", CLERK.permissions) for number in range(300)]
    app.directus.add_users(clerks)
    app.tokens |= {clerk.token for clerk in clerks}
    stall = Stall()
    app.stripe.fail(stall, when=is_page)

    tasks = [app.start(clerk, "/stripe/payments?limit=100") for clerk in clerks]
    await app.handled(300)
    late = app.start(CLERK, "/stripe/payments?limit=100")
    stall.release()
    answers = await asyncio.gather(*tasks, late)

    assert {answer.status for answer in answers} == {200}
    assert {answer.body for answer in answers} == {answers[0].body}
    assert len([request for request in app.stripe.asked if is_page(request)]) == 1


async def test_pages_are_reduced_for_each(shop: RunningApp) -> None:
    """R6: who shares a page with somebody that sees more of it still gets only its own part."""
    shop.stripe.add_customer(name="Ada", phone="+49 30 1")
    stall = Stall()
    shop.stripe.fail(stall, when=is_page)

    tasks = [shop.start(user, "/stripe/customers?limit=100") for user in (CLERK, READER)]
    await eventually(lambda: stall.arrived == 1)
    await shop.handled(2)
    stall.release()
    whole, reduced = [(await task).json()["data"][0] for task in tasks]

    assert (whole["phone"], "phone" in reduced) == ("+49 30 1", False)
    assert len([request for request in shop.stripe.asked if is_page(request)]) == 1


async def test_no_page_from_before_a_change(shop: RunningApp) -> None:
    """C7: a page that began to be fetched before a change made here is given to nobody who asks after it."""
    stall = Stall()
    shop.stripe.fail(stall, when=is_page, times=1)
    before = [shop.start(user, "/stripe/customers?limit=100") for user in (CLERK, READER)]
    await eventually(lambda: stall.arrived == 1)

    created = await shop.create(CLERK)
    after = await shop.call(CLERK, "/stripe/customers?limit=100")
    stall.release()
    await asyncio.gather(*before)

    assert [customer["id"] for customer in after.json()["data"]] == [created.json()["id"]]


BUSY = {
    "lock": faults.answer(429, json.dumps({"error": {"code": "lock_timeout", "type": "invalid_request_error"}})),
    "object": faults.answer(
        429, json.dumps({"error": {"code": "rate_limit"}}), **{"Stripe-Rate-Limited-Reason": "resource-specific"}
    ),
}


@pytest.mark.parametrize("fault", BUSY.values(), ids=BUSY)
async def test_a_busy_object(open_shop: OpenApp, fault: faults.Fault) -> None:
    """F4: while Stripe refuses changes of one object, everybody's lists and pages go on; its caller hears 429."""
    app = await open_shop(STRIPE_MAX_RPS="1000")
    subscription = owner(app)
    app.stripe.fail(fault, when=lambda request: request.method == "POST" and subscription in request.target)
    body = json.dumps({"cancel_at_period_end": True}).encode()
    sent = [("Content-Type", "application/json")]
    changes = [
        asyncio.ensure_future(
            app.call(OWNER, f"/stripe/subscriptions/{subscription}", method="POST", headers=sent, body=body)
        )
        for _ in range(3)
    ]
    await eventually(lambda: sum(request.method == "POST" for request in app.stripe.asked) >= 3)

    answers = [await app.call(CLERK, target) for target in ("/stripe/payments", "/stripe/customers?limit=3")]

    assert not any(change.done() for change in changes)
    assert [answer.status for answer in answers] == [200, 200]
    refusals = await asyncio.gather(*changes)
    assert {(refusal.status, refusal.code) for refusal in refusals} == {(429, "REQUESTS_EXCEEDED")}
    assert sum(request.method == "POST" for request in app.stripe.asked) == 3 * 3


async def test_no_other_attempt_where_stripe_wants_none(shop: RunningApp) -> None:
    """F4: a 429 with `Stripe-Should-Retry: false` is the answer at once."""
    subscription = owner(shop)
    unwanted = {"Stripe-Rate-Limited-Reason": "resource-specific", "Stripe-Should-Retry": "false"}
    shop.stripe.fail(faults.answer(429, "{}", **unwanted), when=lambda request: subscription in request.target)

    answer = await shop.call(CLERK, f"/stripe/subscriptions/{subscription}")

    assert (answer.status, answer.code) == (429, "REQUESTS_EXCEEDED")
    assert sum(subscription in request.target for request in shop.stripe.asked) == 1


async def test_clients_that_leave_at_once(open_shop: OpenApp) -> None:
    """F2: 520 requests for pages that are each closed at once cost at most 60 pages, and nobody else's turn."""
    app = await open_shop(**SHIPPED)
    writers = []
    for number in range(520):
        target = f"/stripe/payments?limit=1&created[gte]={number}"
        writer = await leave(app, request_bytes("GET", target, [bearer(CLERK.token)], None))
        writers.append(writer)
        asyncio.get_running_loop().call_later(0.002, writer.transport.abort)  # what such a client does
    page = await app.call(READER, "/stripe/customers?limit=1")

    assert page.status == 200
    assert len([request for request in app.stripe.asked if is_page(request)]) <= 60


PLACES_OF_READS = {
    "rows": ("directus", lambda request: request.method == "SEARCH"),
    "the page": ("stripe", is_page),
}


@pytest.mark.parametrize("where", PLACES_OF_READS)
async def test_a_read_ends_with_its_client(open_shop: OpenApp, where: str) -> None:
    """F2: wherever a read waits, it gives its place back at once when its client leaves."""
    app = await open_shop(MAX_CONCURRENT_REQUESTS="1")
    owner(app)
    upstream, when = PLACES_OF_READS[where]
    stall = Stall()
    (app.directus if upstream == "directus" else app.stripe).fail(stall, when=when, times=1)
    writer = await leave(app, request_bytes("GET", "/stripe/payments?limit=1", [bearer(OWNER.token)], None))
    await eventually(lambda: stall.arrived == 1)
    busy = await app.call(CLERK, "/stripe/customers?limit=1")

    writer.transport.abort()

    async def is_served() -> bool:
        return (await app.call(CLERK, "/stripe/customers?limit=1")).status == 200

    assert busy.status == 503
    await eventually(is_served)
    stall.release()


async def test_a_change_is_finished(shop: RunningApp) -> None:
    """A change that Stripe is making when its client leaves is finished, with its line in the audit."""
    subscription = owner(shop)
    stall = Stall()
    shop.stripe.fail(stall, when=lambda request: request.method == "DELETE")
    sent = request_bytes("DELETE", f"/stripe/subscriptions/{subscription}", [bearer(CLERK.token)], None)
    writer = await leave(shop, sent)
    await eventually(lambda: stall.arrived == 1)

    writer.transport.abort()
    stall.release()

    await eventually(lambda: any("changed at Stripe" in line and subscription in line for line in shop.log))


async def test_a_change_that_has_not_begun(open_shop: OpenApp) -> None:
    """F2: a change that still waits in its caller's line when its client leaves is never sent."""
    app = await open_shop(MAX_CONCURRENT_PER_CALLER="1")
    subscription = owner(app)
    stall = Stall()
    app.stripe.fail(stall, when=is_page)
    first = app.start(CLERK, "/stripe/payments?limit=1")
    await eventually(lambda: stall.arrived == 1)
    sent = request_bytes("DELETE", f"/stripe/subscriptions/{subscription}", [bearer(CLERK.token)], None)
    writer = await leave(app, sent)
    await app.handled(2)

    writer.transport.abort()
    await eventually(lambda: any('"broken"' in line for line in app.log))
    stall.release()

    assert (await first).status == 200
    assert (await app.call(CLERK, "/stripe/payments?limit=2")).status == 200
    assert not any(request.method == "DELETE" for request in app.stripe.asked)


async def test_a_line_that_is_full(open_shop: OpenApp) -> None:
    """F1: beyond a caller's line its requests are 429 with Retry-After, and others are served."""
    app = await open_shop(MAX_CONCURRENT_PER_CALLER="1", MAX_WAITING_PER_CALLER="1")
    stall = Stall()
    app.stripe.fail(stall, when=is_page, times=1)
    waiting = [app.start(CLERK, f"/stripe/payments?limit={number}") for number in (1, 2)]
    await eventually(lambda: stall.arrived == 1)
    await app.handled(2)

    refused, other = [await app.call(user, "/stripe/payments?limit=3") for user in (CLERK, READER)]
    stall.release()

    assert (refused.status, refused.code, refused.header("Retry-After")) == (429, "REQUESTS_EXCEEDED", "1")
    assert [other.status, *[(await one).status for one in waiting]] == [200, 200, 200]
