"""STRIPE_READ_CACHE in two replicas: each remembers for itself, and hears of the other's changes through Redis."""

from collections.abc import Awaitable, Callable

import pytest

from tests.doubles.events import PATH, SECRET, event, headers
from tests.doubles.redis.server import RedisServer
from tests.doubles.relay import Relay
from tests.doubles.running_app import CLERK, SERVICE_TOKEN, RunningApp
from tests.integration.redis.rig import Rig

TARGET = "/stripe/customers?limit=10"
SETTINGS = {"STRIPE_READ_CACHE": "60", "STRIPE_WEBHOOK_SECRET": SECRET, "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN}


async def ids(app: RunningApp) -> list[str]:
    answer = await app.call(CLERK, TARGET)
    assert answer.status == 200, answer
    return [entry["id"] for entry in answer.json()["data"]]


async def remembering(*apps: RunningApp) -> None:
    """Ask until each answers from memory: soon after a change Redis's clock cannot tell what came first."""
    for app in apps:
        while (await app.call(CLERK, TARGET)).header("Age") is None:
            pass


def pages(rig: Rig) -> int:
    return sum(request.target == "/v1/customers?limit=10" for request in rig.stripe.requests)


async def create(app: RunningApp) -> str:
    return str((await app.create()).json()["id"])


async def hear(app: RunningApp) -> str:
    customer = app.stripe.add_customer()
    body = event("customer.created", customer)
    assert (await app.call(None, PATH, method="POST", headers=headers(body), body=body)).status == 200
    return str(customer["id"])


@pytest.mark.parametrize("change", [create, hear], ids=["a change", "an event"])
async def test_what_the_other_did(
    rig: Rig, redis_server: RedisServer, change: Callable[[RunningApp], Awaitable[str]]
) -> None:
    """C7: what one replica changed, or heard of from Stripe, is seen at both at once, and then remembered again."""
    here, there = await rig.open(2, redis_server.url, SETTINGS)
    await remembering(here, there)

    new = await change(here)

    assert [await ids(app) for app in (there, here)] == [[new], [new]]
    await remembering(here, there)


async def test_without_redis(rig: Rig, redis_relay: Relay) -> None:
    """C7: while Redis is away nobody can know of the other's changes, so each asks Stripe each time."""
    here, there = await rig.open(2, redis_relay.url, SETTINGS)
    await remembering(here, there)
    redis_relay.cut()
    asked = pages(rig)

    new = await create(here)

    assert [await ids(app) for app in (there, there, here, here)] == [[new]] * 4
    assert pages(rig) == asked + 4
