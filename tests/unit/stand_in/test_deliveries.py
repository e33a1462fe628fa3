"""The events that the stand-in sends to a webhook endpoint."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from deploy.stripe_stand_in import KEY
from deploy.stripe_stand_in.deliveries import Deliveries
from deploy.stripe_stand_in.server import StandIn
from sidecar.clients.stripe.signature import Signatures
from tests.doubles.one_route import serving
from tests.doubles.shop import RETURN, Account, open_shop

SECRET = "whsec_standIn"
ASKS = "pm_card_threeDSecure2Required"


@dataclass(slots=True)
class Endpoint:
    """An endpoint that verifies every delivery, and fails at the first `failing` ones."""

    failing: int = 0
    events: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert isinstance(Signatures([SECRET]).signed(body, request.headers.getall("Stripe-Signature")), int)
        if self.failing > 0:
            self.failing -= 1
            return web.Response(status=503)
        self.events.put_nowait(json.loads(body))
        return web.Response()

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """Wait for an event of this type; give all events up to it."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["type"] != kind:
            found.append(await self.events.get())
        return found


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def account(endpoint: Endpoint) -> AsyncIterator[Account]:
    listening, app, stand_in = web.Application(), web.Application(), StandIn(KEY)
    listening.add_routes([web.post("/hook", endpoint.take)])
    async with serving(listening) as url:
        stand_in.deliveries = Deliveries(f"{url}/hook", SECRET)
        app.cleanup_ctx.append(stand_in.deliveries.running)
        app.add_routes(stand_in.routes())
        async with serving(app) as stripe:
            yield Account(stripe)


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def test_a_subscription_is_told_of(account: Account, endpoint: Endpoint) -> None:
    """A payment that a person authenticates is told of step by step, each event with its object as it was then."""
    shop = await open_shop(account)
    customer = (await account.post("customers"))["id"]
    form = f"customer={customer}&items[0][price]={shop['monthly']}&payment_behavior=default_incomplete"
    made = await account.post("subscriptions", f"{form}&expand[0]=latest_invoice.confirmation_secret")
    secret = made["latest_invoice"]["confirmation_secret"]["client_secret"]
    path, confirming = f"payment_intents/{secret.partition('_secret_')[0]}/confirm", f"payment_method={ASKS}"
    _, asked = await account.ask_as_browser("POST", path, f"client_secret={secret}&{confirming}&return_url={RETURN}")

    await account.authenticate(asked["next_action"]["redirect_to_url"]["url"], "succeeded")

    told = [each for each in await endpoint.until("customer.subscription.updated") if made["id"] in json.dumps(each)]
    assert {"customer.subscription.created", "invoice.created", "invoice.paid"} <= set(types(told))
    assert [each["data"]["object"]["status"] for each in told if "subscription." in each["type"]] == [
        "incomplete",
        "active",
    ]


async def test_what_is_refused_is_sent_again(account: Account, endpoint: Endpoint) -> None:
    """An event that the endpoint could not work on comes again, before the next one."""
    endpoint.failing = 2
    customer = (await account.post("customers"))["id"]
    await account.delete(f"customers/{customer}")

    told = await endpoint.until("customer.deleted")

    assert types(told) == ["customer.created", "customer.deleted"]
    assert told[0]["data"]["object"]["id"] == customer


async def test_no_change_is_no_event(account: Account, endpoint: Endpoint) -> None:
    """What is only read, and what is refused, is told to nobody."""
    await account.get("customers")
    await account.ask("POST", "payment_intents", "amount=0&currency=eur")
    await account.post("customers")

    assert types(await endpoint.until("customer.created")) == ["customer.created"]


async def test_a_failed_payment_is_told_of(account: Account, endpoint: Endpoint) -> None:
    """A payment that the bank declines is told of, although the call was refused."""
    payment = await account.post("payment_intents", "amount=500&currency=eur")
    declined = "payment_method=pm_card_visa_chargeDeclined&off_session=true"
    await account.ask("POST", f"payment_intents/{payment['id']}/confirm", declined)

    told = await endpoint.until("payment_intent.payment_failed")

    assert told[-1]["data"]["object"]["last_payment_error"]["code"] == "card_declined"
