"""Credentials that end by a logout, a suspension or an expiry, and strings that never were credentials. A6, C8."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator

import pytest

from deploy.demo.admin import Person, Rule, login, logout
from deploy.demo.stack import Stack
from sidecar.core.access.credentials import expires_at
from tests.doubles.waiting import eventually
from tests.doubles.wire import Answer
from tests.integration.asking import Carried, ask, asked_for, id_of, served, verdict
from tests.integration.conftest import Newcomer, StripeRequests

GONE = (401, "INVALID_CREDENTIALS")


@pytest.fixture
async def person(newcomer: Newcomer) -> Person:
    return await newcomer(Rule("customers", "read"))


@pytest.fixture
async def forgetful(stack: Stack) -> AsyncIterator[str]:
    """A sidecar that asks Directus on each request."""
    ttl = {"PERMISSIONS_CACHE_TTL": "0.001", "PERMISSIONS_DENIED_TTL": "0.001"}
    async with served({**stack.settings, **ttl}) as url:
        yield url


async def customers(url: str, token: str, carried: Carried = Carried.HEADER) -> Answer:
    return await ask(url, "/stripe/customers", token, carried=carried)


@pytest.mark.parametrize("carried", Carried)
async def test_logout(
    stack: Stack, forgetful: str, person: Person, stripe_requests: StripeRequests, carried: Carried
) -> None:
    """A6: after a logout its session is refused as soon as Directus is asked again."""
    session = await login(stack.directus.url, person)
    before = await customers(forgetful, session, carried)
    await logout(stack.directus.url, session)

    after = await customers(forgetful, session, carried)

    assert [verdict(before), verdict(after)] == [(200, None), GONE]
    assert asked_for(stripe_requests()) == {id_of(before)}


async def test_logout_through_nginx(stack: Stack, person: Person) -> None:
    """A logout through nginx takes effect at once, though the permission was remembered for longer."""
    session = await login(stack.proxy.url, person)
    remembered = await customers(stack.proxy.url, session, Carried.COOKIE)
    await logout(stack.proxy.url, session)

    async def refused() -> bool:
        return verdict(await customers(stack.proxy.url, session, Carried.COOKIE)) == GONE

    assert remembered.status == 200
    await eventually(refused)  # nginx does not wait for the mirrored request


async def test_another_session_lives_on(stack: Stack, forgetful: str, person: Person) -> None:
    """A logout ends its own session and no other one of the same user."""
    first, second = [await login(stack.directus.url, person) for _ in range(2)]
    await logout(stack.directus.url, first)

    assert verdict(await customers(forgetful, first)) == GONE
    assert verdict(await customers(forgetful, second)) == (200, None)


@pytest.mark.parametrize("kind", ["static", "session"])
async def test_suspension(
    stack: Stack, forgetful: str, person: Person, stripe_requests: StripeRequests, kind: str
) -> None:
    """A6: a suspended user's static token and session are refused as soon as Directus is asked again."""
    token = person.token if kind == "static" else await login(stack.directus.url, person)
    before = await customers(forgetful, token)
    await stack.admin.suspend(person)

    after = await customers(forgetful, token)

    assert [verdict(before), verdict(after)] == [(200, None), GONE]
    assert asked_for(stripe_requests()) == {id_of(before)}


async def test_deleted_user(stack: Stack, forgetful: str, newcomer: Newcomer) -> None:
    """A6: a deleted user's token is refused."""
    person = await newcomer(Rule("customers", "read"))
    await stack.admin.request("PATCH", f"/users/{person.id}", {"token": None})

    assert verdict(await customers(forgetful, person.token)) == GONE


async def test_expiry(stack: Stack, person: Person) -> None:
    """C8: a remembered permission ends in the second in which its token expires."""
    token = await login(stack.directus.url, person, "json")
    expiry = expires_at(token)
    assert expiry is not None
    seen: list[tuple[float, tuple[int, str | None], float]] = []

    while not seen or seen[-1][0] < expiry + 0.2:
        asked = time.time()
        seen.append((asked, verdict(await customers(stack.main_sidecar.url, token)), time.time()))
        await asyncio.sleep(0.02)

    assert seen[0][1] == (200, None)
    assert {found for _, found, answered in seen if answered < expiry} == {(200, None)}
    assert {found for asked, found, _ in seen if asked >= expiry} == {(401, "TOKEN_EXPIRED")}


@pytest.mark.parametrize("door", ["direct", "nginx"])
@pytest.mark.parametrize("carried", Carried)
async def test_invalid_tokens(
    stack: Stack, person: Person, stripe_requests: StripeRequests, carried: Carried, door: str
) -> None:
    """A6: an unknown token and each corrupted form of a good one are 401 with Directus's own code, 0 Stripe."""
    url = stack.main_sidecar.url if door == "direct" else stack.proxy.url
    good = await login(stack.directus.url, person, "json")
    corrupted = {
        "no-such-token": "INVALID_CREDENTIALS",
        "a.b.c": "INVALID_CREDENTIALS",
        f"{good[:-8]}AAAAAAAA": "INVALID_TOKEN",
        good.rpartition(".")[0] + ".": "INVALID_TOKEN",
        unsigned(good): "INVALID_TOKEN",
        without_issuer(good): "INVALID_CREDENTIALS",
        person.token[:-1]: "INVALID_CREDENTIALS",
        person.token.swapcase(): "INVALID_CREDENTIALS",
    }

    answers = {token: verdict(await customers(url, token, carried)) for token in corrupted}

    assert answers == {token: (401, code) for token, code in corrupted.items()}
    assert stripe_requests() == []


def unsigned(token: str) -> str:
    """Give the token's claims under `alg: none`."""
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def without_issuer(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{_part({'id': 'somebody', 'exp': 4_000_000_000})}.{signature}"


def _part(claims: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
