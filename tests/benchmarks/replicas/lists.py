"""Rows 5 and 6: something changes at one replica, and another one's list must have it.

The other one is fetching that very list for somebody else, since before the change, and Stripe has not answered yet.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.benchmarks.fair.plan import Request
from tests.benchmarks.replicas.fleet import Fleet, Replica
from tests.benchmarks.replicas.ground import KEY, UNLIMITED, Ground
from tests.benchmarks.replicas.outcome import Seen
from tests.doubles.events import PATH, SECRET, event, headers
from tests.doubles.pause import Pause
from tests.doubles.running_app import bearer
from tests.doubles.server import Recorded
from tests.doubles.stripe import StripeDouble, is_probe
from tests.doubles.waiting import eventually

_JOINED = 0.3  # seconds after which a request without a call of its own has joined the other's
_JSON = ("Content-Type", "application/json")
_Change = Callable[[Replica, StripeDouble, str], Awaitable[None]]


async def created_elsewhere(ground: Ground) -> Seen:
    async def create(replica: Replica, _: StripeDouble, token: str) -> None:
        body = json.dumps({"email": "ada@example.com"}).encode()
        answer = await replica.sidecar.call("/stripe/customers", bearer(token), _JSON, method="POST", body=body)
        _require(answer.status in {200, 201})

    return await _found(ground, create)


async def told_elsewhere(ground: Ground) -> Seen:
    async def tell(replica: Replica, stripe: StripeDouble, _: str) -> None:
        body = event("customer.created", stripe.add_customer(email="ada@example.com"), livemode=True)
        answer = await replica.sidecar.call(PATH, *headers(body), method="POST", body=body)
        _require(answer.status == 200)

    return await _found(ground, tell)


async def _found(ground: Ground, change: _Change) -> Seen:
    tries, found = ground.size.tries, 0
    async with StripeDouble.running() as stripe:
        stripe.key = KEY
        stripe.add_customer(email="grace@example.com")
        async with ground.fleet(stripe.url, {**UNLIMITED, "STRIPE_WEBHOOK_SECRET": SECRET}) as fleet:
            tokens = fleet.directus.move_in("reader", 2)
            await fleet.meet([Request("/stripe/payments?limit=1", token) for token in tokens])
            for number in range(tries):
                found += await _try(fleet, stripe, number, tokens, change)
    return Seen(f"{found} of {tries}", found == tries, {"found": found, "tries": tries})


async def _try(fleet: Fleet, stripe: StripeDouble, number: int, tokens: list[str], change: _Change) -> bool:
    """Say whether the list that the second reader gets has the new customer. Whole lists and pages take turns."""
    here, there = (fleet.replicas[(number + one) % len(fleet.replicas)] for one in (0, 1))
    target = "/stripe/customers?" + (f"limit={10 + number}" if number % 2 else f"created[gte]={number + 1}")
    pause, before = Pause(after=True), _lists(stripe)
    stripe.fail(pause, when=_is_list)
    first = asyncio.create_task(there.sidecar.call(target, bearer(tokens[0])))
    await pause.reached.wait()
    await change(here, stripe, tokens[0])
    second = asyncio.create_task(there.sidecar.call(target, bearer(tokens[1])))
    with suppress(AssertionError):
        await eventually(lambda: _lists(stripe) > before + 1, within=_JOINED)
    pause.release()
    stripe.recover()
    answers = await asyncio.gather(first, second)
    _require({answer.status for answer in answers} == {200})
    return stripe.customers[0]["id"] in answers[1].body.decode()


def _lists(stripe: StripeDouble) -> int:
    return sum(map(_is_list, stripe.requests))


def _is_list(request: Recorded) -> bool:
    return request.method == "GET" and request.path == "/v1/customers" and not is_probe(request)


def _require(well: bool) -> None:  # noqa: FBT001 - as in assert
    if not well:
        raise RuntimeError("a request of the row was refused")
