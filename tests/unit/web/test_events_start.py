"""What events of Stripe start in Directus, over HTTP: Flows and items, in order, kept until Directus has answered."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import faults
from tests.doubles.directus import User, full, grants
from tests.doubles.events import PATH, SECRET, event, headers, thin
from tests.doubles.flows import Flow
from tests.doubles.invariants import log_records
from tests.doubles.pause import Pause
from tests.doubles.running_app import CLERK, SERVICE_TOKEN, OpenApp, RunningApp
from tests.doubles.server import Recorded
from tests.doubles.stripe import Object
from tests.doubles.wire import Answer

FLOW = "3c1f0b6a-6f0c-4f5e-9d0a-2b8f6c1d7e90"
PAID, SESSION, PRODUCT, PAYMENT = (
    "invoice.paid",
    "checkout.session.completed",
    "product.deleted",
    "payment_intent.succeeded",
)
RULES = f"""
    [events."{PAID}"]
    flow = "{FLOW}"
    fields = {{ total = "amount_paid", currency = "currency", order = "metadata.order" }}

    [events."{PAYMENT}"]
    flow = "{FLOW}"

    [events."{SESSION}"]
    collection = "orders"
    key = "session_id"
    fields = {{ status = "payment_status", total = "amount_total" }}

    [events."checkout.session.expired"]
    collection = "orders"
    key = "session_id"
    fields = {{ status = "status" }}
    flow = "{FLOW}"

    [events."{PRODUCT}"]
    collection = "goods"
    key = "product_id"
    fields = {{ name = "name", gone = "deleted" }}
"""
GRANTS = {
    **grants("orders", **dict.fromkeys(("read", "create", "update"), full("session_id", "status", "total"))),
    **grants("goods", **dict.fromkeys(("read", "create", "update"), full("product_id", "name", "gone"))),
}
FAULTS = {
    "503": faults.answer(503),
    "429": faults.answer(429, '{"errors":[{"extensions":{"code":"REQUESTS_EXCEEDED"}}]}'),
    "redirect": faults.redirect("/elsewhere"),
    "page": faults.answer(200, "<!doctype html><title>Sign in</title>", "text/html"),
    "empty": faults.answer(200),
    "hang": faults.hang,
    "half": faults.answer(200, '{"data": '),
    "reset": faults.reset_before_headers,
    "bomb": faults.gzip_bomb,
    "too long": faults.Huge(),
}
SHAPES = pytest.mark.parametrize("make", [event, thin])
Make = Callable[..., bytes]
Signed = list[tuple[str, str]]


@pytest.fixture
async def hearing(open_app: OpenApp, tmp_path: Path) -> RunningApp:
    rules = tmp_path / "events.toml"
    rules.write_text(RULES)
    app = await open_app(
        STRIPE_EVENTS=str(rules),
        STRIPE_WEBHOOK_SECRET=SECRET,
        DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN,
        DIRECTUS_TIMEOUT="0.5",
        STRIPE_TIMEOUT="0.5",
    )
    app.directus.add_users([User("service", SERVICE_TOKEN, GRANTS)])
    app.directus.rows |= {"orders": {}, "goods": {}}
    app.directus.unique |= {"session_id", "product_id"}
    app.tokens.add(SECRET)
    return app


@pytest.fixture
def flow(hearing: RunningApp) -> Flow:
    return hearing.directus.flows.add(FLOW)


async def post(app: RunningApp, body: bytes, signed: Signed | None = None) -> Answer:
    """Send a body as Stripe signs it now, or as it did before."""
    return await app.call(None, PATH, method="POST", headers=signed or headers(body), body=body)


def invoice(app: RunningApp, **attributes: object) -> Object:
    return app.stripe.add("invoice", amount_paid=1200, currency="eur", **attributes)


def session(app: RunningApp, **attributes: object) -> Object:
    return app.stripe.add("checkout.session", **{"payment_status": "paid", "amount_total": 1200, **attributes})


def orders(app: RunningApp) -> list[tuple[object, object, object]]:
    return [(row["session_id"], row.get("status"), row.get("total")) for row in app.directus.rows["orders"].values()]


def is_write(request: Recorded) -> bool:
    return request.method in {"POST", "PATCH"} and request.path.startswith("/items/")


@SHAPES
async def test_a_flow_is_told_the_object(hearing: RunningApp, flow: Flow, make: Make) -> None:
    """A Flow is told the event, and of the object as it is now its ID, its kind and what the operator names."""
    paid = invoice(hearing, metadata={"order": "7"})
    body = make(PAID, {**paid, "amount_paid": 1}, id="evt_7", created=1_700_000_000)

    answer = await post(hearing, body)

    assert (answer.status, answer.json()) == (200, {"received": True})
    assert flow.told == [
        {
            "event": {"id": "evt_7", "type": PAID, "created": 1_700_000_000},
            "object": {"id": paid["id"], "object": "invoice", "total": 1200, "currency": "eur", "order": "7"},
        }
    ]
    assert [name for name in flow.headers[0] if name.lower() in {"authorization", "cookie", "stripe-signature"}] == []


async def test_without_a_map_the_whole_object(hearing: RunningApp, flow: Flow) -> None:
    """Without `fields` a Flow is told every attribute but the secrets."""
    payment = hearing.stripe.add_payment(amount=500, client_secret="pi_1_secret_MARKEDclientSECRET")

    await post(hearing, event(PAYMENT, payment))

    [told] = flow.told
    assert told["object"]["amount"] == 500
    assert payment.keys() - told["object"].keys() == {"client_secret"}


@SHAPES
async def test_an_item_is_created_once_and_then_changed(hearing: RunningApp, make: Make) -> None:
    """The first event of an object creates its item, each later one, repeated or not, changes that one."""
    bought = session(hearing, payment_status="unpaid")
    await post(hearing, make(SESSION, bought))
    created = orders(hearing)
    bought["payment_status"] = "paid"
    later = make(SESSION, bought)

    answers = [await post(hearing, body) for body in (later, later, make(SESSION, bought))]

    assert [answer.status for answer in answers] == [200] * 3
    assert created == [(bought["id"], "unpaid", 1200)]
    assert orders(hearing) == [(bought["id"], "paid", 1200)]
    assert len([request for request in hearing.directus.requests if is_write(request)]) == 2
    lines = log_records(hearing.log, "item written")
    facts = [(line["object"], line["fields"], line["operation"]) for line in lines]
    assert facts == [
        (bought["id"], ["session_id", "status", "total"], SESSION),
        (bought["id"], ["status"], SESSION),
    ]


async def test_an_item_and_then_a_flow(hearing: RunningApp, flow: Flow) -> None:
    """Where one type has both, the item is there when the Flow starts, and the audit tells of both."""
    bought, there = session(hearing, status="expired"), []

    async def look() -> None:
        there.extend(orders(hearing))

    flow.meanwhile = look

    await post(hearing, event("checkout.session.expired", bought))

    assert there == [(bought["id"], "expired", None)]
    assert [len(log_records(hearing.log, what)) for what in ("item written", "flow started")] == [1, 1]


@pytest.mark.parametrize("name", ["Bread", None])
async def test_a_deleted_object(hearing: RunningApp, name: str | None) -> None:
    """Of what Stripe has deleted and forgotten, an item that is there is told so; none is made."""
    row = {} if name is None else hearing.directus.add_row("goods", product_id="prod_1", name=name, gone=False)

    answer = await post(hearing, event(PRODUCT, {"id": "prod_1", "object": "product"}))

    assert answer.status == 200
    assert [(row["name"], row["gone"]) for row in hearing.directus.rows["goods"].values()] == (
        [("Bread", True)] if row else []
    )


async def test_an_object_of_another_account(hearing: RunningApp, flow: Flow) -> None:
    """An object that cannot be deleted and that the key's account does not have starts nothing: the event fails."""
    answer = await post(hearing, event(PAYMENT, {"id": "pi_elsewhere", "object": "payment_intent"}))

    assert (answer.status, flow.told) == (503, [])
    [line] = log_records(hearing.log, "an event failed")
    assert (line["code"], line["object"]) == ("STRIPE_REJECTED", "pi_elsewhere")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_kept_until_directus_has_answered(hearing: RunningApp, flow: Flow, fault: faults.Fault) -> None:
    """While Directus does not answer, Stripe is asked to repeat; then it is delivered, and not again by a replay.

    Whoever knows a Flow's ID may start it, so the log never has it.
    """
    paid, bought = invoice(hearing), session(hearing)
    sent = [(body, headers(body)) for body in (event(PAID, paid), event(SESSION, bought))]
    hearing.directus.fail(fault)

    refused = [(await post(hearing, *each)).status for each in sent]
    hearing.directus.recover()
    accepted = [(await post(hearing, *each)).status for each in [*sent, *sent]]

    assert (refused, accepted) == ([503, 503], [200] * 4)
    assert [told["object"]["id"] for told in flow.told] == [paid["id"]]
    assert orders(hearing) == [(bought["id"], "paid", 1200)]
    assert FLOW not in "".join(hearing.log)


async def test_a_flow_that_returns_too_much(hearing: RunningApp, flow: Flow) -> None:
    """A Flow that returns more than is read in one answer counts as failed, and the log says why."""
    flow.returns = ["x" * 1000] * 9000

    answer = await post(hearing, event(PAID, invoice(hearing)))

    assert answer.status == 503
    [line] = log_records(hearing.log, "an event failed")
    assert line["detail"] == "POST /flows/trigger: the answer is longer than 8388608 bytes"


async def test_a_flow_that_fails(hearing: RunningApp, flow: Flow) -> None:
    """A Flow that answers an error is started again by Stripe's repetition; the log has its code and no value."""
    paid = invoice(hearing)
    flow.code = "BROKEN"
    body = event(PAID, paid, id="evt_7")

    failed = await post(hearing, body)
    flow.code = None
    done = await post(hearing, body)

    assert (failed.status, done.status, len(flow.told)) == (503, 200, 2)
    [line] = log_records(hearing.log, "an event failed")
    assert (line["event"], line["type"], line["object"]) == ("evt_7", PAID, paid["id"])
    assert "500 BROKEN" in str(line["detail"])
    assert FLOW not in "".join(hearing.log)


async def test_a_flow_that_is_not_there(hearing: RunningApp) -> None:
    """Without such a Flow the event fails, and the log says what to look at."""
    answer = await post(hearing, event(PAID, invoice(hearing)))

    assert answer.status == 503
    [line] = log_records(hearing.log, "an event failed")
    assert "no active Flow with this ID that a POST starts" in str(line["detail"])


async def test_an_item_that_directus_refuses(hearing: RunningApp) -> None:
    """An item that the service may not write fails the event; the log names collection and code."""
    hearing.directus.users[SERVICE_TOKEN].permissions = grants("orders", read=full())

    answer = await post(hearing, event(SESSION, session(hearing)))

    assert (answer.status, orders(hearing)) == (503, [])
    [line] = log_records(hearing.log, "an event failed")
    assert "orders: Directus does not let you create this item (FORBIDDEN)" in str(line["detail"])


async def test_in_order_for_each_object(hearing: RunningApp, flow: Flow) -> None:
    """One object's events start a Flow one after the other, each with its own ID, no older state after a newer one."""
    paid, other = invoice(hearing), invoice(hearing)
    pause = Pause(after=False)
    hearing.directus.fail(pause, when=lambda request: request.path.startswith("/flows/"), times=1)
    first = asyncio.create_task(post(hearing, event(PAID, paid, id="evt_1")))
    await pause.reached.wait()
    more = [asyncio.create_task(post(hearing, event(PAID, paid, id=f"evt_{number}"))) for number in (2, 3)]
    await hearing.handled(3)

    elsewhere = await post(hearing, event(PAID, other, id="evt_4"))
    paid["amount_paid"] = 2400
    pause.release()
    answers = [await task for task in (first, *more)]

    assert [elsewhere.status, *(answer.status for answer in answers)] == [200] * 4
    told = [(each["event"]["id"], each["object"]["total"]) for each in flow.told]
    assert told == [("evt_4", 1200), ("evt_1", 1200), ("evt_2", 2400), ("evt_3", 2400)]


async def test_slow_flows_leave_room_for_callers(hearing: RunningApp, flow: Flow) -> None:
    """F1: However many events start slow Flows, most places at Directus stay free for callers' questions."""
    gate = asyncio.Event()

    async def wait() -> None:
        await gate.wait()

    flow.meanwhile = wait
    paid = [invoice(hearing) for _ in range(30)]
    sent = [asyncio.create_task(post(hearing, event(PAID, each))) for each in paid]
    await hearing.handled(30)

    listed = await hearing.call(CLERK, "/stripe/payments")
    gate.set()
    statuses = {(await task).status for task in sent}

    assert (listed.status, statuses) == (200, {200})
    assert flow.most_at_once <= 5


async def test_both_shapes_are_two_events(hearing: RunningApp, flow: Flow) -> None:
    """Two destinations at one address send two events of one change, each of which starts the Flow."""
    paid = invoice(hearing)

    for make in (event, thin):
        await post(hearing, make(PAID, paid))

    assert len(flow.told) == 2


async def test_counted_by_type(hearing: RunningApp, flow: Flow) -> None:
    """Types that the operator names have a label of their own, from the start; the others share one."""
    await post(hearing, event(PAID, invoice(hearing)))
    await post(hearing, event("invoice.voided", invoice(hearing)))
    counted = (await hearing.call(None, "/metrics")).body.decode()

    assert f'sidecar_webhooks_total{{result="done",type="{PAID}"}} 1.0' in counted
    assert f'sidecar_webhooks_total{{result="done",type="{SESSION}"}} 0.0' in counted
    assert 'sidecar_webhooks_total{result="ignored",type="other"} 1.0' in counted
    assert len(flow.told) == 1


async def test_the_body_of_a_flows_answer(hearing: RunningApp, flow: Flow) -> None:
    """Whatever JSON a Flow returns, it was started."""
    for flow.returns in ({"errors": [{"extensions": {"code": "X"}}]}, "text", [1], {"data": None}, json.loads("1")):
        assert (await post(hearing, event(PAID, invoice(hearing)))).status == 200
