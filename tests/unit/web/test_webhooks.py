"""Stripe's events over HTTP: which are accepted, what is done before the answer, and what Stripe's retry does."""

import asyncio
import gzip
import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from tests.doubles import faults
from tests.doubles.directus import Row, User, full, grants
from tests.doubles.events import OTHER_SECRET, PATH, SECRET, event, headers, signature, thin
from tests.doubles.invariants import log_records
from tests.doubles.pause import Pause
from tests.doubles.running_app import CLERK, SERVICE_TOKEN, OpenApp, RunningApp
from tests.doubles.server import Recorded
from tests.doubles.stripe import Object
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer, request_bytes

UPDATED, DELETED = "customer.updated", "customer.deleted"
SHAPES = pytest.mark.parametrize("make", [event, thin])
Make = Callable[..., bytes]
ID = "stripe_customer_id"
SERVICE = User("service", SERVICE_TOKEN, grants(read=full("id", ID, "name", "email"), update=full(ID, "name", "email")))
SETTINGS = {
    "STRIPE_WEBHOOK_SECRET": f"{SECRET},{OTHER_SECRET}",
    "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN,
    "DIRECTUS_TIMEOUT": "0.5",
    "STRIPE_TIMEOUT": "0.5",
    "STRIPE_WRITE_BACK": "true",
}


@pytest.fixture
async def hearing(open_app: OpenApp) -> RunningApp:
    """The application with webhooks; both secrets are among those that no output may show."""
    app = await open_app(**SETTINGS)
    app.directus.add_users([SERVICE])
    app.tokens |= {SECRET, OTHER_SECRET}
    return app


async def post(app: RunningApp, body: bytes, given: Iterable[tuple[str, str]] | None = None) -> Answer:
    return await app.call(None, PATH, method="POST", headers=headers(body) if given is None else given, body=body)


def known(app: RunningApp, **values: object) -> tuple[Object, Row]:
    """Make a customer at Stripe and an item linked to it, with the same values or with these."""
    customer = app.stripe.add_customer(name="Ada", email="ada@example.com")
    return customer, app.directus.add_row(**{"name": "Ada", "email": "ada@example.com", ID: customer["id"], **values})


def asked(app: RunningApp) -> tuple[int, int]:
    return len(app.directus.requests), len(app.stripe.asked)


def writes(app: RunningApp) -> list[Recorded]:
    return [request for request in app.directus.requests if request.method == "PATCH"]


def step_of(request: Recorded) -> str:
    if request.method == "PATCH":
        return "change"
    return "items" if request.path.startswith("/items/") else "rights"


async def test_off_unless_there_is_a_secret(app: RunningApp) -> None:
    """Without STRIPE_WEBHOOK_SECRET there is no such route, and no metric for it."""
    answer = await post(app, event(UPDATED, "cus_1"))

    assert (answer.status, answer.code) == (404, "ROUTE_NOT_FOUND")
    assert b"sidecar_webhooks_total{" not in (await app.call(None, "/metrics")).body


@SHAPES
async def test_an_update_reaches_the_item(hearing: RunningApp, make: Make) -> None:
    """Before the answer the item has Stripe's present values, whatever the payload said."""
    customer, item = known(hearing, name="Eva", note="ours")
    stale = {**customer, "name": "Ida"}

    answer = await post(hearing, make(UPDATED, stale))

    assert (answer.status, answer.json()) == (200, {"received": True})
    assert (item["name"], item["email"], item["note"], item[ID]) == ("Ada", "ada@example.com", "ours", customer["id"])
    assert [json.loads(request.body)["data"] for request in writes(hearing)] == [{"name": "Ada"}]
    assert {value for request in hearing.directus.requests for value in request.values("Authorization")} == {
        f"Bearer {SERVICE_TOKEN}"
    }


@SHAPES
async def test_a_deletion_clears_the_id(hearing: RunningApp, make: Make) -> None:
    """Before the answer the item of a deleted customer has lost its ID."""
    customer, item = known(hearing)
    customer["deleted"] = True

    answer = await post(hearing, make(DELETED, customer))

    assert (answer.status, item[ID], item["name"]) == (200, None, "Ada")
    [line] = log_records(hearing.log, "item changed")
    facts = {name: line[name] for name in ("item", "fields", "object", "operation", "logger")}
    assert facts == {
        "item": item["id"],
        "fields": [ID],
        "object": customer["id"],
        "operation": DELETED,
        "logger": "sidecar.audit",
    }


async def test_a_deletion_that_did_not_happen(hearing: RunningApp) -> None:
    """A customer that Stripe still has stays in its item, whatever an event said."""
    customer, item = known(hearing)

    answer = await post(hearing, event(DELETED, customer))

    assert (answer.status, item[ID]) == (200, customer["id"])
    assert writes(hearing) == []


async def test_a_customer_of_another_account(hearing: RunningApp) -> None:
    """A customer that the key's account does not have is not deleted: no ID is cleared, and the operator is told."""
    item = hearing.directus.add_row(**{ID: "cus_elsewhere", "name": None, "email": None})

    answer = await post(hearing, event(DELETED, "cus_elsewhere"))

    assert (answer.status, item[ID]) == (503, "cus_elsewhere")
    [line] = log_records(hearing.log, "an event failed")
    assert (line["code"], line["customer"]) == ("STRIPE_REJECTED", "cus_elsewhere")


@pytest.mark.parametrize("kind", [UPDATED, DELETED])
async def test_again(hearing: RunningApp, kind: str) -> None:
    """A replayed event changes nothing and makes no request; another event of the same customer makes some."""
    customer, item = known(hearing, name="Eva")
    customer["deleted"] = kind == DELETED
    body = event(kind, customer)
    given = headers(body)

    answers = [await post(hearing, body, given)]
    after, before = dict(item), asked(hearing)
    answers += [await post(hearing, body, given) for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 4
    assert (dict(item), asked(hearing)) == (after, before)
    await post(hearing, event(kind, customer))
    assert asked(hearing) > before
    assert len(writes(hearing)) == 1


async def test_sent_again_by_hand(hearing: RunningApp) -> None:
    """An event that was handled and that somebody sends again from Stripe mends what was changed in Directus since."""
    customer, item = known(hearing, name="Eva")
    body, now = event(UPDATED, customer), int(time.time())

    first = await post(hearing, body, headers(body, at=now - 60))
    item["name"] = "Eva"
    again = await post(hearing, body, headers(body, at=now))

    assert (first.status, again.status, item["name"]) == (200, 200, "Ada")


async def test_one_refused_value(hearing: RunningApp) -> None:
    """A value that Directus refuses holds up neither the item's other fields nor the customer's other items."""
    customer, item = known(hearing, name="Eva", email="old@example.com")
    other = hearing.directus.add_row(name="Eva", email="old@example.com", **{ID: customer["id"]})
    refuse = faults.answer(400, '{"errors": [{"extensions": {"code": "VALUE_TOO_LONG", "field": "email"}}]}')
    hearing.directus.fail(refuse, when=lambda request: request.method == "PATCH" and b"email" in request.body)

    answer = await post(hearing, event(UPDATED, customer))

    assert answer.status == 503
    assert [(row["name"], row["email"]) for row in (item, other)] == [("Ada", "old@example.com")] * 2
    lines = log_records(hearing.log, "Directus refuses what Stripe says of a customer")
    assert [(line["item"], line["fields"], line["code"]) for line in lines] == [
        (row["id"], ["email"], "VALUE_TOO_LONG") for row in (item, other)
    ]
    assert [line["fields"] for line in log_records(hearing.log, "item changed")] == [["name"]] * 2


async def test_a_field_that_the_service_may_not_change(hearing: RunningApp) -> None:
    """A mapped field that the service token may read and not change is an error that says so; the rest is written."""
    customer, item = known(hearing, name="Eva", email="old@example.com")
    rights = grants(read=full("id", ID, "name", "email"), update=full(ID, "name"))
    hearing.directus.add_users([replace(SERVICE, permissions=rights)])

    answer = await post(hearing, event(UPDATED, customer))

    assert (answer.status, item["name"], item["email"]) == (503, "Ada", "old@example.com")
    [line] = [line for line in map(json.loads, hearing.log) if "run `provision`" in line["message"]]
    assert (line["level"], line["item"], line["fields"]) == ("error", item["id"], ["email"])


@pytest.mark.parametrize("most", [None, 10])
@pytest.mark.parametrize("kind", [UPDATED, DELETED])
async def test_more_than_a_hundred_items(hearing: RunningApp, kind: str, most: int | None) -> None:
    """All of a customer's 250 items are cleared or updated, whatever QUERY_LIMIT_MAX is."""
    customer = hearing.stripe.add_customer(name="Ada", email=None)
    hearing.directus.unique = set()
    rows = [hearing.directus.add_row(name="Eva", email=None, **{ID: customer["id"]}) for _ in range(250)]
    customer["deleted"], hearing.directus.limit_max = kind == DELETED, most

    answer = await post(hearing, event(kind, customer))

    assert answer.status == 200
    assert {(row[ID], row["name"]) for row in rows} == {(None, "Eva") if kind == DELETED else (customer["id"], "Ada")}


async def test_a_customer_without_item(hearing: RunningApp) -> None:
    """An event about a customer without an item is acknowledged, and nothing is written."""
    customer = hearing.stripe.add_customer(name="Ada")
    known(hearing)

    assert (await post(hearing, event(UPDATED, customer))).status == 200
    assert writes(hearing) == []


async def test_nothing_to_do(hearing: RunningApp) -> None:
    """An item that matches Stripe is not written, so no flow in Directus starts."""
    customer, _ = known(hearing)

    assert (await post(hearing, event(UPDATED, customer))).status == 200
    assert writes(hearing) == []


@pytest.mark.parametrize("order", list(permutations(range(4))))
@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
async def test_any_order(hearing: RunningApp, order: Sequence[int], *, at_once: bool) -> None:
    """Events in any order, some twice, one by one or at once, end with Stripe's values in the item."""
    customer, item = known(hearing, name="Eva", email="old@example.com")
    bodies = [event(UPDATED, {**customer, "name": "Ida"}), event(UPDATED, customer), event(DELETED, customer)]
    bodies.append(bodies[1])
    customer["deleted"] = True

    sent = [post(hearing, bodies[number]) for number in order]
    answers = await asyncio.gather(*sent) if at_once else [await one for one in sent]

    assert [answer.status for answer in answers] == [200] * 4
    assert (item[ID], item["name"]) == (None, "Eva")
    assert len(writes(hearing)) == 1


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
async def test_each_secret_counts(hearing: RunningApp, secret: str) -> None:
    """While a secret is replaced, events signed with either secret are handled."""
    customer, item = known(hearing, name="Eva")
    body = event(UPDATED, customer)

    assert (await post(hearing, body, headers(body, secret=secret))).status == 200
    assert item["name"] == "Ada"


Spoil = Callable[[bytes], tuple[bytes, list[tuple[str, str]]]]
NAME = "Stripe-Signature"
SPOILED: dict[str, Spoil] = {
    "unsigned": lambda body: (body, []),
    "another secret": lambda body: (body, headers(body, secret="whsec_nobodysSECRET0000000")),
    "old": lambda body: (body, headers(body, at=int(time.time()) - 400)),
    "garbled": lambda body: (body, [(NAME, "t=x,v1=y")]),
    "no ASCII": lambda body: (body, [(NAME, f"t={int(time.time())},v1=é")]),
    "empty": lambda body: (body, [(NAME, "")]),
    "twice": lambda body: (body, [(NAME, signature(body)), (NAME, signature(body))]),
    "another body": lambda body: (body.replace(b"cus_", b"cuS_"), headers(body)),
    "one byte more": lambda body: (body + b"\n", headers(body)),
    "no body": lambda body: (b"", headers(body)),
    "signed, no event": lambda _: (b"{}", headers(b"{}")),
    "signed, no JSON": lambda _: (b"x", headers(b"x")),
    "signed, no UTF-8": lambda _: (b"\xff", headers(b"\xff")),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
async def test_a_wrongly_signed_body(hearing: RunningApp, spoil: Spoil) -> None:
    """A wrongly signed body is a 400 without details, and neither Directus nor Stripe is asked."""
    customer, item = known(hearing)
    customer["deleted"] = True
    body, given = spoil(event(DELETED, customer))

    answer = await post(hearing, body, given)

    assert (answer.status, answer.code, set(answer.extensions)) == (400, "INVALID_PAYLOAD", {"code"})
    assert (asked(hearing), item[ID]) == ((0, 0), customer["id"])


async def test_no_credential_counts(hearing: RunningApp) -> None:
    """A Directus token is no signature, and next to a signature it is ignored, in any place and form."""
    customer, item = known(hearing, name="Eva")
    body = event(UPDATED, customer)
    odd = [("Authorization", "Basic x"), ("Cookie", "directus_session_token=a; directus_session_token=b")]
    odd += [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]

    refused = await post(hearing, body, [("Authorization", f"Bearer {CLERK.token}")])
    before = asked(hearing)
    taken = await post(hearing, body, [*headers(body), *odd])

    assert (refused.status, before, taken.status, item["name"]) == (400, (0, 0), 200, "Ada")


async def test_a_long_body(hearing: RunningApp) -> None:
    """A body of up to 1 MiB is read, more than callers may send; one byte more is 413."""
    customer, item = known(hearing, name="Eva")
    padding = 1024 * 1024 - len(event(UPDATED, customer, padding=""))
    fits, longer = (event(UPDATED, customer, padding="x" * (padding + more)) for more in (0, 1))

    refused = await post(hearing, longer)
    before = asked(hearing)
    taken = await post(hearing, fits)

    assert (len(fits), len(longer)) == (1024 * 1024, 1024 * 1024 + 1)
    assert (refused.status, refused.code, before) == (413, "CONTENT_TOO_LARGE", (0, 0))
    assert (taken.status, item["name"]) == (200, "Ada")


async def test_a_long_body_without_length(hearing: RunningApp) -> None:
    """The bound is the same for a body without a declared length."""
    chunks = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    given = [("Transfer-Encoding", "chunked"), (NAME, signature(b"x"))]

    answer = await hearing.send(request_bytes("POST", PATH, given, None) + chunks * 17 + b"0\r\n\r\n")

    assert (answer.status, asked(hearing)) == (413, (0, 0))


@pytest.mark.parametrize("packed", [False, True], ids=["garbage", "gzip"])
async def test_a_packed_body_is_not_unpacked(hearing: RunningApp, *, packed: bool) -> None:
    """V1: The signature covers the body as it was sent, so a compressed body must be signed compressed."""
    customer, _ = known(hearing, name="Eva")
    body = event(UPDATED, customer)
    sent = gzip.compress(body) if packed else b"garbage"

    answer = await post(hearing, sent, [("Content-Encoding", "gzip"), *headers(body)])

    assert (answer.status, answer.code, asked(hearing)) == (400, "INVALID_PAYLOAD", (0, 0))


DOWN: dict[str, faults.Fault] = {
    "503": faults.answer(503, '{"errors": []}'),
    "429": faults.answer(429, '{"errors": [{"extensions": {"code": "REQUESTS_EXCEEDED"}}]}', Retry_After="1"),
    "not let in": faults.answer(401, '{"errors": [{"extensions": {"code": "INVALID_CREDENTIALS"}}]}'),
    "refused": faults.answer(403, '{"errors": [{"extensions": {"code": "FORBIDDEN"}}]}'),
    "invalid": faults.answer(400, '{"errors": [{"extensions": {"code": "FAILED_VALIDATION"}}]}'),
    "no JSON": faults.answer(200, "<html>", "text/html"),
    "hanging": faults.hang,
    "reset": faults.reset_before_headers,
}


@pytest.mark.parametrize("kind", [UPDATED, DELETED])
@pytest.mark.parametrize("step", ["rights", "items", "change"])
@pytest.mark.parametrize("fault", DOWN.values(), ids=DOWN)
async def test_directus_fails(hearing: RunningApp, fault: faults.Fault, step: str, kind: str) -> None:
    """After any refusal by Directus Stripe is told to send the event again, and then it is handled."""
    customer, item = known(hearing, name="Eva")
    customer["deleted"] = kind == DELETED
    body, before = event(kind, customer), dict(item)
    hearing.directus.fail(fault, when=lambda request: step_of(request) == step)

    failed, left = await post(hearing, body), dict(item)
    hearing.directus.recover()
    done = await post(hearing, body)

    assert (failed.status, failed.code, left) == (503, "SERVICE_UNAVAILABLE", before)
    assert done.status == 200
    assert (item[ID], item["name"]) == ((None, "Eva") if kind == DELETED else (customer["id"], "Ada"))


async def test_directus_is_down(hearing: RunningApp) -> None:
    """The same is true if no answer comes at all."""
    customer, item = known(hearing, name="Eva")
    body = event(UPDATED, customer)
    await hearing.directus.refuse()

    failed = await post(hearing, body)
    await hearing.directus.listen()
    done = await post(hearing, body)

    assert (failed.status, done.status, item["name"]) == (503, 200, "Ada")


@pytest.mark.parametrize(
    "fault",
    [
        faults.answer(500, "{}"),
        faults.answer(401, '{"error": {"type": "invalid_request_error"}}'),
        faults.answer(403, '{"error": {"code": "permission_denied"}}'),
        faults.answer(429, '{"error": {"code": "rate_limit"}}'),
        faults.half_json,
        faults.hang,
    ],
    ids=["500", "key", "no right", "limit", "half", "hanging"],
)
@pytest.mark.parametrize("healthy", [0, 1], ids=["at first", "afterwards"])
async def test_stripe_fails(hearing: RunningApp, fault: faults.Fault, healthy: int) -> None:
    """If Stripe cannot be read, before or after the write, its event does not count as handled."""
    customer, item = known(hearing, name="Eva")
    body = event(UPDATED, customer)
    hearing.stripe.fail(faults.after(healthy, fault), when=lambda request: request.path.endswith(str(customer["id"])))

    failed, left = await post(hearing, body), item["name"]
    hearing.stripe.recover()
    done = await post(hearing, body)

    assert (failed.status, left) == (503, "Ada" if healthy else "Eva")
    assert (done.status, item["name"]) == (200, "Ada")


async def test_a_lost_answer_of_directus(hearing: RunningApp) -> None:
    """A write with a lost answer is a failure, and the next try finds it done."""
    customer, item = known(hearing)
    customer["deleted"] = True
    body = event(DELETED, customer)
    hearing.directus.fail(faults.reset_after_work, when=lambda request: request.method == "PATCH", times=1)

    failed, done = await post(hearing, body), await post(hearing, body)

    assert (failed.status, done.status, item[ID]) == (503, 200, None)
    assert len(writes(hearing)) == 1


async def test_a_fault_of_our_own(hearing: RunningApp) -> None:
    """An unexpected error is a 500, after which Stripe sends the event again."""
    hearing.crashes = True
    customer, _ = known(hearing, name="Eva")
    audit = logging.getLogger("sidecar.audit")

    def fault(_record: logging.LogRecord) -> bool:
        raise RuntimeError("a fault")

    audit.addFilter(fault)
    try:
        answer = await post(hearing, event(UPDATED, customer))
    finally:
        audit.removeFilter(fault)

    assert answer.status == 500


async def test_a_refusal_by_directus_is_named(hearing: RunningApp) -> None:
    """The log names the item and the refused fields, and not their values."""
    customer, item = known(hearing, name="Eva")
    hearing.directus.fail(DOWN["invalid"], when=lambda request: request.method == "PATCH")

    await post(hearing, event(UPDATED, customer))

    [line] = log_records(hearing.log, "Directus refuses what Stripe says of a customer")
    facts = {name: line[name] for name in ("item", "fields", "code", "level")}
    assert facts == {"item": item["id"], "fields": ["name"], "code": "FAILED_VALIDATION", "level": "error"}
    assert not [line for line in hearing.log if "Ada" in line]


async def test_answered_only_when_it_is_done(hearing: RunningApp) -> None:
    """No answer is sent before the item is written."""
    customer, item = known(hearing, name="Eva")
    pause = Pause(after=False)
    hearing.directus.fail(pause, when=lambda request: request.method == "PATCH")
    sent = asyncio.create_task(post(hearing, event(UPDATED, customer)))

    await pause.reached.wait()
    answered, so_far = sent.done(), item["name"]
    pause.release()

    assert (answered, so_far) == (False, "Eva")
    assert ((await sent).status, item["name"]) == (200, "Ada")


async def test_stripe_goes_away_while_it_waits(hearing: RunningApp) -> None:
    """Work that has begun finishes after the client has left, and counts as handled when the event is repeated."""
    customer, item = known(hearing, name="Eva")
    pause, body = Pause(after=False), event(UPDATED, customer)
    hearing.directus.fail(pause, when=lambda request: request.method == "PATCH")
    sent = asyncio.create_task(post(hearing, body))
    await pause.reached.wait()

    sent.cancel()
    await asyncio.gather(sent, return_exceptions=True)
    pause.release()
    await eventually(lambda: item["name"] == "Ada")
    again = await post(hearing, body)

    assert again.status == 200
    assert len(writes(hearing)) == 1


async def test_a_new_customer_after_a_deletion(hearing: RunningApp) -> None:
    """W4: An item whose customer was deleted gets a new one, though Stripe would repeat the first for a day."""
    item = hearing.directus.add_row(owner=CLERK.name, name=None, email=None)
    first = (await hearing.create(item=item["id"])).json()["id"]
    [customer] = hearing.stripe.customers
    customer["deleted"] = True
    await post(hearing, event(DELETED, customer))
    cleared = item[ID]

    answers = await asyncio.gather(*(hearing.create(item=item["id"]) for _ in range(3)))

    [second] = {answer.json()["id"] for answer in answers}
    assert (cleared, item[ID]) == (None, second)
    assert second != first
    assert sorted(answer.status for answer in answers) == [200, 200, 201]
    assert len(hearing.stripe.customers) == 2


async def test_a_list_begun_before_is_not_joined(hearing: RunningApp) -> None:
    """A caller that requests a list after an event gets one that was started after it."""
    customer, _ = known(hearing)
    pause = Pause(after=True)
    listed = [customer["id"]]
    hearing.stripe.fail(pause, when=lambda request: request.path == "/v1/customers", times=1)
    before = hearing.start(CLERK, "/stripe/customers")
    await pause.reached.wait()

    listed.insert(0, hearing.stripe.add_customer()["id"])
    await post(hearing, event("customer.created", hearing.stripe.customers[0]))
    after = await hearing.call(CLERK, "/stripe/customers")
    pause.release()

    assert [entry["id"] for entry in after.json()] == listed
    assert [entry["id"] for entry in (await before).json()] == listed[1:]


async def test_counted(hearing: RunningApp) -> None:
    """Each event is counted by type and outcome, and the request's log line names it."""
    customer, _ = known(hearing)
    body = event(UPDATED, customer, id="evt_7")
    given = headers(body)
    await post(hearing, body, given)
    await post(hearing, body, given)
    for sent in (event("invoice.paid", {"id": "in_1"}), event(DELETED, customer, livemode=True)):
        await post(hearing, sent)
    await post(hearing, body, [])

    metrics = (await hearing.call(None, "/metrics")).body.decode()

    for labels in (
        'type="customer.updated",result="done"',
        'type="customer.updated",result="duplicate"',
        'type="other",result="ignored"',
        'type="customer.deleted",result="ignored"',
        'type="other",result="refused"',
    ):
        assert f"sidecar_webhooks_total{{{','.join(sorted(labels.split(',')))}}} 1.0" in metrics
    lines = [line for line in log_records(hearing.log, "request") if line["path"] == PATH]
    assert [(line.get("event"), line["webhook"]) for line in lines[:2]] == [("evt_7", "done"), ("evt_7", "duplicate")]
    assert (lines[-1].get("event"), lines[-1]["webhook"]) == (None, "refused")
