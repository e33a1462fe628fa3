"""Each kind of caller uses every basic operation, with each kind and place of token, directly and through nginx."""

import time
from collections.abc import AsyncIterator
from typing import Literal

import aiohttp
import pytest

from deploy.demo.admin import login
from deploy.demo.stack import Stack
from sidecar.core.access.credentials import expires_at
from sidecar.core.operations.table import OPERATIONS
from tests.doubles.invariants import nothing_shows
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer
from tests.integration.asking import (
    QUESTIONS,
    Carried,
    Question,
    ask,
    asked_for,
    body_of,
    id_of,
    new_request_id,
    served,
    target_of,
    verdict,
)
from tests.integration.conftest import StripeRequests

Door = Literal["direct", "nginx"]
Kind = Literal["static", "json", "session"]

YES, NO, FOREIGN = "granted", "no_access", "not_visible"
# The reason for each answer to QUESTIONS. Ada Lovelace is the member's own customer.
EXPECTED = {
    "administrator": (YES, YES, YES, YES, YES, YES, YES),
    "clerk": (YES, YES, YES, YES, YES, YES, YES),
    "reader": (YES, YES, YES, YES, YES, YES, NO),
    "member": (YES, YES, FOREIGN, YES, YES, FOREIGN, NO),
    "guest": (NO, NO, NO, NO, NO, NO, NO),
}


@pytest.fixture
async def made(stack: Stack) -> AsyncIterator[list[str]]:
    """The IDs of the customers that the test has created, deleted at Stripe after it."""
    created: list[str] = []
    yield created
    key = {"Authorization": key_of(stack)}
    async with aiohttp.ClientSession(stack.stripe_url, headers=key, raise_for_status=True) as stripe:
        for customer in created:
            await stripe.delete(f"/v1/customers/{customer}")


class Tokens:
    """Everyone's tokens: one session each, and JSON-mode tokens that are valid for at least five seconds more."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._kept: dict[tuple[str, Kind], str] = {}

    async def of(self, who: str, kind: Kind) -> str:
        person = self._stack.people[who]
        if kind == "static":
            return person.token
        kept = self._kept.get((who, kind))
        if kept is None or (expires_at(kept) or 0) < time.time() + 5:
            kept = self._kept[(who, kind)] = await login(self._stack.directus.url, person, kind)
        return kept


@pytest.fixture(scope="module")
def tokens(stack: Stack) -> Tokens:
    return Tokens(stack)


def key_of(stack: Stack) -> str:
    return f"Bearer {stack.settings['STRIPE_LIVE_SECRET_KEY']}"


def url_of(stack: Stack, door: Door) -> str:
    return stack.main_sidecar.url if door == "direct" else stack.proxy.url


def objects_of(answer: Answer) -> list[dict[str, object]]:
    body = answer.json()
    return body if isinstance(body, list) else [body]


def test_every_basic_operation_is_asked() -> None:
    """The questions cover every basic operation, and one that the demo turns on."""
    basic = {operation.name for operation in OPERATIONS if operation.basic}

    assert {question.operation for question in QUESTIONS} == {*basic, "customers.retrieve"}


@pytest.mark.parametrize("door", ["direct", "nginx"])
@pytest.mark.parametrize("carried", Carried)
@pytest.mark.parametrize("kind", ["static", "json", "session"])
@pytest.mark.parametrize("who", EXPECTED)
async def test_matrix(
    *,
    stack: Stack,
    tokens: Tokens,
    made: list[str],
    stripe_requests: StripeRequests,
    who: str,
    kind: Kind,
    carried: Carried,
    door: Door,
) -> None:
    """A1, C2: status, code and reason are the table's for each place of the token; a refusal asks nothing of Stripe."""
    asked = {new_request_id(): (question, reason) for question, reason in zip(QUESTIONS, EXPECTED[who], strict=True)}
    for request_id, (question, reason) in asked.items():
        token, new = await tokens.of(who, kind), body_of(question, who)
        target, headers = target_of(stack, question), [("X-Request-Id", request_id)]

        answer = await ask(url_of(stack, door), target, token, carried=carried, new=new, headers=headers)

        if reason == YES:
            assert verdict(answer) == (200 if new is None else 201, None)
            made += [] if new is None else [answer.json()["id"]]
            shows_only_its_kind(answer, question)
        else:
            assert verdict(answer) == (401, "FORBIDDEN")
            assert answer.extensions["reason"] == reason
    granted = {request_id for request_id, (_, reason) in asked.items() if reason == YES}
    sent = stripe_requests()
    assert asked_for(sent) == granted
    assert {(one.headers["authorization"], one.headers.get("cookie")) for one in sent} <= {(key_of(stack), None)}


def shows_only_its_kind(answer: Answer, question: Question) -> None:
    objects = objects_of(answer)
    kind = "payment_intent" if question.operation.startswith("payments") else "customer"
    assert {entry["object"] for entry in objects} == {kind}
    assert b"client_secret" not in answer.body


@pytest.mark.parametrize("door", ["direct", "nginx"])
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Cookie", "directus_session_token=")],
        [("Cookie", "another=cookie")],
        [("Authorization", "Basic YTpi")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer a b")],
    ],
    ids=["nothing", "empty-cookie", "other-cookie", "basic", "scheme-alone", "three-parts"],
)
async def test_no_credential(
    stack: Stack, stripe_requests: StripeRequests, door: Door, headers: list[tuple[str, str]]
) -> None:
    """A3, A4: without a credential every operation is 401 NO_CREDENTIALS, and Stripe is not asked."""
    answers = [
        await ask(url_of(stack, door), target_of(stack, question), new=body_of(question, "nobody"), headers=headers)
        for question in QUESTIONS
    ]

    assert {verdict(answer) for answer in answers} == {(401, "NO_CREDENTIALS")}
    assert stripe_requests() == []


@pytest.mark.parametrize("door", ["direct", "nginx"])
async def test_two_credentials(stack: Stack, tokens: Tokens, stripe_requests: StripeRequests, door: Door) -> None:
    """A1: header or query beats the cookie, as in Directus; header and query together are a 400, 0 Stripe."""
    url, clerk, guest = url_of(stack, door), stack.people["clerk"].token, await tokens.of("guest", "session")
    cookie = [("Cookie", f"directus_session_token={guest}")]

    by_header = await ask(url, "/stripe/customers", clerk, headers=cookie)
    by_query = await ask(url, "/stripe/customers", clerk, carried=Carried.QUERY, headers=cookie)
    by_both = await ask(url, f"/stripe/customers?access_token={clerk}", clerk)

    assert (by_header.status, by_query.status) == (200, 200)
    assert verdict(by_both) == (400, "INVALID_PAYLOAD")
    assert asked_for(stripe_requests()) == {id_of(by_header), id_of(by_query)}


async def test_refusals_with_403(stack: Stack) -> None:
    """With DENIED_STATUS=403 refusals of known callers are a 403, and other refusals do not change."""
    foreign = stack.customers["Grace Hopper"]
    async with served({**stack.settings, "DENIED_STATUS": "403"}) as url:
        known = [
            await ask(url, "/stripe/customers", stack.people["guest"].token),
            await ask(url, "/stripe/customers", stack.people["reader"].token, new={"email": "ada@example.com"}),
            await ask(url, f"/stripe/payments/{foreign}", stack.people["member"].token),
        ]
        unknown = [await ask(url, "/stripe/customers"), await ask(url, "/stripe/customers", "nobodys-token")]

    assert {verdict(answer) for answer in known} == {(403, "FORBIDDEN")}
    assert [verdict(answer) for answer in unknown] == [(401, "NO_CREDENTIALS"), (401, "INVALID_CREDENTIALS")]


async def test_tokens_stay_out_of_logs(stack: Stack, tokens: Tokens) -> None:
    """S1, S2: no token of any kind or place is in the log of the sidecar or of nginx."""
    doors: tuple[Door, ...] = ("direct", "nginx")
    kinds: tuple[Kind, ...] = ("static", "json", "session")
    asked = {
        new_request_id(): (door, carried, await tokens.of("clerk", kind))
        for door in doors
        for carried in Carried
        for kind in kinds
    }
    for request_id, (door, carried, token) in asked.items():
        headers = [("X-Request-Id", request_id), ("Referer", f"https://shop.example.com/?access_token={token}")]
        await ask(url_of(stack, door), "/stripe/customers", token, carried=carried, headers=headers)

    def log() -> str:
        return stack.main_sidecar.log.read_text() + stack.proxy.log.read_text()

    await eventually(lambda: all(request_id in log() for request_id in asked))
    nothing_shows({token for _, _, token in asked.values()}, [log()])
