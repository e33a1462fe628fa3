"""A list that breaks off, as the client sees it: never an array that looks whole."""

import asyncio
import json

import pytest

from tests.doubles import faults
from tests.doubles.faults import Fault, Stall
from tests.doubles.running_app import CLERK, OpenApp, RunningApp, bearer
from tests.doubles.server import Recorded
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer, request_bytes

pytestmark = pytest.mark.slow


def later_page(request: Recorded) -> bool:
    return "starting_after" in request.query


def page(*ids: str, more: bool, **extra: object) -> str:
    data = [{"id": one, "object": "payment_intent", "created": 1, **extra} for one in ids]
    return json.dumps({"object": "list", "url": "/v1/payment_intents", "has_more": more, "data": data})


def is_broken(answer: Answer) -> bool:
    """The status was sent with the first page, so the body must be unfinished for both HTTP and JSON."""
    try:
        json.loads(answer.body)
    except ValueError:
        return not answer.whole and answer.status_lines == 1
    return False


LATER: dict[str, Fault] = {
    "500": faults.answer(500, '{"error": {"type": "api_error"}}'),
    "400": faults.answer(400, '{"error": {"type": "invalid_request_error", "code": "resource_missing"}}'),
    "401": faults.answer(401, '{"error": {"type": "invalid_request_error"}}'),
    "404": faults.answer(404, '{"error": {"type": "invalid_request_error"}}'),
    "429": faults.answer(429, '{"error": {"code": "rate_limit"}}', Retry_After="9"),
    "redirect": faults.redirect("/v1/customers"),
    "half-json": faults.half_json,
    "html": faults.answer(200, "<html>", "text/html"),
    "other-object": faults.answer(200, '{"id": "pi_1"}'),
    "no-has-more": faults.answer(200, '{"data": []}'),
    "has-more-as-text": faults.answer(200, '{"data": [], "has_more": "false"}'),
    "data-as-object": faults.answer(200, '{"data": {}, "has_more": false}'),
    "data-of-texts": faults.answer(200, '{"data": ["pi_1"], "has_more": false}'),
    "more-but-empty": faults.answer(200, page(more=True)),
    "more-without-id": faults.answer(200, '{"data": [{"object": "payment_intent"}], "has_more": true}'),
    "more-with-odd-id": faults.answer(200, '{"data": [{"id": 7}], "has_more": true}'),
    "gzip-bomb": faults.gzip_bomb,
    "reset-before-headers": faults.reset_before_headers,
    "reset-mid-body": faults.reset_mid_body,
    "short-body": faults.short_body,
    "open-chunks": faults.open_chunks,
    "bad-chunk": faults.bad_chunk,
    "not-http": faults.not_http,
    "hang-after-headers": faults.hang_after_headers,
    "drip": faults.drip,
}


@pytest.mark.parametrize("fault", LATER.values(), ids=LATER)
async def test_second_page_fails(open_app: OpenApp, fault: Fault) -> None:
    """U4: a page that fails after a sent one ends in a broken connection, never in a well-formed array."""
    app = await open_app(STRIPE_TIMEOUT="0.6")
    app.stripe.add_payments(250)
    app.stripe.fail(fault, when=later_page)

    answer = await app.call(CLERK)

    assert answer.status == 200
    assert is_broken(answer)


@pytest.mark.parametrize("fault", ["400", "more-but-empty", "reset-mid-body"])
@pytest.mark.parametrize("healthy", [1, 2, 3])
async def test_page_k_fails(open_app: OpenApp, fault: str, healthy: int) -> None:
    """U4: the same is true for the last page and for pages in between, if several pages follow."""
    app = await open_app(STRIPE_TIMEOUT="0.6", STRIPE_LIST_CONCURRENCY="1")
    app.stripe.add_payments(450)
    app.stripe.fail(faults.after(healthy, LATER[fault]), when=later_page)

    answer = await app.call(CLERK)

    assert answer.status == 200
    assert is_broken(answer)


async def test_first_page_fails(app: RunningApp) -> None:
    """U4: a list that fails before anything was sent is an error with a status and a body."""
    app.stripe.fail(faults.answer(200, '{"data": []}'), when=lambda request: "limit=100" in request.target)

    answer = await app.call(CLERK)

    assert (answer.status, answer.code) == (502, "STRIPE_UNAVAILABLE")


async def test_page_that_repeats_itself(app: RunningApp) -> None:
    """U4: a page that Stripe gives again and again ends the list in an error, not in a short or endless list."""
    app.stripe.add_payments(1)
    app.stripe.fail(faults.answer(200, page("pi_2", "pi_1", more=True)), when=later_page)
    app.stripe.add_payments(150)

    answer = await app.call(CLERK)

    assert is_broken(answer)
    assert len(app.stripe.asked) < 10


@pytest.mark.parametrize("concurrency", ["1", "6"])
async def test_entry_that_comes_twice(open_app: OpenApp, concurrency: str) -> None:
    """U4: an entry that Stripe gives on two pages is not twice in a list that looks whole."""
    app = await open_app(STRIPE_LIST_CONCURRENCY=concurrency)
    app.stripe.add_payments(101)
    again = {"object": "list", "has_more": False, "data": [app.stripe.payments[index] for index in (50, 100)]}
    app.stripe.fail(faults.answer(200, json.dumps(again)), when=later_page)

    answer = await app.call(CLERK)

    listed = [] if is_broken(answer) else [payment["id"] for payment in answer.json()]
    assert len(set(listed)) == len(listed)


async def test_unexpected_error_in_a_later_page(app: RunningApp) -> None:
    """U4: an unexpected error breaks the list off too, without a second status line in the stream."""
    app.crashes = True
    app.stripe.add_payments(150)
    app.stripe.fail(faults.too_deep, when=later_page)

    answer = await app.call(CLERK)

    assert answer.status_lines == 1
    assert is_broken(answer)


async def test_unexpected_error_in_the_first_page(app: RunningApp) -> None:
    """S3: an unexpected error is a 500 that says nothing about its cause, which is in the log."""
    app.crashes = True
    app.stripe.fail(faults.too_deep, when=lambda request: "limit=100" in request.target)

    answer = await app.call(CLERK)

    assert (answer.status, answer.code) == (500, "INTERNAL_SERVER_ERROR")
    assert "Recursion" not in answer.raw.decode()
    assert any("unexpected error" in line for line in app.log)


async def test_nothing_follows_a_broken_list(app: RunningApp) -> None:
    """U4: after a list that broke off the connection ends: a pipelined request behind it gets no answer."""
    app.stripe.add_payments(150)
    app.stripe.fail(LATER["400"], when=later_page)
    request = request_bytes("GET", "/stripe/payments", [bearer(CLERK.token)], None)

    answer = await app.send(request.replace(b"Connection: close\r\n", b"") + request)

    assert answer.status_lines == 1
    assert is_broken(answer)
    assert b"errors" not in answer.raw


async def test_broken_list_in_http_1_0(app: RunningApp) -> None:
    """U4: without chunks, if the end of the connection ends the body, the array is left open."""
    app.stripe.add_payments(150)
    app.stripe.fail(LATER["400"], when=later_page)
    sent = f"GET /stripe/payments HTTP/1.0\r\nHost: a\r\nAuthorization: Bearer {CLERK.token}\r\n\r\n"

    answer = await app.send(sent.encode())

    assert answer.status_lines == 1
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(answer.body)


async def test_broken_list_is_logged(app: RunningApp) -> None:
    """A list that broke off leaves a log line that says why."""
    app.stripe.add_payments(150)
    app.stripe.fail(LATER["400"], when=later_page)

    await app.call(CLERK)

    assert any("list broken off" in line and "STRIPE_REJECTED" in line for line in app.log)


@pytest.mark.parametrize("way", ["close", "reset"])
async def test_client_that_leaves(app: RunningApp, way: str) -> None:
    """L3: when the client leaves in the middle of a list, pagination at Stripe stops."""
    app.stripe.add_payments(3_000)
    stall = Stall()
    app.stripe.fail(stall, when=later_page)
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
    writer.write(request_bytes("GET", "/stripe/payments", [bearer(CLERK.token)], None))
    await reader.readuntil(b"\r\n\r\n")
    await eventually(lambda: stall.arrived == 1)

    writer.transport.abort() if way == "reset" else writer.close()
    await quiet(app)
    asked = len(app.stripe.asked)
    stall.release()
    await quiet(app)

    assert len(app.stripe.asked) <= asked + 8


async def test_client_that_stops_reading(open_app: OpenApp) -> None:
    """L3: when the client stops reading, pagination at Stripe stops too, until the client reads again."""
    app = await open_app(STRIPE_LIST_CONCURRENCY="1")
    expected = app.stripe.add_payments(6_000, description="d" * 2_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port, limit=4096)
    writer.write(request_bytes("GET", "/stripe/payments", [bearer(CLERK.token)], None))
    await eventually(lambda: len(app.stripe.asked) > 1)

    await quiet(app)
    pages_while_waiting = len(app.stripe.asked)
    rest = await reader.read()
    writer.close()

    assert pages_while_waiting < 40
    assert rest.count(b'"pi_') >= len(expected)
    assert len(app.stripe.asked) == 60


async def quiet(app: RunningApp) -> None:
    """Wait until Stripe has got no request for a fifth of a second."""
    loop = asyncio.get_running_loop()
    seen, since = len(app.stripe.asked), loop.time()

    def still() -> bool:
        nonlocal seen, since
        if len(app.stripe.asked) != seen:
            seen, since = len(app.stripe.asked), loop.time()
        return loop.time() - since > 0.2

    await eventually(still)
