"""What answers and logs contain, and what they never contain."""

import json
from urllib.parse import quote

import pytest

from tests.doubles import faults
from tests.doubles.faults import Fault
from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, NOBODY, OpenApp, RunningApp, bearer
from tests.doubles.stripe import CLIENT_SECRET
from tests.doubles.wire import request_bytes

PROSE = "MARKED words of an upstream about eve@example.com at /srv/directus/api.js:7"


def directus_error(code: str) -> str:
    return json.dumps({"errors": [{"message": PROSE, "extensions": {"code": code, "reason": PROSE, "stack": PROSE}}]})


def stripe_error(**facts: object) -> str:
    return json.dumps({"error": {"message": PROSE, "doc_url": "https://stripe.invalid", "charge": "ch_1", **facts}})


DIRECTUS_WORDS = {
    "refusal": faults.answer(401, directus_error("TOKEN_EXPIRED")),
    "odd-code": faults.answer(403, directus_error(PROSE)),
    "long-code": faults.answer(403, directus_error("MARKED" * 40)),
    "500": faults.answer(500, directus_error("INTERNAL_SERVER_ERROR")),
    "404": faults.answer(404, directus_error("ROUTE_NOT_FOUND")),
    "text": faults.answer(502, PROSE, "text/html"),
}


@pytest.mark.parametrize("fault", DIRECTUS_WORDS.values(), ids=DIRECTUS_WORDS)
async def test_words_of_directus_stay_here(app: RunningApp, fault: Fault) -> None:
    """S3: of Directus's error only the code is passed on, and only if it looks like a code."""
    app.directus.fail(fault)

    answer = await app.call(CLERK)

    assert answer.status in {401, 503}
    assert "MARKED" not in answer.raw.decode() + "".join(app.log)


STRIPE_WORDS = {
    "400": faults.answer(400, stripe_error(type="invalid_request_error", code="email_invalid", param="email")),
    "402": faults.answer(402, stripe_error(type="card_error", code="card_declined", decline_code="fraudulent")),
    "odd-code": faults.answer(400, stripe_error(type=PROSE, code=PROSE, param=PROSE, decline_code=PROSE)),
    "odd-types": faults.answer(400, stripe_error(type=1, code=[PROSE], param={"a": PROSE})),
    "no-object": faults.answer(400, json.dumps({"error": PROSE})),
    "text": faults.answer(400, PROSE, "text/plain"),
    "request-id": faults.answer(400, stripe_error(type="card_error"), Request_Id="MARKED id of a request"),
}


@pytest.mark.parametrize("fault", STRIPE_WORDS.values(), ids=STRIPE_WORDS)
async def test_words_of_stripe_stay_here(app: RunningApp, fault: Fault) -> None:
    """S3: of Stripe's error the codes, parameter and request ID are passed on, and only if they look like that.

    Its message is one entry of the operator's log, and nowhere else.
    """
    app.stripe.fail(fault)

    answer = await app.create()

    lines = [{**json.loads(line), "stripe_message": None} for line in app.log]
    assert answer.status in {400, 402, 502}
    assert "MARKED" not in answer.raw.decode() + json.dumps(lines)
    assert "eve@example.com" not in "".join(app.log)
    assert "stripe.invalid" not in answer.raw.decode()


async def test_client_secret_is_taken_out(app: RunningApp) -> None:
    """R6: no answer contains a payment's client secret, at any depth."""
    app.stripe.add_payment(latest={"nested": [{"client_secret": CLIENT_SECRET}]})

    [payment] = (await app.call(CLERK)).json()

    assert "client_secret" not in payment
    assert payment["latest"] == {"nested": [{}]}


async def test_client_secret_by_choice_of_the_operator(open_app: OpenApp) -> None:
    """R6: with STRIPE_EXPOSE_CLIENT_SECRET the answer contains it, and the log still does not."""
    app = await open_app(STRIPE_EXPOSE_CLIENT_SECRET="true")
    app.shows_client_secrets = True
    app.stripe.add_payments(1)

    [payment] = (await app.call(CLERK)).json()

    assert payment["client_secret"].endswith(CLIENT_SECRET)


async def test_access_log_has_no_query(app: RunningApp) -> None:
    """S2: the access log contains the path and nothing after it."""
    token = quote(CLERK.token, safe="")
    await app.call(target=f"/stripe/payments?access_token={token}")
    await app.call(target=f"/stripe/payments?access_token={token}&x=MARKEDparameter")
    await app.call(target=f"/nowhere?access_token={token}")

    lines = log_records(app.log, "request")
    assert [line["path"] for line in lines] == ["/stripe/payments", "/stripe/payments", "/nowhere"]
    assert "MARKEDparameter" not in "".join(app.log)


@pytest.mark.parametrize("mark", ["%3F", "%3f", "%253F", "%25253F", "&", ";", "/", "/x/y/%00"])
@pytest.mark.parametrize(
    "name",
    ["access_token", "ACCESS_TOKEN", "%61ccess%5Ftoken", "access%25255ftoken", "access%2%35%35ftoken", "my_token"],
)
async def test_a_token_in_the_path_is_not_logged(app: RunningApp, mark: str, name: str) -> None:
    """S2: a client that writes the query into the path is told that there is no such route, and its token stays out."""
    answer = await app.call(target=f"/stripe/payments{mark}{name}={quote(CLERK.token, safe='')}")

    assert (answer.status, answer.code) in {(404, "ROUTE_NOT_FOUND"), (401, "NO_CREDENTIALS")}
    assert [line["path"] for line in log_records(app.log, "request")] == ["(a path with a token)"]


async def test_a_long_path_is_cut_in_the_log(app: RunningApp) -> None:
    """L1: of a long path only the beginning is searched and logged."""
    await app.call(target=f"/stripe/{'%25' * 5000}")

    assert [len(str(line["path"])) for line in log_records(app.log, "request")] == [500]


@pytest.mark.parametrize("spelled", ["pi_1_secret_MARKEDid", "pi_1%5Fsecret%5fMARKEDid"])
async def test_a_secret_in_the_place_of_its_id(app: RunningApp, spelled: str) -> None:
    """O4, S1: a client secret that a client put into a path is not logged."""
    answer = await app.call(CLERK, f"/stripe/payment_intents/{spelled}")

    assert answer.status == 404
    assert "MARKEDid" not in answer.raw.decode() + "".join(app.log)


UNPARSABLE = {
    "long-line": b"GET /stripe/payments?access_token=MARKED" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "long-header": b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer MARKED" + b"a" * 20_000 + b"\r\n\r\n",
    "bad-header": b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer MARKED\r\n\r\n",
    "control": b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer MARKED\x00\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n Bearer MARKED\r\nAuthorization: MARKED\x01\r\n\r\n",
    "bad-version": b"GET /?access_token=MARKED HTTP/MARKED\r\nHost: a\r\n\r\n",
    "bad-method": b"MARKED{} / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no-request": b"Bearer MARKED\r\n\r\n",
    "tls": b"\x16\x03\x01\x00MARKED\r\n\r\n",
    "two-lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\nX: MARKED\r\n\r\nMARKED",
    "length-and-chunks": (
        b"POST /stripe/customers HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\nX: MARKED\r\n\r\n0\r\n\r\nMARKED"
    ),
    "negative-length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\nX: MARKED\r\n\r\nMARKED",
    "odd-chunks": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nX: MARKED\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("sent", UNPARSABLE.values(), ids=UNPARSABLE)
async def test_parser_errors_echo_nothing(app: RunningApp, sent: bytes) -> None:
    """S2: an unparsable request is one 400, or 431; neither the answer nor the log repeats any of it."""
    answer = await app.send(sent)

    assert (answer.status, answer.status_lines) == (431 if len(sent) > 20_000 else 400, 1)
    assert "MARKED" not in answer.raw.decode("latin-1") + "".join(app.log)
    assert app.directus.requests == []


async def test_parser_errors_are_not_stored(app: RunningApp) -> None:
    """X4: the answer to an unparsable request has `no-store` and `nosniff`, as all others do."""
    answer = await app.send(b"nonsense\r\n\r\n")

    assert (answer.header("Cache-Control"), answer.header("X-Content-Type-Options")) == ("no-store", "nosniff")


@pytest.mark.parametrize("target", ["/stripe/payments", "/stripe/nowhere", "/healthz", "/readyz"])
@pytest.mark.parametrize("token", [CLERK.token, NOBODY.token])
async def test_every_answer_is_not_stored(app: RunningApp, target: str, token: str) -> None:
    """X4: every answer says `no-store`, `nosniff` and its content type."""
    answer = await app.call(target=target, headers=[bearer(token)])

    assert (answer.header("Cache-Control"), answer.header("X-Content-Type-Options")) == ("no-store", "nosniff")
    assert (answer.header("Content-Type") or "").startswith("application/json")


async def test_errors_have_the_shape_of_directus(app: RunningApp) -> None:
    """An error is what `@directus/sdk` reads: a list `errors` with `message` and `extensions.code`."""
    answer = await app.call()

    [error] = answer.json()["errors"]
    assert set(error) == {"message", "extensions"}
    assert error["extensions"]["code"] == "NO_CREDENTIALS"


@pytest.mark.parametrize("given", ["req-4711.a:b_c", "x" * 64])
async def test_request_id_of_a_proxy(app: RunningApp, given: str) -> None:
    """A well-formed request ID is kept: it is in the answer, the log line and both upstreams' requests."""
    answer = await app.call(CLERK, headers=[("X-Request-Id", given)])

    [line] = log_records(app.log, "request")
    assert [answer.header("X-Request-Id"), line["request_id"]] == [given, given]
    requests = app.directus.requests + app.stripe.asked
    assert {tuple(request.values("X-Request-Id")) for request in requests} == {(given,)}


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "MARKED with spaces", 'MARKED"quotes"', "MARKEDé1234567"])
async def test_odd_request_id(app: RunningApp, given: str) -> None:
    """A malformed request ID is replaced, and repeated nowhere."""
    answer = await app.call(CLERK, headers=[("X-Request-Id", given)])

    own = answer.header("X-Request-Id")
    assert own
    assert own != given
    assert "MARKED w" not in answer.raw.decode("latin-1") + "".join(app.log)


@pytest.mark.parametrize("target", ["/metrics", "/metrics?access_token="])
async def test_metrics_contain_no_names(app: RunningApp, target: str) -> None:
    """S1: metrics need no credential and no upstream, and contain no customer, token or path as it was sent."""
    await app.call(CLERK, "/stripe/payments/cus_MARKED")
    await app.call(CLERK, "/stripe/MARKED")
    asked = len(app.directus.requests)

    answer = await app.call(target=target)

    assert answer.status == 200
    assert "sidecar_requests" in answer.body.decode()
    assert "MARKED" not in answer.body.decode()
    assert len(app.directus.requests) == asked


async def test_two_requests_in_one_connection(app: RunningApp) -> None:
    """A pipelined request gets its own verdict, not that of the request before it."""
    first = request_bytes("GET", "/stripe/payments", [bearer(CLERK.token)], None).replace(b"Connection: close\r\n", b"")
    second = request_bytes("GET", "/stripe/payments", [bearer(NOBODY.token)], None)

    answer = await app.send(first + second)

    assert answer.status_lines == 2
    assert b"HTTP/1.1 401 " in answer.raw
    assert len(app.stripe.asked) == 1
