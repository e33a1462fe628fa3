"""Lists and other requests: the cost of a slow or absent reader, and the effect of a greedy list on others."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from sidecar.core.operations.list_query import RenderedPage
from sidecar.errors import StripeUnavailable
from sidecar.web.answers.streams import stream_array, stream_lines
from sidecar.web.server.sending import send
from tests.doubles import faults
from tests.doubles.directus import User, full, grants
from tests.doubles.faults import Stall
from tests.doubles.running_app import CLERK, CREATOR, NOBODY, READER, OpenApp, RunningApp, bearer
from tests.doubles.server import Recorded
from tests.doubles.waiting import eventually
from tests.doubles.wire import exchange, request_bytes

pytestmark = pytest.mark.slow

LINES = ("Accept", "application/x-ndjson")
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_list(request: Recorded) -> bool:
    return request.method == "GET" and "limit=100" in request.target


def later_page(request: Recorded) -> bool:
    return "starting_after" in request.query


@pytest.mark.parametrize("target", ["/stripe/payments", "/stripe/customers"])
async def test_greedy_lists_and_a_checkout(open_app: OpenApp, target: str) -> None:
    """U5: while any number of lists wait for a hanging Stripe, a customer is created and one is read at once."""
    app = await open_app()
    customer = str(app.stripe.add_customer()["id"])
    stall = Stall()
    app.stripe.fail(stall, when=is_list)
    bounds = [f"{target}?created[gte]={moment}" for moment in range(60)]
    reading = [asyncio.ensure_future(app.call(CLERK, bound)) for bound in bounds]
    await eventually(lambda: stall.arrived >= 2)

    created = await app.create(CREATOR)
    read = await app.call(READER, f"/stripe/customers/{customer}")
    stall.release()
    answers = await asyncio.gather(*reading)

    assert (created.status, read.status) == (201, 200)
    assert {answer.status for answer in answers} == {200}


async def test_lists_leave_connections(open_app: OpenApp) -> None:
    """U5: lists at a hanging Stripe do not use up the connections of others, even with turns to spare."""
    app = await open_app(STRIPE_MAX_RPS="1000")
    stall = Stall()
    app.stripe.fail(stall, when=is_list)
    bounds = [f"/stripe/payments?created[gte]={moment}" for moment in range(80)]
    reading = [asyncio.ensure_future(app.call(CLERK, bound)) for bound in bounds]
    await eventually(lambda: stall.arrived >= 15)

    created = await app.create(CREATOR)
    stall.release()
    await asyncio.gather(*reading)

    assert created.status == 201


async def test_requests_that_need_only_directus(open_app: OpenApp) -> None:
    """U5: a hanging Stripe does not delay refusals or health."""
    app = await open_app()
    stall = Stall()
    app.stripe.fail(stall)
    reading = [asyncio.ensure_future(app.call(CLERK, f"/stripe/payments?limit={n}")) for n in range(1, 60)]
    await eventually(lambda: stall.arrived >= 2)

    refused = await app.call(NOBODY)
    unknown = await app.call()
    health = await app.call(target="/healthz")
    stall.release()
    await asyncio.gather(*reading)

    assert (refused.status, unknown.status, health.status) == (401, 401, 200)


async def test_remembered_callers_and_a_slow_directus(open_app: OpenApp) -> None:
    """U5: a hanging Directus does not delay callers with cached permissions."""
    app = await open_app()
    app.stripe.add_payments(3)
    await app.call(CLERK)
    stall = Stall(then=faults.answer(503))
    app.directus.fail(stall)
    waiting = [asyncio.ensure_future(app.call(NOBODY)) for _ in range(30)]
    await eventually(lambda: len(app.directus.requests) >= 2)

    answers = [await app.call(CLERK) for _ in range(10)]
    stall.release()
    refusals = await asyncio.gather(*waiting)

    assert {len(answer.json()) for answer in answers} == {3}
    assert {answer.status for answer in refusals} == {503}


@pytest.mark.parametrize("concurrency", ["1", "6"])
async def test_whole_list_of_a_busy_account(open_app: OpenApp, concurrency: str) -> None:
    """A list of many pages is whole and in Stripe's order, however it was fetched, in both forms."""
    app = await open_app(STRIPE_LIST_CONCURRENCY=concurrency, STRIPE_MAX_RPS="1000")
    ids = app.stripe.add_payments(1_234)

    array = await app.call(CLERK)
    lines = await app.call(CLERK, headers=[LINES])

    assert [payment["id"] for payment in array.json()] == ids
    *objects, end = [json.loads(line) for line in lines.body.splitlines()]
    assert [payment["id"] for payment in objects] == ids
    assert end == {"complete": True, "count": 1_234}


async def test_cursor_that_may_not_be_seen(open_app: OpenApp) -> None:
    """R6: lines that break off name no cursor to a caller that may not read the ID field."""
    app = await open_app()
    anonymous = User("reader-2", "MARKED-reader-2/+token~", grants(read=full("name")))
    app.directus.add_users([anonymous])
    app.tokens.add(anonymous.token)
    for _ in range(150):
        app.stripe.add_customer()
    app.stripe.fail(faults.answer(500), when=later_page)

    hidden = await app.call(anonymous, "/stripe/customers", headers=[LINES])
    shown = await app.call(CLERK, "/stripe/customers", headers=[LINES])

    *objects, end = [json.loads(line) for line in hidden.body.splitlines()]
    assert (end["complete"], end["count"]) == (False, 100)
    assert "starting_after" not in end
    assert b"cus_" not in hidden.body
    last = json.loads(shown.body.splitlines()[-1])
    assert last["starting_after"] == app.stripe.customers[99]["id"]
    assert len(objects) == 100


SPELLINGS = {
    "plain": "client_secret",
    "escaped": "client\\u005fsecret",
    "all escaped": "".join(f"\\u{ord(letter):04x}" for letter in "client_secret"),
}


@pytest.mark.parametrize("query", ["?limit=1", ""])
@pytest.mark.parametrize("name", SPELLINGS.values(), ids=SPELLINGS)
async def test_secrets_in_any_spelling(app: RunningApp, query: str, name: str) -> None:
    """S3, R6: no page and no whole list contains a secret, nested or escaped in JSON."""
    secret = "pi_1_secret_MARKEDescaped"
    inner = f'{{"object": "setup_intent", "id": "seti_1", "{name}": "{secret}"}}'
    entry = f'{{"id": "pi_1", "object": "payment_intent", "created": 1, "deep": [[{inner}]], "{name}": "{secret}"}}'
    body = f'{{"object": "list", "has_more": false, "url": "/v1/payment_intents", "data": [{entry}]}}'
    app.stripe.fail(faults.answer(200, body), when=lambda request: "limit=" in request.target)

    answer = await app.call(CLERK, f"/stripe/payments{query}")

    assert answer.status == 200
    assert b"seti_1" in answer.body
    assert secret.encode() not in answer.raw


async def given(leaves: int, size: int) -> AsyncGenerator[RenderedPage]:
    for number in range(leaves):
        yield RenderedPage(b'"' + b"x" * size + b'"', (f"pi_{number}",), more=True, newest=1, oldest=1)


@asynccontextmanager
async def streaming(handler: object) -> AsyncIterator[tuple[int, list[str]]]:
    """Serve one response; give the port, and how each handler ended."""
    ends: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await handler(request)  # type: ignore[operator]  # any of the two forms
        except BaseException as error:
            ends.append(type(error).__name__)
            raise
        ends.append("whole")
        return response

    app = web.Application()
    app.add_routes([web.get("/", answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1], ends
    finally:
        await runner.cleanup()


def pages(leaves: int, size: int) -> Answering:
    return lambda request: stream_array(request, given(leaves, size), write_timeout=0.2)


async def one_answer(request: web.Request) -> web.StreamResponse:
    response = web.Response(body=b"x" * 8_000_000)
    await send(request, response, write_timeout=0.2)
    return response


@pytest.mark.parametrize(
    ("answering", "size"),
    [(pages(200, 100_000), 20_000_000), (pages(1, 8_000_000), 8_000_000), (one_answer, 8_000_000)],
    ids=["many pages", "one page", "no list"],
)
async def test_client_that_reads_nothing(answering: Answering, size: int) -> None:
    """L3: a client that stops reading for long is disconnected, and what it did not read is thrown away."""
    async with streaming(answering) as (port, ends):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(request_bytes("GET", "/", [], None))
        await reader.readexactly(10)

        await eventually(lambda: bool(ends))
        with suppress(ConnectionError):
            rest = await reader.read()
            assert not rest.endswith(b"0\r\n\r\n")
            assert len(rest) < size
        writer.close()

    assert ends == ["BrokenOff"]


async def broken(error: Exception) -> AsyncGenerator[RenderedPage]:
    yield RenderedPage(b'{"id":"pi_1"}\n', ("pi_1",), more=True, newest=1, oldest=1)
    raise error


async def test_lines_and_an_unexpected_error() -> None:
    """U4: an unexpected error ends lines in a broken connection, without a last line and without a second response."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return await stream_lines(request, broken(ZeroDivisionError()), show_cursor=True)

    async with streaming(handler) as (port, ends):
        answer = await exchange(port, request_bytes("GET", "/", [], None))

    assert ends == ["BrokenOff"]
    assert not answer.whole
    assert answer.body == b'{"id":"pi_1"}\n'


async def test_lines_and_a_failing_stripe() -> None:
    """U4: a failure of Stripe ends lines properly, with the error and the cursor."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return await stream_lines(request, broken(StripeUnavailable("down")), show_cursor=True)

    async with streaming(handler) as (port, _):
        answer = await exchange(port, request_bytes("GET", "/", [], None))

    assert answer.whole
    end = json.loads(answer.body.splitlines()[-1])
    assert (end["complete"], end["count"], end["starting_after"]) == (False, 1, "pi_1")
    assert end["errors"][0]["extensions"]["code"] == "STRIPE_UNAVAILABLE"


async def test_places_are_given_back(open_app: OpenApp) -> None:
    """L2: a place is free again when a list's client has left in the middle."""
    app = await open_app(MAX_CONCURRENT_REQUESTS="1", STRIPE_MAX_RPS="1000")
    app.stripe.add_payments(1_500, description="d" * 2_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port, limit=1024)
    writer.write(request_bytes("GET", "/stripe/payments", [bearer(CLERK.token)], None))
    await reader.readexactly(10)

    busy = await app.call(CLERK, "/stripe/payments?limit=1")
    writer.transport.abort()

    async def is_served() -> bool:
        return (await app.call(CLERK, "/stripe/payments?limit=1")).status == 200

    assert (busy.status, busy.header("Retry-After")) == (503, "1")
    await eventually(is_served)
