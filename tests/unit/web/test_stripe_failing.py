"""A Stripe that refuses, limits, fails or breaks off, and what callers and operators learn about it."""

import asyncio
import json

import pytest

from tests.doubles import faults
from tests.doubles.directus import DirectusDouble
from tests.doubles.faults import Fault, Huge, Stall
from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, KEY, NOBODY, OpenApp, RunningApp
from tests.doubles.server import Recorded, full_backlog
from tests.doubles.stripe import is_probe
from tests.doubles.waiting import eventually

pytestmark = pytest.mark.slow

SLACK = 1  # second on the loop's clock, which does not count stalls
MEBIBYTE = 1024 * 1024
IN_USE = "idempotency_key_in_use"


def by_callers(request: Recorded) -> bool:
    return not is_probe(request)


def stripe_error(status: int, request_id: str = "req_test", **facts: str) -> Fault:
    """Fail with an error body as in docs.stripe.com/api/errors."""
    return faults.answer(status, json.dumps({"error": {"message": "no", **facts}}), Request_Id=request_id)


@pytest.mark.parametrize("status", [401, 403])
async def test_our_key_is_refused(app: RunningApp, status: int) -> None:
    """U2: a key that Stripe refuses is not the caller's fault: 503, and a log line for the operator."""
    app.stripe.fail(stripe_error(status, type="invalid_request_error"), when=by_callers)

    answer = await app.call(CLERK)

    assert (answer.status, answer.code, answer.extensions["service"]) == (503, "SERVICE_UNAVAILABLE", "stripe")
    [line] = log_records(app.log, "Stripe does not accept our key for this call")
    assert line["level"] == "error"
    assert "req_test" in str(line["detail"])


@pytest.mark.parametrize("status", [400, 402, 404])
@pytest.mark.parametrize("route", ["list", "create"])
async def test_fault_of_the_callers_input(app: RunningApp, status: int, route: str) -> None:
    """U2: Stripe's 4xx keep their status, Stripe's code and parameter, and the request ID for questions to Stripe."""
    fault = stripe_error(status, type="invalid_request_error", code="resource_missing", param="customer")
    app.stripe.fail(fault, when=by_callers)

    answer = await (app.call(CLERK) if route == "list" else app.create())

    facts = {
        "type": "invalid_request_error",
        "code": "resource_missing",
        "param": "customer",
        "request_id": "req_test",
    }
    assert (status, "STRIPE_REJECTED", facts) == (answer.status, answer.code, answer.extensions["stripe"])
    assert len(app.stripe.asked) == 1


async def test_limit_that_ends_within_the_budget(app: RunningApp) -> None:
    """U2: a 429 is waited out, and the caller notices only the delay."""
    app.stripe.fail(stripe_error(429, code="rate_limit"), when=by_callers, times=1)

    answer = await app.call(CLERK)

    assert (answer.status, len(app.stripe.asked)) == (200, 2)


async def test_limit_that_outlasts_the_budget(open_app: OpenApp) -> None:
    """U2: a lasting 429 is a 429 with Retry-After, within the budget."""
    app = await open_app(STRIPE_TIMEOUT="1.5")
    app.stripe.fail(stripe_error(429, code="rate_limit"), when=by_callers)

    answer = await app.call(CLERK)

    assert (answer.status, answer.code) == (429, "REQUESTS_EXCEEDED")
    assert answer.header("Retry-After") == "1"
    assert answer.seconds < 1.5 + SLACK
    assert len(app.stripe.asked) > 1


async def test_retry_after_beyond_the_budget(open_app: OpenApp) -> None:
    """U2: if Stripe asks for more time than is left, the caller is told so at once, and how long to wait."""
    app = await open_app(STRIPE_TIMEOUT="1.5")
    limited = faults.answer(429, '{"error": {"code": "rate_limit"}}', Retry_After="9")
    app.stripe.fail(limited, when=by_callers)

    answer = await app.call(CLERK)

    assert (answer.status, answer.header("Retry-After")) == (429, "9")
    assert answer.seconds < SLACK


PASSING: dict[str, Fault] = {
    "reset-before-headers": faults.reset_before_headers,
    "reset-after-work": faults.reset_after_work,
    "reset-mid-body": faults.reset_mid_body,
    "reset-after-body": faults.reset_after_body,
    "short-body": faults.short_body,
    "open-chunks": faults.open_chunks,
    "500": faults.answer(500, '{"error": {"type": "api_error"}}'),
    "409": faults.answer(409, json.dumps({"error": {"type": "invalid_request_error", "code": "lock_timeout"}})),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_get_is_repeated(app: RunningApp, fault: Fault) -> None:
    """U3: a GET that broke off, at any point, is repeated, and the caller gets the whole list."""
    expected = app.stripe.add_payments(3)
    app.stripe.fail(fault, when=by_callers, times=1)

    answer = await app.call(CLERK)

    assert expected == [payment["id"] for payment in answer.json()]
    assert len(app.stripe.asked) <= 2


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_post_is_repeated_with_the_same_key(app: RunningApp, fault: Fault) -> None:
    """U3: a creation that broke off is repeated with the same idempotency key: one customer in the end."""
    app.stripe.fail(fault, when=by_callers, times=1)

    answer = await app.create()

    assert answer.status == 201
    assert [answer.json()["id"]] == [customer["id"] for customer in app.stripe.customers]
    keys = [request.values("Idempotency-Key") for request in app.stripe.asked]
    assert all(len(key) == 1 for key in keys)
    assert len({key for [key] in keys}) == 1


LASTING: dict[str, tuple[Fault, set[int]]] = {
    "500": (faults.answer(500, '{"error": {"type": "api_error"}}'), {502, 504}),
    "503-of-a-proxy": (faults.answer(503, "<html>", "text/html"), {502, 504}),
    "404-of-a-proxy": (faults.answer(404, "<html>", "text/html"), {502}),
    "redirect": (faults.redirect("http://127.0.0.1:9/v1/customers"), {502}),
    "204": (faults.answer(204), {502}),
    "half-json": (faults.half_json, {502}),
    "html": (faults.answer(200, "<html>", "text/html"), {502}),
    "array": (faults.answer(200, "[]"), {502}),
    "null": (faults.answer(200, "null"), {502}),
    "other-object": (faults.answer(200, '{"object": "list"}'), {502}),
    "deep-json": (faults.answer(200, "[" * 100_000), {502}),
    "gzip-bomb": (faults.gzip_bomb, {502, 504}),
    "reset-before-headers": (faults.reset_before_headers, {502, 504}),
    "reset-mid-body": (faults.reset_mid_body, {502, 504}),
    "bad-chunk": (faults.bad_chunk, {502, 504}),
    "not-http": (faults.not_http, {502, 504}),
    "hang-after-headers": (faults.hang_after_headers, {504}),
    "drip": (faults.drip, {504}),
}


@pytest.mark.parametrize("route", ["list", "create"])
@pytest.mark.parametrize(("fault", "statuses"), LASTING.values(), ids=LASTING)
async def test_stripe_is_down(open_app: OpenApp, fault: Fault, statuses: set[int], route: str) -> None:
    """U2, U3: a Stripe without a result is 502 or 504 within the budget, and never the caller's fault."""
    budget = 0.4 if 504 in statuses else 5  # short only if the test waits for its end
    app = await open_app(STRIPE_TIMEOUT=str(budget))
    app.stripe.fail(fault, when=by_callers)

    answer = await (app.call(CLERK) if route == "list" else app.create())

    assert answer.status in statuses
    assert answer.code in {"STRIPE_UNAVAILABLE", "STRIPE_TIMEOUT"}
    assert answer.seconds < 0.4 + SLACK


async def test_stripe_hangs(open_app: OpenApp) -> None:
    """U2: a silent Stripe is 504 when the budget is used up, for each of several requests at once."""
    app = await open_app(STRIPE_TIMEOUT="0.4")
    app.stripe.fail(faults.hang, when=by_callers)

    calls = [app.start(CLERK, f"/stripe/payments/cus_{number}") for number in range(5)]
    answers = await asyncio.gather(*calls, *(app.create() for _ in range(5)))

    assert {answer.code for answer in answers} == {"STRIPE_TIMEOUT"}
    assert max(answer.seconds for answer in answers) < 0.4 + SLACK


async def test_customer_without_id(app: RunningApp) -> None:
    """U2: an answer to a creation without a customer is 502."""
    app.stripe.fail(faults.answer(200, '{"object": "customer"}'), when=by_callers)

    assert (await app.create()).status == 502


async def test_refused_connection(open_app: OpenApp) -> None:
    """U2: a Stripe that is down is 502 or 504 within the budget."""
    app = await open_app(STRIPE_TIMEOUT="0.4")
    await app.stripe.refuse()

    answer = await app.call(CLERK)

    assert answer.status in {502, 504}
    assert answer.seconds < 0.4 + SLACK


async def test_connection_that_is_never_accepted(app: RunningApp, open_app: OpenApp) -> None:
    """U2: a Stripe that accepts no connection is 502 when the time to connect is over, even with a large budget."""
    async with full_backlog() as url:
        deaf = await open_app(STRIPE_API_BASE=url, STRIPE_CONNECT_TIMEOUT="0.2")

        answer = await deaf.call(CLERK)

    assert answer.status == 502
    assert app.stripe.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed(app: RunningApp, status: int) -> None:
    """U2: the key is sent to no other address, whatever a redirect says."""
    async with DirectusDouble.running() as elsewhere:
        app.stripe.fail(faults.redirect(f"{elsewhere.url}/v1/customers", status), when=by_callers)

        answers = [await app.call(CLERK), await app.create()]

        assert [answer.status for answer in answers] == [502, 502]
        assert elsewhere.requests == []


async def test_100_megabytes(open_app: OpenApp) -> None:
    """U2: most of an answer of 100 MB is never read."""
    app = await open_app(STRIPE_TIMEOUT="0.45")  # one attempt
    huge = Huge()
    app.stripe.fail(huge, when=by_callers)

    answer = await app.call(CLERK)

    assert answer.status in {502, 504}
    assert huge.sent < 40 * MEBIBYTE


async def test_key_is_named_by_its_own_version(app: RunningApp) -> None:
    """Every request has the key and the one version of the API that this release was made for."""
    await app.call(CLERK)
    await app.create()

    assert {("Bearer " + KEY,)} == {tuple(request.values("Authorization")) for request in app.stripe.requests}
    assert len({tuple(request.values("Stripe-Version")) for request in app.stripe.requests}) == 1


@pytest.mark.parametrize(
    "kind",
    [
        "invalid_request_error",
        "idempotency_error",
    ],
)
async def test_key_in_use_is_not_told_as_other_values(open_app: OpenApp, kind: str) -> None:
    """W2: a first try that is still under way is not the caller's mistake (its `type` is not documented)."""
    app = await open_app(STRIPE_TIMEOUT="3")
    app.stripe.fail(stripe_error(409, type=kind, code=IN_USE), when=by_callers)

    answer = await app.create()

    assert "other values" not in answer.message


async def test_slow_stripe_does_not_slow_refusals(app: RunningApp) -> None:
    """U5: while as many lists as possible wait for Stripe, verdicts are given as fast as ever."""
    stall = Stall()
    app.stripe.fail(stall, when=by_callers)
    customers = [app.stripe.add_customer()["id"] for _ in range(60)]

    waiting = asyncio.gather(*(app.call(CLERK, f"/stripe/payments/{customer}") for customer in customers))
    await eventually(lambda: stall.arrived >= 15)
    refused, health = await app.call(NOBODY), await app.call(target="/healthz")
    stall.release()

    assert (refused.status, health.status) == (401, 200)
    assert refused.seconds + health.seconds < SLACK
    assert {200} == {answer.status for answer in await waiting}
