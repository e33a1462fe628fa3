"""The three outcomes of a question to Directus: permissions, a refusal with Directus's code, and no answer."""

import asyncio
import gzip
import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.directus.client import DirectusClient, collection_path
from sidecar.clients.directus.line import Line
from sidecar.clients.directus.permissions import DirectusPermissions
from sidecar.clients.http import open_session
from sidecar.core.access.credentials import Credential, Source
from sidecar.core.access.permissions import Permissions
from sidecar.errors import CredentialRefused, DirectusUnavailable
from tests.aioresponses_compat import Reply, Request, label, reply, upstream
from tests.doubles.fresh import asked_for
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.directus.sources import READ, credential, granting
from tests.unit.clients.loopback import Answer, head, loopback, raw, reset, silence, whole

BASE = "http://directus.test/base"
CALLER = credential("the-token")
FULL = {"customers": {"read": {"access": "full", "fields": ["*"]}}, "other": {"read": {"access": "full", "fields": []}}}
BUDGET = 0.2
SLACK = 0.5  # seconds on the loop's clock, which does not count stalls


def errors(code: str) -> dict[str, object]:
    return {"errors": [{"message": f"{code} of somebody@example.com", "extensions": {"code": code}}]}


async def ask(
    base: str = BASE, caller: Credential = CALLER, *, header: str = "X-Forwarded-For", budget: float = 600
) -> Permissions:
    async with open_session(total=budget, connect=budget, connections=5) as session:
        client = DirectusClient(session, base, address_header=header)
        return await DirectusPermissions(client, {"customers"}).permissions(caller)


async def asked(*replies: Reply, caller: Credential = CALLER, header: str = "X-Forwarded-For") -> Request:
    with upstream(*replies) as directus:
        await ask(caller=caller, header=header)
    (request,) = directus.requests
    return request


async def refusal(answer: Reply) -> Exception:
    with upstream(answer), pytest.raises((CredentialRefused, DirectusUnavailable)) as error:
        await ask()
    return error.value


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
async def test_permissions_are_read(content_type: str) -> None:
    """The answer's `data` becomes permissions on the collections in use."""
    with upstream(reply({"data": FULL}, headers={"Content-Type": content_type})):
        assert await ask() == granting(READ.action)


async def test_no_grants_are_an_answer_too() -> None:
    """An empty answer is a caller without permissions, not a failure."""
    with upstream(reply({"data": {}})):
        assert await ask() == Permissions({})


async def test_how_directus_is_asked() -> None:
    """The credential travels once, as a bearer token, beside the client's address."""
    request = await asked(reply({"data": {}}))

    assert (request.method, asked_for(request.url)) == ("GET", f"{BASE}/permissions/me")
    assert sorted((name.lower(), value) for name, value in request.headers.items()) == [
        ("accept-encoding", "identity"),
        ("authorization", "Bearer the-token"),
        ("cache-control", "no-store"),
        ("user-agent", "directus-stripe-sidecar"),
        ("x-forwarded-for", "192.0.2.7"),
    ]
    assert not request.redirects_followed


async def test_the_address_goes_into_the_header_that_directus_reads() -> None:
    """If Directus reads another header, the address is in that header and in no other."""
    request = await asked(reply({"data": {}}), header="X-Real-Client")

    assert request.headers["X-Real-Client"] == "192.0.2.7"
    assert "X-Forwarded-For" not in request.headers


async def test_the_service_has_no_address() -> None:
    """For its own questions the sidecar sends no forwarded address."""
    request = await asked(reply({"data": {}}), caller=Credential("s", Source.SERVICE, None))

    assert "X-Forwarded-For" not in request.headers


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "INVALID_CREDENTIALS"),
        (401, "TOKEN_EXPIRED"),
        (403, "INVALID_TOKEN"),
        (403, "FORBIDDEN"),
        (401, "INVALID_IP"),
        (401, "USER_SUSPENDED"),
        (401, "SOMETHING_NEW"),
        (403, "SOMETHING_NEW"),
    ],
)
async def test_a_refusal_keeps_directus_code(status: int, code: str) -> None:
    """A6: A refusal with any status is a 401 with Directus's code and without its text."""
    error = await refusal(reply(errors(code), status=status))

    assert isinstance(error, CredentialRefused)
    assert (error.status, error.code) == (401, code)
    assert "somebody" not in str(error)


HTML = b"<html><h1>401 Authorization Required</h1></html>"


@pytest.mark.parametrize(
    "answer",
    [
        reply(errors("SERVICE_UNAVAILABLE"), status=503),
        reply(errors("INTERNAL_SERVER_ERROR"), status=500),
        reply(errors("REQUESTS_EXCEEDED"), status=429),
        reply(errors("INVALID_PAYLOAD"), status=400),
        reply(errors("ROUTE_NOT_FOUND"), status=404),
        reply(body=HTML, status=401),
        reply(body=HTML, status=403),
        reply(body=HTML, status=200),
        reply(body=b"", status=401),
        reply(body=b"", status=200),
        reply(body=b"", status=204),
        reply({"error": "unauthorized"}, status=401),
        reply({"errors": []}, status=401),
        reply({"errors": [{"extensions": {"code": 7}}]}, status=401),
        reply({"errors": [{"extensions": {"code": "no code, but prose"}}]}, status=403),
        reply({"data": {}}, status=500),
        reply({"data": {}}, status=302, headers={"Location": "http://elsewhere.test/"}),
        reply({"data": FULL}, headers={"Content-Type": "text/html"}),
        reply(errors("TOKEN_EXPIRED"), status=401, headers={"Content-Type": "text/plain"}),
        reply({"data": []}),
        reply({"data": None}),
        reply([FULL]),
        reply({}),
        reply(body=b'{"data": {'),
        reply(body=b'{"data": "\xff"}'),
        reply(body=b"[" * 100_000),
        reply(body=b'{"data": NaN}'),
        OSError("reset"),
        TimeoutError(),
        ConnectionResetError(),
    ],
    ids=label,
)
async def test_everything_else_is_no_answer(answer: Reply) -> None:
    """C6, U1: An answer that is neither permissions nor a refusal in Directus's format is a 503, not a yes or a no."""
    error = await refusal(answer)

    assert isinstance(error, DirectusUnavailable)
    assert (error.status, error.code) == (503, "SERVICE_UNAVAILABLE")
    assert CALLER.token not in f"{error.message}{error.detail}{error.extensions}"


@pytest.mark.parametrize(("status", "code"), [(429, "REQUESTS_EXCEEDED"), (503, "SERVICE_UNAVAILABLE")])
async def test_directus_says_when_to_come_back(status: int, code: str) -> None:
    """Retry-After is passed on to the caller."""
    error = await refusal(reply(errors(code), status=status, headers={"Retry-After": "7"}))

    assert isinstance(error, DirectusUnavailable)
    assert error.retry_after == 7


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_proxy_says_when_to_come_back(status: int) -> None:
    """U1: Retry-After also counts if a proxy in front of Directus wrote the answer, in HTML."""
    error = await refusal(reply(body=HTML, status=status, headers={"Retry-After": "7"}))

    assert isinstance(error, DirectusUnavailable)
    assert error.retry_after == 7


async def test_an_old_directus_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A missing route means a Directus before version 11, so the log tells the operator."""
    await refusal(reply(errors("ROUTE_NOT_FOUND"), status=404))

    assert "version 11" in caplog.text


LISTENING = [
    silence,
    reset,
    raw(b"HTTP/1.1 200 O"),
    raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    raw(head("Content-Length: 100"), b'{"data": {'),
    raw(head("Content-Length: 9000000000"), *[b" " * 65536] * 200),
    raw(head("Transfer-Encoding: chunked"), b"2\r\n{}\r\n"),
    raw(head(*(f"X-{number}: {'x' * 8000}" for number in range(2)))),
    whole(b"", "Location: http://127.0.0.1:9/", status="307 Temporary Redirect"),
    whole(gzip.compress(json.dumps({"data": FULL}).encode()), "Content-Encoding: gzip"),
    whole(gzip.compress(b" " * 50_000_000), "Content-Encoding: gzip"),
]


@pytest.mark.parametrize("answer", LISTENING)
async def test_whatever_the_wire_brings_ends_inside_the_budget(answer: Answer) -> None:
    """U1: Silence, resets, truncation, floods, redirects and compression bombs each end in a 503 within the budget."""
    async with loopback(answer) as directus:
        began = asyncio.get_running_loop().time()

        with pytest.raises(DirectusUnavailable):
            await ask(directus.url, budget=BUDGET)

        assert asyncio.get_running_loop().time() - began < BUDGET + SLACK


async def test_drips_end_inside_the_budget() -> None:
    """U1: The budget covers the whole answer, so one byte at a time does not extend it."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(head("Content-Length: 100000"))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with loopback(drip) as directus:
        began = asyncio.get_running_loop().time()
        with pytest.raises(DirectusUnavailable):
            await ask(directus.url, budget=BUDGET)

        assert asyncio.get_running_loop().time() - began < BUDGET + SLACK


async def test_directus_is_down() -> None:
    """U1: A refused connection is a 503 at once."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))

        with pytest.raises(DirectusUnavailable):
            await ask(f"http://127.0.0.1:{closed.getsockname()[1]}")


async def test_a_redirect_takes_the_token_nowhere() -> None:
    """U1: The address that a redirect names gets no request."""
    async with (
        loopback(whole(b"{}")) as elsewhere,
        loopback(whole(b"", f"Location: {elsewhere.url}/", status="308 Permanent Redirect")) as directus,
    ):
        with pytest.raises(DirectusUnavailable):
            await ask(directus.url)

    assert elsewhere.requests == []


async def test_the_token_is_on_the_wire_once() -> None:
    """Of the whole request only the Authorization header contains the token."""
    async with loopback(whole(json.dumps({"data": FULL}).encode())) as directus:
        await ask(directus.url)

    (request,) = directus.requests
    assert request.count(b"the-token") == 1
    assert request.lower().count(b"authorization:") == 1


@given(
    st.dictionaries(
        st.sampled_from(["errors", "data"]),
        st.recursive(
            st.none() | st.integers() | st.sampled_from(["code", "TOKEN_EXPIRED", "x y"]),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["extensions", "code"]), inner),
        ),
    ),
    st.sampled_from([200, 204, 302, 400, 401, 403, 404, 429, 500, 503]),
)
def test_no_json_is_a_fourth_outcome(payload: dict[str, object], status: int) -> None:
    """Any JSON with any status gives permissions, a refusal or no answer; only a 200 gives permissions."""

    async def outcome() -> object:
        with upstream(reply(payload, status=status)):
            return await ask()

    try:
        permissions = asyncio.run(outcome())
    except (CredentialRefused, DirectusUnavailable):
        return

    assert status == 200
    assert permissions == Permissions({})


@pytest.mark.parametrize(
    ("collection", "path"),
    [
        ("customers", "/items/customers"),
        ("directus_users", "/users"),
        ("directus_files", "/files"),
        ("my_directus_users", "/items/my_directus_users"),
    ],
)
def test_where_a_collection_is(collection: str, path: str) -> None:
    """System collections have paths of their own."""
    assert collection_path(collection) == path


@in_virtual_time
async def test_an_ipv6_network_is_one_client() -> None:
    """F1: who has a whole IPv6 network waits in one line, however many of its addresses ask."""
    line = Line(places=1)
    callers = [Credential(f"token-{number}", Source.HEADER, f"2001:db8:1:1::{number:x}") for number in range(30)]
    other = Credential("other", Source.HEADER, "2001:db8:2:1::1")

    async def answer() -> Reply:
        await asyncio.sleep(1)
        return reply({"data": FULL})

    with upstream(answer) as directus:
        async with open_session(total=600, connect=600, connections=5) as session:
            client = DirectusClient(session, BASE, address_header="X-Forwarded-For", line=line)
            tasks = []
            for caller in (*callers, other):
                tasks.append(asyncio.ensure_future(client.request(caller, "GET", "/permissions/me")))
                await asyncio.sleep(0)
            await asyncio.gather(*tasks)
    seen = [request.headers["Authorization"] for request in directus.requests]

    assert seen.index("Bearer other") <= 2
