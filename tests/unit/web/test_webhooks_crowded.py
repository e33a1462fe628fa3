"""Stripe's events while strangers send slowly and callers take every place: they get through."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.doubles.directus import Row, User, full, grants
from tests.doubles.events import PATH, SECRET, event, headers
from tests.doubles.faults import Stall
from tests.doubles.pause import Pause
from tests.doubles.running_app import CLERK, SERVICE_TOKEN, OpenApp, RunningApp
from tests.doubles.stripe import Object
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer, parse, request_bytes

UPDATED = "customer.updated"
MEBIBYTE = 1024 * 1024
SERVICE = User(
    "service",
    SERVICE_TOKEN,
    grants(read=full("id", "stripe_customer_id", "name"), update=full("stripe_customer_id", "name")),
)
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def hearing(open_app: OpenApp) -> RunningApp:
    app = await open_app(STRIPE_WEBHOOK_SECRET=SECRET, DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN)
    app.directus.add_users([SERVICE])
    app.tokens.add(SECRET)
    return app


def stale(app: RunningApp) -> tuple[Object, Row]:
    """Make a customer at Stripe and an item that has its old name."""
    customer = app.stripe.add_customer(name="Ada", email=None, phone=None)
    return customer, app.directus.add_row(name="Eva", stripe_customer_id=customer["id"])


async def post(app: RunningApp, body: bytes) -> Answer:
    return await app.call(None, PATH, method="POST", headers=headers(body), body=body)


@asynccontextmanager
async def strangers(app: RunningApp, number: int, sent: bytes, length: int) -> AsyncIterator[Sequence[Connection]]:
    """Open connections that send the first bytes of a body and then nothing; each is read before the next one opens."""
    head = request_bytes("POST", PATH, [("Content-Length", str(length))], None)
    async with AsyncExitStack() as exits:
        connections = []
        for _ in range(number):
            reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
            exits.callback(writer.transport.abort)
            connections.append((reader, writer))
            writer.write(head + sent)
            await writer.drain()
        yield connections


async def answer_of(connection: Connection) -> Answer:
    """Read until the server's answer is whole; it then waits for the rest of the body."""
    reader, _ = connection
    raw = await reader.readuntil(b"\r\n\r\n")
    length = int(parse(raw).header("Content-Length") or 0)
    return parse(raw + await reader.readexactly(length))


async def test_slow_bodies_keep_no_event_out(hearing: RunningApp) -> None:
    """F1: 500 strangers with slow bodies: an event is handled, and of the strangers the first ones made room."""
    customer, item = stale(hearing)
    async with strangers(hearing, 500, b"{", 100) as connections:
        await hearing.handled(500)

        answer = await post(hearing, event(UPDATED, customer))
        made_room = [await answer_of(connection) for connection in connections[:244]]

        assert (answer.status, item["name"]) == (200, "Ada")
        assert {(each.status, each.code, each.header("Retry-After")) for each in made_room} == {
            (503, "SERVICE_UNAVAILABLE", "1")
        }
        assert not any(reader._buffer for reader, _ in connections[300:])  # type: ignore[attr-defined]  # what has arrived


async def test_bytes_of_strangers_are_bounded(hearing: RunningApp) -> None:
    """F5: 40 strangers with a mebibyte less a byte each: at most 16 of them are held, and an event is handled."""
    customer, item = stale(hearing)
    async with strangers(hearing, 40, b"x" * (MEBIBYTE - 1), MEBIBYTE) as connections:
        made_room = [await answer_of(connection) for connection in connections[:24]]

        answer = await post(hearing, event(UPDATED, customer))

        assert (answer.status, item["name"]) == (200, "Ada")
        assert {each.status for each in made_room} == {503}


async def test_callers_keep_no_event_out(hearing: RunningApp) -> None:
    """F1: Callers who have taken all 500 places, 25 of them with 20 requests each: an event is handled."""
    customer, item = stale(hearing)
    callers = [User(f"caller-{number}", f"MARKED-caller-{number}/+token~", grants(read=full())) for number in range(25)]
    hearing.directus.add_users(callers)
    hearing.tokens |= {caller.token for caller in callers}
    stall = Stall()
    hearing.stripe.fail(stall, when=lambda request: "limit=" in request.target)
    targets = [f"/stripe/payments?limit=1&created[gte]={number}" for number in range(500)]
    waiting = [hearing.start(callers[number % 25], target) for number, target in enumerate(targets)]
    await hearing.handled(500)
    await eventually(lambda: stall.arrived == 40)
    assert (await hearing.call(CLERK, "/stripe/payments")).status == 503

    answer = await post(hearing, event(UPDATED, customer))
    handled = item["name"]
    stall.release()

    assert (answer.status, handled) == (200, "Ada")
    assert {(await each).status for each in waiting} == {200}


async def test_events_of_one_customer_keep_no_other_out(hearing: RunningApp) -> None:
    """F1: 40 events of a customer whose item cannot be written now: another customer's event is handled."""
    busy, _ = stale(hearing)
    pause = Pause(after=False)
    hearing.directus.fail(pause, when=lambda request: request.method == "PATCH", times=1)
    sent = [asyncio.create_task(post(hearing, event(UPDATED, busy))) for _ in range(40)]
    await pause.reached.wait()
    await hearing.handled(40)
    customer, item = stale(hearing)

    answer = await post(hearing, event(UPDATED, customer))
    handled = item["name"]
    pause.release()

    assert (answer.status, handled) == (200, "Ada")
    assert {(await each).status for each in sent} == {200, 503}
