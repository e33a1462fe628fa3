"""The parameters of a list: one page, a span of time, and lines instead of an array."""

import json

import pytest

from tests.doubles import faults
from tests.doubles.running_app import CLERK, MEMBER, OpenApp, RunningApp
from tests.doubles.server import Recorded
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer

LINES = ("Accept", "application/x-ndjson")


def later_page(request: Recorded) -> bool:
    return "starting_after" in request.query


def listed(answer: Answer) -> list[str]:
    assert answer.whole
    return [entry["id"] for entry in answer.json()["data"]]


@pytest.mark.parametrize("target", ["/stripe/payments", "/stripe/payments/cus_A", "/stripe/customers"])
@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=abc",
        "limit=",
        "limit=1.5",
        "limit=1e2",
        "limit=%D9%A1",
        "limit=1&limit=1",
        "limit[]=1",
        "created[gte]=abc",
        "created[gte]=",
        "created[gte]=-1",
        "created[gte]=1.5",
        "created[eq]=1",
        "created=1",
        "created[gte]=1&created[gte]=2",
        "starting_after=",
        "starting_after=..%2f",
        "starting_after=pi_1%26customer%3Dcus_B",
        "starting_after=pi_1&ending_before=pi_2&limit=1",
        "ending_before=pi_1",
    ],
)
async def test_unusable_parameters(app: RunningApp, target: str, query: str) -> None:
    """V4: an invalid parameter is 400 before any upstream is asked."""
    answer = await app.call(CLERK, f"{target}?{query}")

    assert (answer.status, answer.code) == (400, "INVALID_QUERY")
    assert app.directus.requests == []
    assert app.stripe.asked == []


async def test_pages_one_by_one(app: RunningApp) -> None:
    """A page is Stripe's list object; its cursor leads through the whole list, forward and back."""
    ids = app.stripe.add_payments(7)

    first = await app.call(CLERK, "/stripe/payments?limit=3")
    second = await app.call(CLERK, f"/stripe/payments?limit=3&starting_after={listed(first)[-1]}")
    third = await app.call(CLERK, f"/stripe/payments?limit=3&starting_after={listed(second)[-1]}")
    back = await app.call(CLERK, f"/stripe/payments?limit=3&ending_before={listed(second)[0]}")

    assert [listed(first), listed(second), listed(third)] == [ids[:3], ids[3:6], ids[6:]]
    assert [page.json()["has_more"] for page in (first, second, third)] == [True, True, False]
    assert listed(back) == listed(first)


async def test_stretch_of_time(app: RunningApp) -> None:
    """`created` bounds a page and a whole list, as at Stripe."""
    app.stripe.add_payments(5)
    moments = [payment["created"] for payment in app.stripe.payments]
    query = f"created[gte]={moments[3]}&created[lt]={moments[1]}"
    expected = [payment["id"] for payment in app.stripe.payments[2:4]]

    page = await app.call(CLERK, f"/stripe/payments?limit=10&{query}")
    whole = await app.call(CLERK, f"/stripe/payments?{query}")

    assert listed(page) == expected
    assert [payment["id"] for payment in whole.json()] == expected


async def test_page_has_no_client_secret(app: RunningApp) -> None:
    """R6: a single page contains no client secret either, however it is passed on."""
    app.stripe.add_payments(2)

    page = await app.call(CLERK, "/stripe/payments?limit=2")

    assert all("client_secret" not in payment for payment in page.json()["data"])


async def test_page_of_own_rows(app: RunningApp) -> None:
    """R2, R3: a caller limited to its own rows pages through those; a foreign cursor is 400, like an unknown one."""
    app.stripe.add_customer(id="cus_OWN")
    own = app.stripe.add_payments(3, customer="cus_OWN")
    [foreign] = app.stripe.add_payments(1, customer="cus_FOREIGN")
    app.directus.add_row(owner=MEMBER.name, stripe_customer_id="cus_OWN")

    page = await app.call(MEMBER, "/stripe/payments?limit=2")
    cursors = [await app.call(MEMBER, f"/stripe/payments?starting_after={cursor}") for cursor in (foreign, "pi_none")]

    assert (listed(page), page.json()["has_more"]) == (own[:2], True)
    assert [(answer.status, answer.body.replace(foreign.encode(), b"")) for answer in cursors] == [
        (400, cursors[1].body)
    ] * 2


@pytest.mark.parametrize("number", [0, 1, 250])
async def test_lines(app: RunningApp, number: int) -> None:
    """As lines a list has one object a line, and a last line that marks the end."""
    expected = app.stripe.add_payments(number)

    answer = await app.call(CLERK, headers=[LINES])

    *entries, end = [json.loads(line) for line in answer.body.splitlines()]
    assert [entry["id"] for entry in entries] == expected
    assert end == {"complete": True, "count": number}
    assert answer.whole


async def test_lines_that_break_off(app: RunningApp) -> None:
    """U4: lines that break off end in a line that says why, and where to continue."""
    ids = app.stripe.add_payments(250)
    rejected = faults.answer(400, '{"error": {"type": "invalid_request_error", "code": "resource_missing"}}')
    app.stripe.fail(rejected, when=later_page)

    answer = await app.call(CLERK, headers=[LINES])

    *entries, end = [json.loads(line) for line in answer.body.splitlines()]
    assert [entry["id"] for entry in entries] == ids[:100]
    assert (end["complete"], end["starting_after"]) == (False, ids[99])
    assert end["errors"][0]["extensions"]["code"] == "STRIPE_REJECTED"


async def test_too_much_at_once(open_app: OpenApp) -> None:
    """L2: beyond the limit of concurrent work a request is 503 with Retry-After at once, and served a moment later."""
    app = await open_app(MAX_CONCURRENT_REQUESTS="2")
    stall = faults.Stall()
    app.stripe.fail(stall)
    waiting = [app.start(CLERK, f"/stripe/payments?limit={number}") for number in (1, 2)]
    await eventually(lambda: stall.arrived == 2)

    refused, health = await app.call(CLERK), await app.call(target="/healthz")
    stall.release()
    served = [(await answer).status for answer in waiting]
    after = await app.call(CLERK)

    assert (refused.status, refused.code, refused.header("Retry-After")) == (503, "SERVICE_UNAVAILABLE", "1")
    assert (health.status, served, after.status) == (200, [200, 200], 200)
    assert refused.seconds < 1
