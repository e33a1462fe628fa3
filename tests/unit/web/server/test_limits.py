"""Long and many headers, as Directus's Node takes them, and what is beyond; unknown expectations."""

import asyncio
import socket

import pytest

from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, RunningApp, bearer
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer, exchange, request_bytes

SIXTEEN = 16 * 1024
TOKEN = bearer(CLERK.token)
COOKIE = f"directus_session_token={CLERK.token}"

TAKEN = {
    "a header": [("Cookie", "z=" + "x" * (SIXTEEN - 200) + f"; {COOKIE}")],
    "four headers": [TOKEN, *[(f"X-{n}", "x" * SIXTEEN) for n in range(4)]],
    "cookies in several headers": [("Cookie", "z=" + "x" * 16_000)] * 3 + [("Cookie", COOKIE)],
    "many headers": [TOKEN, *[(f"X-{n}", "x") for n in range(990)]],
}
TOO_LARGE = {
    "a header": [TOKEN, ("X", "MARKED" + "x" * 2 * SIXTEEN)],
    "a header's name": [TOKEN, ("X" * 2 * SIXTEEN, "MARKED")],
    "all headers": [TOKEN, *[(f"X-{n}", "MARKED" + "x" * SIXTEEN) for n in range(6)]],
    "the number of headers": [TOKEN, *[(f"X-{n}", "MARKED") for n in range(1500)]],
    "a megabyte": [TOKEN, ("X", "MARKED" + "x" * 2**20)],
}


@pytest.mark.parametrize("headers", TAKEN.values(), ids=TAKEN)
async def test_long_and_many_headers(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    """Headers of 16 KiB each, and as many as Node takes, are read."""
    assert (await app.call(headers=headers)).status == 200


async def test_long_target(app: RunningApp) -> None:
    """A target of 16 KiB is read."""
    answer = await app.call(CLERK, f"/stripe/payments?{'x' * SIXTEEN}=1")

    assert (answer.status, answer.code) == (400, "INVALID_QUERY")


async def test_long_token(app: RunningApp) -> None:
    """A6: Directus is asked about a token that is as long as it takes them."""
    token = "t" * 16_000
    app.tokens.add(token)

    answer = await app.call(headers=[bearer(token)])

    assert (answer.status, answer.code) == (401, "INVALID_CREDENTIALS")


def is_refused(answer: Answer, status: int, code: str) -> bool:
    safe = (answer.header("Cache-Control"), answer.header("X-Content-Type-Options")) == ("no-store", "nosniff")
    json_ = (answer.header("Content-Type") or "").startswith("application/json")
    return (answer.status, answer.code, safe, json_, answer.whole) == (status, code, True, True, True)


@pytest.mark.parametrize("headers", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_too_large(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    """A5, L1: More than that is a 431 in the shape of all errors, and is neither repeated nor logged."""
    answer = await app.call(headers=headers)

    assert is_refused(answer, 431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
    assert "MARKED" not in answer.raw.decode() + "".join(app.log)


async def test_too_long_target(app: RunningApp) -> None:
    """S2: A longer target is a 431 too."""
    answer = await app.call(CLERK, "/stripe/payments?access_token=MARKED" + "x" * 2 * SIXTEEN)

    assert is_refused(answer, 431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
    assert "MARKED" not in answer.raw.decode() + "".join(app.log)


@pytest.mark.parametrize("target", ["/stripe/payments", "/nowhere", "/healthz"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_unknown_expectation(app: RunningApp, method: str, target: str) -> None:
    """Any `Expect` but 100-continue is a 417 in the shape of all errors, with an ID, logged and counted."""
    body = b"{}" if method == "POST" else None
    headers = [TOKEN, ("Expect", "MARKED")]

    answer = await app.call(target=target, method=method, headers=headers, body=body)

    assert is_refused(answer, 417, "EXPECTATION_FAILED")
    assert answer.header("X-Request-Id") is not None
    [line] = log_records(app.log, "request")
    assert (line["path"], line["status"], line["code"]) == (target, 417, "EXPECTATION_FAILED")
    assert "MARKED" not in answer.raw.decode() + "".join(app.log)
    metrics = (await app.call(target="/metrics")).body.decode()
    assert 'sidecar_requests_total{operation="none",status="417",verdict="none"} 1.0' in metrics
    assert app.directus.requests == []


async def test_continue(app: RunningApp) -> None:
    """100-continue is answered before the body, in any case."""
    headers = [TOKEN, ("Expect", "100-Continue"), ("Content-Type", "application/json")]
    sent = request_bytes("POST", "/stripe/customers", headers, b'{"email": "ada@example.com"}')

    answer = await exchange(app.port, sent)

    assert answer.raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ")


async def test_a_refused_client_that_is_gone(app: RunningApp) -> None:
    """S1: a client that leaves while the parser's refusal is sent causes no traceback in the log, in whichever turn."""
    for turns in range(20):
        with socket.create_connection(("127.0.0.1", app.port)) as client:
            client.sendall(b"no HTTP at all\r\n\r\n")
            for _ in range(turns):
                await asyncio.sleep(0)
    await eventually(lambda: len(log_records(app.log, "request refused by the parser")) >= 1)

    answer = await app.call(CLERK)

    assert answer.status == 200
    assert [line for line in app.log if "exception" in line] == []
