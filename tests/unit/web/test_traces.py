"""What a collector hears of requests, and what it never hears."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.doubles import faults
from tests.doubles.collector import CollectorDouble
from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, MEMBER, NOBODY, OpenApp, RunningApp
from tests.doubles.server import full_backlog
from tests.doubles.waiting import eventually

PAGE = "/stripe/payments?limit=1"
NAME = "GET /stripe/payments"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


def traceparent(value: str) -> tuple[str, str]:
    return "traceparent", value


@pytest.fixture(autouse=True)
def _sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")  # milliseconds; the SDK reads it itself


@pytest.fixture
async def collector() -> AsyncIterator[CollectorDouble]:
    async with CollectorDouble.running() as double:
        yield double


@pytest.fixture
async def traced(open_app: OpenApp, collector: CollectorDouble) -> RunningApp:
    return await open_app(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_EXPORTER_OTLP_HEADERS="api-key=MARKED%2C1")


async def arrived(collector: CollectorDouble, name: str, number: int = 1) -> None:
    """Wait for spans of this name; those within them ended before."""
    await eventually(lambda: [span.name for span in collector.spans].count(name) == number)


async def test_spans_of_a_request(traced: RunningApp, collector: CollectorDouble) -> None:
    """A request's span has those of the gate, of Directus, of the wait for Stripe's rate and of Stripe within it."""
    await traced.call(CLERK, PAGE, headers=[traceparent(TRACEPARENT)])
    await arrived(collector, NAME)

    spans = {span.name: span for span in collector.spans}
    names = {span.span_id: span.name for span in collector.spans} | {PARENT: "the caller"}
    assert {name: (span.kind, names[span.parent_id]) for name, span in spans.items()} == {
        NAME: ("server", "the caller"),
        "gate": ("internal", NAME),
        "GET /permissions/me": ("client", "gate"),
        "wait for Stripe's rate": ("internal", NAME),
        "GET /v1/payment_intents": ("client", NAME),
    }
    assert {span.trace_id for span in collector.spans} == {TRACE}
    assert not any(span.failed for span in collector.spans)
    assert collector.resource["service.name"] == "directus-stripe-sidecar"
    assert collector.requests[0].values("api-key") == ["MARKED,1"]


async def test_attributes(traced: RunningApp, collector: CollectorDouble) -> None:
    """Attributes are those of the conventions for HTTP without path and query, and the log's words."""
    answer = await traced.call(CLERK, PAGE)
    await arrived(collector, NAME)

    assert collector.named(NAME).attributes == {
        "http.request.method": "GET",
        "http.route": "/stripe/payments",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "sidecar.operation": "payments.list",
        "sidecar.verdict": "granted",
        "sidecar.request_id": answer.header("X-Request-Id"),
    }
    assert collector.named("gate").attributes == {"sidecar.permissions": "asked"}
    assert collector.named("GET /permissions/me").attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": traced.directus.port,
    }
    assert collector.named("GET /v1/payment_intents").attributes == {
        "http.request.method": "GET",
        "http.request.resend_count": 0,
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": traced.stripe.port,
    }


async def test_directus_continues_the_trace_and_stripe_does_not(traced: RunningApp, collector: CollectorDouble) -> None:
    """`traceparent` names the span of the question to Directus; Stripe, and what else the caller sent, gets nowhere."""
    more = [traceparent(TRACEPARENT), ("tracestate", "vendor=MARKED"), ("baggage", "user=MARKED")]
    await traced.call(CLERK, PAGE, headers=more)
    await arrived(collector, NAME)

    asked = collector.named("GET /permissions/me")
    assert traced.directus.requests[-1].values("traceparent") == [f"00-{TRACE}-{asked.span_id}-01"]
    for sent in (traced.directus.requests[-1], traced.stripe.requests[-1]):
        assert sent.values("tracestate") == sent.values("baggage") == []
    assert traced.stripe.requests[-1].values("traceparent") == []


@pytest.mark.parametrize(
    "said",
    [
        ["nonsense"],
        [f"00-{'0' * 32}-{PARENT}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"ff-{TRACE}-{PARENT}-01"],
        [f"00-{TRACE}-{PARENT}-01-more"],
        [f"00-{TRACE.upper()}-{PARENT}-01"],
        [f"01-{TRACE}-{PARENT}-01-{'x' * 5000}"],
        [TRACEPARENT, TRACEPARENT],
    ],
)
async def test_improper_traceparent(traced: RunningApp, collector: CollectorDouble, said: list[str]) -> None:
    """What is no traceparent, or is there twice, begins a trace of its own."""
    answer = await traced.call(CLERK, PAGE, headers=[traceparent(value) for value in said])
    await arrived(collector, NAME)

    assert answer.status == 200
    assert collector.named(NAME).trace_id != TRACE
    assert collector.named(NAME).parent_id == ""


async def test_a_caller_that_does_not_sample(traced: RunningApp, collector: CollectorDouble) -> None:
    """Nothing is sent of a trace whose caller says so, and Directus hears the same."""
    await traced.call(CLERK, PAGE, headers=[traceparent(f"00-{TRACE}-{PARENT}-00")])
    await traced.call(CLERK, "/nowhere")
    await arrived(collector, "GET")

    assert [span.name for span in collector.spans] == ["GET"]
    [said] = traced.directus.requests[-1].values("traceparent")
    assert (said[:36], said[-3:]) == (f"00-{TRACE}-", "-00")


async def test_nothing_secret_is_sent(traced: RunningApp, collector: CollectorDouble) -> None:
    """S1: No token, key, query, address, name, or ID of a customer, user or item is in anything that is sent."""
    customer = traced.stripe.add_customer(email="ada@example.com")
    traced.directus.add_row(name="Ada", stripe_customer_id=customer["id"])
    json_type = [("Content-Type", "application/json")]
    body = json.dumps({"email": "grace@example.com", "name": "Grace"}).encode()
    await traced.call(MEMBER, f"/stripe/payments/{customer['id']}?limit=7")
    await traced.call(MEMBER, "/stripe/customers?limit=7")
    await traced.call(target=f"/stripe/payments?access_token={CLERK.token}", headers=json_type)
    await traced.call(CLERK, "/stripe/customers", method="POST", headers=json_type, body=body)
    await traced.call(CLERK, f"/stripe/{customer['id']}/elsewhere?email=ada@example.com")
    await traced.call(target="/healthz")
    await arrived(collector, "GET")

    told = "\n".join(f"{span.name} {span.attributes}" for span in collector.spans)
    raw = b"".join(collector.bodies).decode(errors="replace")
    assert "GET /stripe/payments/{customer_id}" in told
    assert [secret for secret in ("MARKED", "cus_", "user-", "example.com", "Grace", "limit=") if secret in raw] == []
    assert "?" not in told
    assert "healthz" not in told


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (None, {}),
        ("directus", {NAME: "503", "gate": "DirectusUnavailable", "GET /permissions/me": "500"}),
        ("stripe", {NAME: "502", "GET /v1/payment_intents": "400"}),
    ],
)
async def test_status(
    traced: RunningApp, collector: CollectorDouble, fault: str | None, failed: dict[str, str]
) -> None:
    """Spans that an outage ended have its class and no text; a refusal of a caller is no error."""
    if fault == "directus":
        traced.directus.fail(faults.answer(500, "MARKED"))
    if fault == "stripe":
        traced.stripe.fail(faults.answer(400, "<html>MARKED"))

    await traced.call(NOBODY if fault is None else CLERK, PAGE)
    await arrived(collector, NAME)

    assert {span.name: span.attributes["error.type"] for span in collector.spans if span.failed} == failed
    outcome = collector.named(NAME).attributes["sidecar.outcome"]
    assert outcome == ("refused" if fault is None else fault)


async def test_a_client_that_leaves(traced: RunningApp, collector: CollectorDouble) -> None:
    """A request whose client left is no error in its trace."""
    stall = faults.Stall()
    traced.directus.fail(stall)
    asking = asyncio.create_task(traced.call(CLERK, PAGE))
    await eventually(lambda: stall.arrived == 1)

    asking.cancel()
    await arrived(collector, NAME)

    assert [span.name for span in collector.spans if span.failed] == []
    assert collector.named(NAME).attributes["sidecar.canceled"] is True


async def test_log_lines_name_the_trace(traced: RunningApp, collector: CollectorDouble) -> None:
    """The line of a request has the ID by which its trace is found."""
    await traced.call(CLERK, PAGE)
    await arrived(collector, NAME)

    assert log_records(traced.log, "request")[-1]["trace_id"] == collector.named(NAME).trace_id


async def test_a_collector_that_swallows_everything(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that takes no connection, with a queue that is full, neither delays nor breaks any request."""
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")
    async with full_backlog() as nowhere:
        app = await open_app(OTEL_EXPORTER_OTLP_ENDPOINT=nowhere)

        async with asyncio.timeout(60):
            answers = [await app.call(CLERK, PAGE) for _ in range(30)]

    assert {answer.status for answer in answers} == {200}


async def test_without_a_collector(app: RunningApp) -> None:
    """Without the setting a caller's traceparent goes nowhere, and no line names a trace."""
    await app.call(CLERK, PAGE, headers=[traceparent(TRACEPARENT)])

    assert app.directus.requests[-1].values("traceparent") == []
    assert "trace_id" not in log_records(app.log, "request")[-1]


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
async def test_turned_off(open_app: OpenApp, collector: CollectorDouble, off: dict[str, str]) -> None:
    """OpenTelemetry's own variables turn tracing off although there is a collector."""
    app = await open_app(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **off)

    await app.call(CLERK, PAGE)

    assert "trace_id" not in log_records(app.log, "request")[-1]
    assert collector.requests == []
