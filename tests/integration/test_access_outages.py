"""A Directus that is down, that comes back, and that hangs: never a yes, never a no, and no request to Stripe."""

import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.demo import servers
from deploy.demo.admin import Rule
from deploy.demo.processes import free_port
from deploy.demo.stack import Stack
from tests.doubles.proxy import Proxy, proxy_for
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer
from tests.integration.asking import QUESTIONS, ask, asked_for, body_of, id_of, served, target_of, verdict
from tests.integration.conftest import Newcomer, StartSidecar, StripeRequests

UNKNOWN = (503, "SERVICE_UNAVAILABLE")
GRANTED, REFUSED = (200, None), (401, "FORBIDDEN")


@pytest.fixture
async def gate(stack: Stack) -> AsyncIterator[Proxy]:
    """A proxy to Directus that a test can close and open again."""
    async with proxy_for(stack.directus.url) as proxy:
        yield proxy


@pytest.fixture
async def sidecar(stack: Stack, gate: Proxy) -> AsyncIterator[str]:
    async with served({**stack.settings, "DIRECTUS_URL": gate.url}) as url:
        yield url


@contextmanager
def frozen(stack: Stack) -> Iterator[None]:
    """Stop the real Directus's process: its system accepts connections, and nothing answers."""
    stack.directus.popen.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        stack.directus.popen.send_signal(signal.SIGCONT)


async def customers(url: str, stack: Stack, who: str) -> Answer:
    return await ask(url, "/stripe/customers", stack.people[who].token)


async def test_closed_port(stack: Stack, start_sidecar: StartSidecar, stripe_requests: StripeRequests) -> None:
    """L6: a sidecar starts without a Directus; every caller with a token gets a 503 that names Directus, 0 Stripe."""
    server = await start_sidecar(DIRECTUS_URL="http://127.0.0.1:1", SHUTDOWN_DELAY="0")
    answers = [
        await ask(server.url, target_of(stack, question), person.token, new=body_of(question, person.name))
        for person in stack.people.values()
        for question in QUESTIONS
    ]

    assert {verdict(answer) for answer in answers} == {UNKNOWN}
    assert {answer.extensions["service"] for answer in answers} == {"directus"}
    assert verdict(await ask(server.url, "/stripe/customers")) == (401, "NO_CREDENTIALS")
    assert [request for request in stripe_requests() if request.target != "/v1/customers?limit=1"] == []


async def test_back_at_once(stack: Stack, gate: Proxy, sidecar: str, stripe_requests: StripeRequests) -> None:
    """C6: an outage is remembered neither as a yes nor as a no: the next request after it gets its answer."""
    await gate.refuse()
    during = [await customers(sidecar, stack, who) for who in ("clerk", "guest", "member")]
    asked_meanwhile = [request for request in stripe_requests() if "limit=100" in request.target]
    await gate.listen()
    after = [await customers(sidecar, stack, who) for who in ("clerk", "guest", "member")]

    assert {verdict(answer) for answer in during} == {UNKNOWN}
    assert [verdict(answer) for answer in after] == [GRANTED, REFUSED, GRANTED]
    assert asked_meanwhile == []


async def test_up_and_down(stack: Stack, gate: Proxy, sidecar: str) -> None:
    """C6: the same for a new caller in each round, however often Directus goes down."""
    found = []
    for who in ("administrator", "clerk", "reader"):
        await gate.refuse()
        found.append(verdict(await customers(sidecar, stack, who)))
        await gate.listen()
        found.append(verdict(await customers(sidecar, stack, who)))

    assert found == [UNKNOWN, GRANTED] * 3


async def test_remembered_callers(stack: Stack, gate: Proxy, sidecar: str, stripe_requests: StripeRequests) -> None:
    """During an outage remembered callers with full access are served; a partial caller's rows cannot be read."""
    for who in ("clerk", "member", "guest"):
        await customers(sidecar, stack, who)
    await gate.refuse()
    before = len(stripe_requests())

    found = {who: await customers(sidecar, stack, who) for who in ("clerk", "member", "guest")}

    assert {who: verdict(answer) for who, answer in found.items()} == {
        "clerk": GRANTED,
        "member": UNKNOWN,
        "guest": REFUSED,
    }
    assert asked_for(stripe_requests()[before:]) == {id_of(found["clerk"])}


@pytest.mark.parametrize("door", ["direct", "nginx"])
async def test_frozen(
    stack: Stack, newcomer: Newcomer, stripe_requests: StripeRequests, tmp_path: Path, door: str
) -> None:
    """U1: a Directus that hangs is a 503 after DIRECTUS_TIMEOUT, 0 Stripe; when it runs again it is asked again."""
    person = await newcomer(Rule("customers", "read"))
    async with (
        served({**stack.settings, "DIRECTUS_TIMEOUT": "0.5"}) as impatient,
        servers.nginx(tmp_path, port=free_port(), directus=stack.directus.url, sidecar=impatient) as nginx,
    ):
        url = impatient if door == "direct" else nginx.url

        async def is_asked_again() -> bool:
            return verdict(await ask(url, "/stripe/customers", person.token)) == GRANTED

        with frozen(stack):
            during = await ask(url, "/stripe/customers", person.token)
        asked_meanwhile = [request for request in stripe_requests() if "limit=100" in request.target]
        await eventually(is_asked_again)  # it may need longer than the timeout to run again

    assert verdict(during) == UNKNOWN
    assert during.seconds >= 0.5
    assert asked_meanwhile == []
