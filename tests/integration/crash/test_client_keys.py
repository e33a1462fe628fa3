"""W5, W6: without write-back the client's own Idempotency-Key counts, and only for that caller."""

import base64
import json

import pytest

from deploy.demo.admin import Person, Rule, login
from tests.integration.conftest import Newcomer
from tests.integration.crash.rig import Rig

_OFF = {"STRIPE_WRITE_BACK": "false"}


async def test_the_same_key_gives_the_same_customer(rig: Rig) -> None:
    """W5: A retry with the same key and body gets the first customer again, also from another process."""
    async with rig.sidecar(**_OFF) as first, rig.sidecar(**_OFF) as second:
        answers = [await rig.create(server, key="order-1") for server in (first, second)]

    assert [answer.status for answer in answers] == [201, 201]
    assert len({answer.customer for answer in answers}) == 1
    assert len(rig.stripe.alive) == 1


async def test_without_a_key_every_request_is_its_own(rig: Rig) -> None:
    """W5: Two requests without a key are two customers: nothing else says that they are the same."""
    async with rig.sidecar(**_OFF) as server:
        answers = [await rig.create(server) for _ in range(2)]

    assert len({answer.customer for answer in answers}) == 2


async def test_another_callers_key_is_another_key(rig: Rig, second_clerk: Person) -> None:
    """W5: The same key and body from another user makes another customer."""
    async with rig.sidecar(**_OFF) as server:
        answers = [await rig.create(server, key="order-1", by=by) for by in (None, second_clerk.token)]

    assert len({answer.customer for answer in answers}) == 2


async def test_a_refreshed_session_is_the_same_caller(rig: Rig) -> None:
    """W5: A user with a new session, and so a new token, still gets the customer of the same key."""
    sessions = [await login(rig.place.stack.directus.url, rig.clerk) for _ in range(2)]
    assert len(set(sessions)) == 2

    async with rig.sidecar(**_OFF) as server:
        answers = [await rig.create(server, key="order-1", by=session) for session in sessions]

    assert [answer.status for answer in answers] == [201, 201]
    assert len({answer.customer for answer in answers}) == 1


@pytest.mark.parametrize("header", ["AAAA", "eyJhbGciOk5hTn0"], ids=["no header", "a header that JSON is not"])
async def test_a_forged_session_names_the_tokens_owner(rig: Rig, newcomer: Newcomer, header: str) -> None:
    """W5: A static token that looks like another user's session names its own user, not the other."""
    session = await login(rig.place.stack.directus.url, rig.clerk)
    claims = base64.urlsafe_b64encode(json.dumps({"iss": "directus", "id": rig.clerk.id}).encode()).decode()
    forged = f"{header}.{claims.rstrip('=')}.x"
    rules = [Rule(rig.place.collection, action) for action in ("read", "create")]
    thief = await newcomer(*rules)
    await rig.place.stack.admin.request("PATCH", f"/users/{thief.id}", {"token": forged})

    async with rig.sidecar(**_OFF) as server:
        answers = [await rig.create(server, key="order-1", by=by) for by in (session, forged)]

    assert [answer.status for answer in answers] == [201, 201]
    assert len({answer.customer for answer in answers}) == 2


async def test_the_same_key_with_another_body(rig: Rig) -> None:
    """W6: Another address under the same key is a clear 409, and no second customer."""
    async with rig.sidecar(**_OFF) as server:
        await rig.create(server, key="order-1")
        changed = await rig.create(server, key="order-1", email="grace@example.com")

    assert (changed.status, changed.error["code"]) == (409, "STRIPE_REJECTED")
    assert len(rig.stripe.alive) == 1


async def test_reconcile_ignores_customers_without_an_item(rig: Rig) -> None:
    """Without write-back a customer names no item, so `reconcile` ignores it."""
    async with rig.sidecar(**_OFF) as server:
        await rig.create(server)

    told = await rig.reconcile()

    assert (told.code, "1 customers, 0 of this collection: 0 filled, 0 to decide" in told.out) == (0, True)
