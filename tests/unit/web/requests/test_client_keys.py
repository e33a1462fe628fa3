"""A client's own Idempotency-Key, for requests without an item."""

import base64
import json

import pytest

from tests.doubles.directus import User, full, grants
from tests.doubles.running_app import CLERK, CREATOR, RunningApp
from tests.doubles.wire import Answer


def session(user: str, number: int) -> User:
    """Give one of several sessions of a user, as Directus writes them."""
    claims = {"id": user, "session": f"MARKED-{number}", "iss": "directus", "exp": 2**31}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return User(user, f"eyJhbGciOiJIUzI1NiJ9.{payload}.MARKEDsignature{number}", grants(create=full()))


async def create(app: RunningApp, user: User, *keys: str, email: str = "ada@example.com") -> Answer:
    headers = [("Content-Type", "application/json"), *(("Idempotency-Key", key) for key in keys)]
    body = json.dumps({"email": email}).encode()
    return await app.call(user, "/stripe/customers", method="POST", headers=headers, body=body)


async def test_same_key_again(app: RunningApp) -> None:
    """W5: the same key of the same caller gives the same customer."""
    answers = [await create(app, CLERK, "order-1") for _ in range(3)]

    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(app.stripe.customers) == 1


async def test_key_of_another_caller(app: RunningApp) -> None:
    """W5: the same key of another caller never gives the first one's customer."""
    first, second = await create(app, CLERK, "order-1"), await create(app, CREATOR, "order-1")

    assert (first.status, second.status) == (201, 201)
    assert len({customer["id"] for customer in app.stripe.customers}) == 2


async def test_key_of_a_refreshed_session(app: RunningApp) -> None:
    """W5: a caller with a refreshed session is still the same caller, and another user is not."""
    people = [session("ada", 1), session("ada", 2), session("eve", 3)]
    app.directus.add_users(people)
    app.tokens |= {user.token for user in people}

    answers = [await create(app, user, "order-1") for user in people]

    assert [answer.status for answer in answers] == [201] * 3
    assert len(app.stripe.customers) == 2


async def test_key_with_other_values(app: RunningApp) -> None:
    """W6: the same key with another address is a clear 409 and makes no second customer."""
    await create(app, CLERK, "order-1")

    answer = await create(app, CLERK, "order-1", email="other@example.com")

    assert (answer.status, answer.extensions["stripe"]["type"]) == (409, "idempotency_error")
    assert "other values" in answer.message
    assert len(app.stripe.customers) == 1


@pytest.mark.parametrize(
    "keys",
    [("a", "b"), ("a", "a"), ("",), ("k" * 256,), ("a b",), ("schlüssel",)],
    ids=["two", "twice", "empty", "long", "space", "not-ascii"],
)
async def test_odd_keys(app: RunningApp, keys: tuple[str, ...]) -> None:
    """W5: a key that Stripe would not accept, or that is sent twice, is 400."""
    answer = await create(app, CLERK, *keys)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")


async def test_key_does_not_show_its_sender(app: RunningApp) -> None:
    """W5: Stripe gets a key derived from the caller and the caller's key, which shows neither."""
    await create(app, CLERK, "order-MARKED")

    [request] = app.stripe.asked
    assert "MARKED" not in request.values("Idempotency-Key")[0]
