"""Check U3 on the wire: a body that breaks off makes the attempt fail, so the attempt is repeated."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import stripe

from sidecar.clients.http import open_session
from sidecar.clients.stripe.client import StripeClient
from sidecar.core.interfaces import ChangeRequest
from sidecar.errors import StripeFailure, StripeTimeout, StripeUnavailable
from tests.unit.clients.loopback import Answer, head, loopback, raw, reset, silence, whole
from tests.unit.clients.stripe.governors import governor

CUSTOMER = whole(json.dumps({"id": "cus_1", "object": "customer"}).encode())
BEFORE_HEADERS: list[Answer] = [reset, raw(), raw(b"HTTP/1.1 200 O")]
IN_THE_BODY = [
    raw(head("Content-Length: 100"), b'{"id": "cus_1"'),
    raw(head("Transfer-Encoding: chunked"), b'f\r\n{"id": "cus_1"}\r\n'),
]
BROKEN_OFF = BEFORE_HEADERS + IN_THE_BODY


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the library's pause of half a second before a retry; tests in virtual time cover that pause."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.001)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(total=5, connect=1, connections=5) as opened:
        yield opened


def client(session: aiohttp.ClientSession, base: str, *, timeout: float = 5) -> StripeClient:
    version = "2026-10-28.endive"
    return StripeClient(session, base=base, key="rk_test_hush", version=version, timeout=timeout, governor=governor())


@pytest.mark.parametrize("fault", BROKEN_OFF)
async def test_a_read_that_breaks_off_is_repeated(session: aiohttp.ClientSession, fault: Answer) -> None:
    """U3: A reset before the headers, in them or in the body costs a retry and not the answer."""
    async with loopback(fault, CUSTOMER) as server:
        assert await client(session, server.url).retrieve("/v1/customers", "cus_1") == {
            "id": "cus_1",
            "object": "customer",
        }

    assert server.targets == ["/v1/customers/cus_1"] * 2


REPEATED = whole(json.dumps({"id": "cus_1", "object": "customer"}).encode(), "Idempotent-Replayed: true")
IN_USE = whole(b"{}", status="409 Conflict")


@pytest.mark.parametrize(
    ("answers", "first"),
    [
        ([CUSTOMER], True),
        ([REPEATED], False),
        ([reset, REPEATED], True),
        ([IN_THE_BODY[0], REPEATED], True),
        ([IN_USE, REPEATED], False),
        ([IN_USE, CUSTOMER], True),
    ],
)
async def test_a_repeated_answer_is_told_from_a_first(
    session: aiohttp.ClientSession, answers: list[Answer], *, first: bool
) -> None:
    """W2: A repeated answer is the call's own where an attempt of it had none, and not where all were answered."""
    async with loopback(*answers) as server:
        sent = await client(session, server.url).send(
            ChangeRequest("POST", "/v1/customers", {"email": "a@b.co"}, "the-key")
        )

    assert sent.first is first


GONE = whole(json.dumps({"error": {"type": "x", "code": "resource_missing"}}).encode(), status="404 Not Found")
SERVER_ERROR = whole(b'{"error": {"type": "api_error"}}', status="500 Internal Server Error")
DECLINED = whole(b'{"error": {"type": "card_error"}}', status="402 Payment Required")


@pytest.mark.parametrize(
    ("answers", "uncertain"),
    [
        ([GONE], False),
        ([DECLINED], False),
        ([IN_USE, GONE], False),
        ([reset, GONE], True),
        ([raw(), GONE], True),
        ([IN_THE_BODY[1], GONE], True),
        ([SERVER_ERROR, GONE], True),
        ([SERVER_ERROR], True),
        ([reset], True),
        ([whole(b"{}")], True),
        ([whole(b"<html>", status="404 Not Found")], True),
        ([silence], True),
    ],
)
async def test_a_change_that_may_have_happened(
    session: aiohttp.ClientSession, answers: list[Answer], *, uncertain: bool
) -> None:
    """A failure is uncertain if an attempt got no answer that says what was done. aiohttp repeats no DELETE itself."""
    async with loopback(*answers) as server:
        with pytest.raises(StripeFailure) as failed:
            await client(session, server.url, timeout=0.5).send(ChangeRequest("DELETE", "/v1/subscriptions/sub_1"))

    assert failed.value.uncertain is uncertain
    assert len(server.requests) <= 3


async def test_a_change_that_was_never_sent(session: aiohttp.ClientSession) -> None:
    """Without a connection nothing was sent, so nothing happened."""
    async with loopback(GONE) as server:
        pass

    with pytest.raises(StripeUnavailable) as failed:
        await client(session, server.url).send(ChangeRequest("DELETE", "/v1/subscriptions/sub_1"))

    assert not failed.value.uncertain


@pytest.mark.parametrize("fault", BROKEN_OFF)
async def test_a_creation_that_breaks_off_is_repeated_as_it_was(session: aiohttp.ClientSession, fault: Answer) -> None:
    """U3: A creation is repeated with the same key and body, so Stripe makes one customer."""
    async with loopback(fault, CUSTOMER) as server:
        created = await client(session, server.url).send(
            ChangeRequest("POST", "/v1/customers", {"email": "a@b.co"}, "the-key")
        )

    assert created.object == {"id": "cus_1", "object": "customer"}
    first, second = map(_lines, server.requests)
    assert first == second
    assert "Idempotency-Key: the-key" in first


@pytest.mark.parametrize("fault", BROKEN_OFF)
async def test_bodies_that_always_break_off_are_an_error(session: aiohttp.ClientSession, fault: Answer) -> None:
    """U3, U4: A truncated answer never counts as one. aiohttp itself repeats a GET that ends before its headers."""
    async with loopback(fault) as server:
        with pytest.raises(StripeUnavailable) as error:
            await client(session, server.url).retrieve("/v1/customers", "cus_1")

    assert len(server.requests) == (6 if fault in BEFORE_HEADERS else 3)
    assert "hush" not in f"{error.value.message}{error.value.detail}"


@pytest.mark.parametrize(
    "answer",
    [
        raw(head("Content-Length: 9000000000"), *[b" " * 65536] * 300),
        whole(b"x", "Content-Encoding: gzip"),
        whole(b'{"id": "cus_1"}', status="203 Non-Authoritative Information"),
    ],
    ids=["flood", "compressed", "from a cache"],
)
async def test_other_answers_are_errors(session: aiohttp.ClientSession, answer: Answer) -> None:
    """U1: Floods and compressed bodies are not read, and only a plain 200 is a result."""
    async with loopback(answer) as server:
        with pytest.raises(StripeFailure):
            await client(session, server.url).retrieve("/v1/customers", "cus_1")


async def test_a_redirect_takes_the_key_nowhere(session: aiohttp.ClientSession) -> None:
    """S1: The address that a redirect names gets no request, and so no key."""
    async with (
        loopback(CUSTOMER) as elsewhere,
        loopback(whole(b"", f"Location: {elsewhere.url}/", status="307 Temporary Redirect")) as server,
    ):
        with pytest.raises(StripeUnavailable):
            await client(session, server.url).send(
                ChangeRequest("POST", "/v1/customers", {"email": "a@b.co"}, "the-key")
            )

    assert elsewhere.requests == []


async def test_silence_ends_with_the_budget(session: aiohttp.ClientSession) -> None:
    """U2: A connection without an answer ends in a 504, and is not used again."""
    async with loopback(silence, CUSTOMER) as server:
        with pytest.raises(StripeTimeout):
            await client(session, server.url, timeout=0.05).retrieve("/v1/customers", "cus_1")

        assert await client(session, server.url).retrieve("/v1/customers", "cus_1") == {
            "id": "cus_1",
            "object": "customer",
        }


def _lines(request: bytes) -> list[str]:
    """Give the parts that a retry must repeat; the library's telemetry header describes the call before."""
    return [line for line in request.decode().split("\r\n") if not line.startswith("X-Stripe-Client-Telemetry")]
