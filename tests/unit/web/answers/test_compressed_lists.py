"""Whole lists compressed for clients that take it: when, and what a client sees of a list that breaks off."""

import asyncio
import json
import zlib

import pytest

from tests.doubles import faults
from tests.doubles.directus import User, grants, partial
from tests.doubles.everybody import publish, reader
from tests.doubles.running_app import CLERK, SERVICE_TOKEN, OpenApp, RunningApp, bearer
from tests.doubles.server import Recorded
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer, request_bytes

GZIP = ("Accept-Encoding", "gzip, deflate, br")
LINES = ("Accept", "application/x-ndjson")
SAME_SITE = ("Sec-Fetch-Site", "same-origin")


def later_page(request: Recorded) -> bool:
    return "starting_after" in request.query


def cookie(value: str) -> tuple[str, str]:
    return "Cookie", f"directus_session_token={value}"


def read(answer: Answer) -> tuple[bytes, bool]:
    """Give what can be read, and whether the compressed stream has an end."""
    assert answer.header("Content-Encoding") == "gzip"
    stream = zlib.decompressobj(31)
    return stream.decompress(answer.body), stream.eof


async def test_an_array(app: RunningApp) -> None:
    """A long list comes as gzip, some times smaller, and has every object once."""
    ids = app.stripe.add_payments(250)

    answer = await app.call(CLERK, headers=[GZIP])
    plain = await app.call(CLERK)

    body, whole = read(answer)
    assert (answer.whole, whole, json.loads(body)) == (True, True, plain.json())
    assert [payment["id"] for payment in json.loads(body)] == ids
    assert len(answer.body) * 3 < len(plain.body)
    assert (answer.header("Vary"), plain.header("Vary")) == ("Accept-Encoding", "Accept-Encoding")
    assert plain.header("Content-Encoding") is None


async def test_lines(app: RunningApp) -> None:
    """Lines come as gzip too, with the last line that says so."""
    app.stripe.add_payments(150)

    body, whole = read(await app.call(CLERK, headers=[GZIP, LINES]))

    assert whole
    assert json.loads(body.splitlines()[-1]) == {"complete": True, "count": 150}


@pytest.mark.parametrize("value", ["identity", "gzip;q=0", "br"])
async def test_clients_that_do_not_take_it(app: RunningApp, value: str) -> None:
    """Without gzip among what a client takes, a list comes as it is."""
    app.stripe.add_payments(150)

    answer = await app.call(CLERK, headers=[("Accept-Encoding", value)])

    assert answer.header("Content-Encoding") is None
    assert len(answer.json()) == 150


@pytest.mark.parametrize("number", [0, 100])
@pytest.mark.parametrize("headers", [[GZIP], [GZIP, LINES]], ids=["array", "lines"])
async def test_a_short_list(app: RunningApp, number: int, headers: list[tuple[str, str]]) -> None:
    """A list of one page is one answer with its length, as it is, whatever the client takes."""
    app.stripe.add_payments(number)

    answer = await app.call(CLERK, headers=headers)

    assert (answer.header("Content-Length"), answer.header("Content-Encoding")) == (str(len(answer.body)), None)
    assert answer.header("Vary") == "Accept-Encoding"
    assert answer.body.count(b'"payment_intent"') == number


@pytest.mark.parametrize(
    ("headers", "coded"),
    [
        ([cookie(CLERK.token)], None),
        ([cookie(CLERK.token), ("Sec-Fetch-Site", "cross-site")], None),
        ([cookie(CLERK.token), ("Sec-Fetch-Site", "same-site")], None),
        ([cookie(CLERK.token), SAME_SITE], "gzip"),
        ([bearer(CLERK.token), ("Sec-Fetch-Site", "cross-site")], "gzip"),
    ],
)
async def test_lists_that_another_site_could_ask_for(
    app: RunningApp, headers: list[tuple[str, str]], coded: str | None
) -> None:
    """With a cookie alone, only a page of this very site has a list compressed, so no other one learns by it."""
    app.stripe.add_payments(150)

    answer = await app.call(headers=[GZIP, *headers])

    assert (answer.status, answer.header("Content-Encoding")) == (200, coded)


async def test_what_an_answer_depends_on(open_app: OpenApp) -> None:
    """X3: With listed origins one header says that the answer depends on the coding and on the origin."""
    app = await open_app(ALLOWED_ORIGINS="https://app.example.com")
    app.stripe.add_payments(1)

    answer = await app.call(CLERK)

    assert answer.header("Vary") == "Accept-Encoding, Origin"


async def test_lists_with_secrets(open_app: OpenApp) -> None:
    """A list that shows client secrets is never compressed."""
    app = await open_app(STRIPE_EXPOSE_CLIENT_SECRET="true")
    app.shows_client_secrets = True
    app.stripe.add_payments(150)

    answer = await app.call(CLERK, headers=[GZIP])

    assert answer.header("Content-Encoding") is None
    assert b"client_secret" in answer.body


async def test_lists_with_secrets_in_some_rows(open_app: OpenApp) -> None:
    """So it is with a list that shows them of the customers alone in whose rows a rule shows every field."""
    app = await open_app(STRIPE_EXPOSE_CLIENT_SECRET="true", DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN)
    app.shows_client_secrets = True
    everywhere = ("id", "stripe_customer_id", "name", "email")
    user = User("user-mixed", "MARKED-mixed", grants(read=partial()), everywhere=everywhere)
    app.directus.add_users([reader(), user])
    publish(app.directus, "customers", "read", *everywhere)["user"] = user.name
    app.tokens.add(user.token)
    app.directus.add_row(owner=user.name, stripe_customer_id="cus_OWN")
    app.stripe.add_payments(150)
    app.stripe.add_payment(customer="cus_OWN")

    answer = await app.call(user, headers=[GZIP])

    assert (answer.status, answer.header("Content-Encoding")) == (200, None)
    assert answer.body.count(b'"client_secret"') == 1


async def test_an_array_that_breaks_off(app: RunningApp) -> None:
    """U4: It has neither HTTP's nor the stream's nor the array's end."""
    app.stripe.add_payments(250)
    app.stripe.fail(faults.answer(500, '{"error": {"type": "api_error"}}'), when=later_page)

    answer = await app.call(CLERK, headers=[GZIP])

    body, whole = read(answer)
    assert (answer.whole, whole) == (False, False)
    assert body.startswith(b"[{")
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(body)


async def test_lines_that_break_off(app: RunningApp) -> None:
    """U4: Their last line says why, and the stream has an end."""
    app.stripe.add_payments(250)
    app.stripe.fail(faults.answer(500, '{"error": {"type": "api_error"}}'), when=later_page)

    body, whole = read(await app.call(CLERK, headers=[GZIP, LINES]))

    assert whole
    assert json.loads(body.splitlines()[-1])["complete"] is False


async def test_the_first_page_comes_at_once(app: RunningApp) -> None:
    """All of a page can be read while Stripe has not given the next one."""
    app.stripe.add_payments(250)
    stall = faults.Stall()
    app.stripe.fail(stall, when=later_page)
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
    writer.write(request_bytes("GET", "/stripe/payments", [bearer(CLERK.token), GZIP, LINES], None))
    await reader.readuntil(b"\r\n\r\n")
    stream, lines = zlib.decompressobj(31), b""

    while lines.count(b"\n") < 100:
        size = int(await reader.readuntil(b"\r\n"), 16)
        lines += stream.decompress((await reader.readexactly(size + 2))[:-2])

    assert lines.endswith(b"\n")
    await eventually(lambda: stall.arrived > 0)
    stall.release()
    writer.transport.abort()


async def test_the_error_before_a_short_list(app: RunningApp) -> None:
    """U4: What fails before a short list was sent is an answer with its status."""
    app.stripe.fail(faults.answer(200, '{"data": []}'), when=lambda request: "limit=100" in request.target)

    answer = await app.call(CLERK, headers=[GZIP])

    assert (answer.status, answer.code, answer.header("Content-Encoding")) == (502, "STRIPE_UNAVAILABLE", None)
